/* SPDX-License-Identifier: MIT */
/*
 * unix.c - sockets of the family AF_UNIX: streams, datagrams and packets; names; connections.
 * unixmsg.c has what travels besides bytes.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[64];
static void *volatile nowhere = (void *)8;

static int ended(void)
{
    int status = -1;
    wait(&status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* An address; abstract when the name begins with '@'. */
static socklen_t address(struct sockaddr_un *a, const char *name)
{
    memset(a, 0, sizeof(*a));
    a->sun_family = AF_UNIX;
    strcpy(a->sun_path, name);
    if (name[0] == '@')
        a->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + (name[0] != '@'));
}

static int bound(int type, const char *name)
{
    struct sockaddr_un a;
    socklen_t n = address(&a, name);
    int s = socket(AF_UNIX, type, 0);
    CHECK(s >= 0 && bind(s, (void *)&a, n) == 0);
    return s;
}

static int to(int s, const char *name)
{
    struct sockaddr_un a;
    socklen_t n = address(&a, name);
    return connect(s, (void *)&a, n);
}

static int events(int s)
{
    struct pollfd fd = {s, POLLIN | POLLOUT | POLLRDHUP, 0};
    poll(&fd, 1, 0);
    return fd.revents;
}

static int option(int s, int name)
{
    int value = -1;
    socklen_t n = sizeof(value);
    getsockopt(s, SOL_SOCKET, name, &value, &n);
    return value;
}

static void making(void)
{
    struct stat st;
    int p[2];
    CHECK(fails(socket(AF_UNIX, 77, 0), EINVAL) &&
          fails(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT));
    CHECK(fails(socket(AF_UNIX, SOCK_STREAM, 99), EPROTONOSUPPORT));
    CHECK(fails(socket(999, SOCK_STREAM, 0), EAFNOSUPPORT));
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK(fcntl(s, F_GETFD) == FD_CLOEXEC && fcntl(s, F_GETFL) == (O_RDWR | O_NONBLOCK));
    CHECK(fstat(s, &st) == 0 && S_ISSOCK(st.st_mode) && fails(lseek(s, 0, SEEK_SET), ESPIPE));
    CHECK(option(s, SO_TYPE) == SOCK_STREAM && option(s, SO_DOMAIN) == AF_UNIX);
    CHECK(option(s, SO_ERROR) == 0 && option(s, SO_ACCEPTCONN) == 0);
    CHECK(fails(read(s, p, 1), EINVAL) && fails(write(s, p, 1), ENOTCONN));
    CHECK(fails(listen(99, 0), EBADF) && pipe(p) == 0 && fails(listen(p[0], 0), ENOTSOCK));
    close(p[0]);
    close(p[1]);
    CHECK(events(s) == (POLLOUT | POLLHUP));
    CHECK(fails(listen(s, 1), EINVAL) && fails(to(s, "/nowhere/socket"), ENOENT));
    CHECK(fails(setsockopt(s, SOL_SOCKET, 999, p, sizeof(int)), ENOPROTOOPT));
    int buffer = 10000;
    CHECK(setsockopt(s, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer)) == 0);
    CHECK(option(s, SO_SNDBUF) == 20000);
    close(s);
    CHECK(fails(socketpair(AF_UNIX, SOCK_STREAM, 0, nowhere), EFAULT));
}

static void streams(void)
{
    char buf[32];
    int p[2], n;
    struct ucred cred;
    socklen_t size = sizeof(cred);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0);
    CHECK(write(p[0], "hello", 5) == 5 && send(p[0], " you", 4, 0) == 4);
    CHECK(ioctl(p[1], FIONREAD, &n) == 0 && n == 9 && events(p[1]) == (POLLIN | POLLOUT));
    CHECK(recv(p[1], buf, 3, MSG_PEEK) == 3 && recv(p[1], buf, 32, 0) == 9);
    CHECK(!memcmp(buf, "hello you", 9));
    CHECK(fails(recv(p[1], buf, 1, MSG_DONTWAIT), EAGAIN));
    CHECK(fails(write(p[0], nowhere, 5), EFAULT));
    CHECK(getsockopt(p[0], SOL_SOCKET, SO_PEERCRED, &cred, &size) == 0 && cred.pid == getpid());
    struct iovec v[2] = {{buf, 2}, {buf + 2, 20}};
    CHECK(write(p[0], "ab", 2) == 2 && readv(p[1], v, 2) == 2);
    CHECK(writev(p[0], v, 2) == 22 && recv(p[1], buf, 22, MSG_WAITALL) == 22);
    CHECK(shutdown(p[0], SHUT_WR) == 0 && read(p[1], buf, 1) == 0);
    CHECK(events(p[1]) == (POLLIN | POLLOUT | POLLRDHUP) && fails(shutdown(p[0], 9), EINVAL));
    CHECK(fails(send(p[0], "x", 1, MSG_NOSIGNAL), EPIPE) && write(p[1], "y", 1) == 1);
    close(p[1]);
    CHECK(read(p[0], buf, 9) == 1 && read(p[0], buf, 9) == 0 && (events(p[0]) & POLLHUP));
    close(p[0]);
    if (!fork()) {
        socketpair(AF_UNIX, SOCK_STREAM, 0, p);
        close(p[0]);
        write(p[1], "x", 1);
        _exit(0);
    }
    int status;
    CHECK(wait(&status) > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    socketpair(AF_UNIX, SOCK_STREAM, 0, p);
    write(p[0], "unread", 6);
    close(p[1]);
    CHECK(fails(read(p[0], buf, 1), ECONNRESET) && read(p[0], buf, 1) == 0);
    close(p[0]);
}

static void full(void)
{
    static char block[4096];
    int p[2], got;
    size_t sent = 0, back = 0;
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p);
    while ((got = (int)write(p[0], block, sizeof(block))) > 0)
        sent += (size_t)got;
    CHECK(errno == EAGAIN && sent > 60000 && sent < 600000 && !(events(p[0]) & POLLOUT));
    while ((got = (int)read(p[1], block, sizeof(block))) > 0)
        back += (size_t)got;
    CHECK(back == sent && (events(p[0]) & POLLOUT));
    fcntl(p[0], F_SETFL, 0);
    if (!fork()) { /* more than fits: the writer waits for the reader */
        size_t n = 0;
        for (int i = 0; i < 500; i++)
            n += (size_t)write(p[0], block, sizeof(block));
        _exit(n != 500 * sizeof(block));
    }
    close(p[0]);
    fcntl(p[1], F_SETFL, 0);
    for (back = 0; (got = (int)read(p[1], block, sizeof(block))) > 0;)
        back += (size_t)got;
    CHECK(back == 500 * sizeof(block) && ended() == 0);
    close(p[1]);
}

static void listening(const char *name)
{
    struct sockaddr_un a;
    socklen_t n = sizeof(a);
    char buf[16];
    int l = bound(SOCK_STREAM, name), c = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(fails(to(c, name), ECONNREFUSED) && fails(accept(l, NULL, NULL), EINVAL));
    CHECK(listen(l, 1) == 0 && option(l, SO_ACCEPTCONN) == 1 && events(l) == 0);
    CHECK(to(c, name) == 0 && fails(to(c, name), EISCONN) && events(l) == POLLIN);
    CHECK(write(c, "early", 5) == 5);
    int s = accept4(l, (void *)&a, &n, SOCK_CLOEXEC);
    CHECK(s >= 0 && n == 2 && read(s, buf, 16) == 5 && fcntl(s, F_GETFD) == FD_CLOEXEC);
    n = sizeof(a);
    CHECK(getpeername(c, (void *)&a, &n) == 0 && n == address(&a, name));
    n = sizeof(a);
    CHECK(getsockname(s, (void *)&a, &n) == 0 && n > 3);
    CHECK(getpeername(s, (void *)&a, &n) == 0 && n == 2 &&
          fails(getpeername(l, (void *)&a, &n), ENOTCONN));
    close(s);
    CHECK(read(c, buf, 1) == 0);
    close(c);
    if (!fork()) {
        c = socket(AF_UNIX, SOCK_STREAM, 0);
        _exit(to(c, name) || write(c, "child", 5) != 5);
    }
    s = accept(l, NULL, NULL);
    CHECK(read(s, buf, 16) == 5 && read(s, buf, 16) == 0 && ended() == 0);
    close(s);
    c = socket(AF_UNIX, SOCK_STREAM, 0); /* refused: nobody accepts it any more */
    CHECK(to(c, name) == 0);
    int d = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK(fails(to(d, name), name[0] == '@' ? ECONNREFUSED : EPROTOTYPE));
    close(l);
    CHECK(fails(read(c, buf, 1), ECONNRESET));
    close(c);
    close(d);
}

static void names(void)
{
    struct sockaddr_un a;
    struct stat st;
    socklen_t n = sizeof(a);
    listening(path);
    CHECK(stat(path, &st) == 0 && S_ISSOCK(st.st_mode) && fails(open(path, O_RDWR), ENXIO));
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(fails(to(s, path), ECONNREFUSED));
    CHECK(fails(bind(s, (void *)&a, address(&a, path)), EADDRINUSE));
    CHECK(unlink(path) == 0 && fails(to(s, path), ENOENT));
    CHECK(bind(s, (void *)&a, 2) == 0 && getsockname(s, (void *)&a, &n) == 0 && n == 8);
    CHECK(fails(bind(s, (void *)&a, address(&a, "@other")), EINVAL));
    close(s);
    char abstract[64];
    sprintf(abstract, "@pagoda-%d", getpid());
    listening(abstract);
    s = bound(SOCK_STREAM, abstract);
    int again = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(fails(bind(again, (void *)&a, address(&a, abstract)), EADDRINUSE));
    CHECK(fails(bind(again, (void *)&a, 200), EINVAL));
    a.sun_family = AF_INET;
    CHECK(fails(bind(again, (void *)&a, 16), EINVAL));
    close(s);
    close(again);
}

static void datagrams(void)
{
    char buf[16];
    struct sockaddr_un a;
    socklen_t n = sizeof(a);
    int r = bound(SOCK_DGRAM, path), s = socket(AF_UNIX, SOCK_DGRAM, 0), size;
    CHECK(fails(send(s, "x", 1, 0), ENOTCONN) && fails(listen(r, 1), EOPNOTSUPP));
    CHECK(sendto(s, "one", 3, 0, (void *)&a, address(&a, path)) == 3);
    CHECK(to(s, path) == 0 && send(s, "second", 6, 0) == 6 && send(s, "", 0, 0) == 0);
    CHECK(ioctl(r, FIONREAD, &size) == 0 && size == 3);
    CHECK(recvfrom(r, buf, 16, 0, (void *)&a, &n) == 3 && n == 0);
    CHECK(recv(r, buf, 2, MSG_PEEK | MSG_TRUNC) == 6 && recv(r, buf, 2, 0) == 2);
    CHECK(recv(r, buf, 16, 0) == 0 && fails(recv(r, buf, 16, MSG_DONTWAIT), EAGAIN));
    int sent = 0;
    while (send(s, "fill", 4, MSG_DONTWAIT) == 4)
        sent++;
    CHECK(errno == EAGAIN && sent >= 10 && !(events(s) & POLLOUT));
    CHECK(recv(r, buf, 16, 0) == 4 && (events(s) & POLLOUT));
    static char huge[300000];
    CHECK(fails(send(s, huge, sizeof(huge), 0), EMSGSIZE));
    unlink(path);
    close(r);
    CHECK(fails(send(s, "x", 1, 0), ECONNREFUSED) && fails(send(s, "x", 1, 0), ENOTCONN));
    close(s);
    int p[2];
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, p) == 0 && write(p[0], "pair", 4) == 4);
    CHECK(write(p[0], huge, 100000) == 100000 && read(p[1], buf, 16) == 4);
    CHECK(read(p[1], huge, sizeof(huge)) == 100000);
    close(p[0]);
    close(p[1]);
}

static void packets(void)
{
    char buf[16];
    int p[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p) == 0);
    CHECK(write(p[0], "one", 3) == 3 && write(p[0], "two!", 4) == 4);
    CHECK(read(p[1], buf, 16) == 3 && read(p[1], buf, 2) == 2);
    CHECK(fails(recv(p[1], buf, 16, MSG_DONTWAIT), EAGAIN));
    close(p[0]);
    CHECK(read(p[1], buf, 16) == 0 && fails(send(p[1], "x", 1, MSG_NOSIGNAL), EPIPE));
    close(p[1]);
    int l = bound(SOCK_SEQPACKET, path), c = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    CHECK(fails(send(c, "x", 1, 0), ENOTCONN) && fails(recv(c, buf, 1, 0), ENOTCONN));
    CHECK(listen(l, 5) == 0 && to(c, path) == 0 && send(c, "hi", 2, 0) == 2);
    int s = accept(l, NULL, NULL);
    CHECK(recv(s, buf, 16, 0) == 2);
    close(s);
    close(c);
    close(l);
    unlink(path);
}

static void on_alarm(int sig)
{
    (void)sig;
}

static void waiting(void)
{
    char buf[16];
    int p[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, p);
    struct timeval soon = {0, 30000}, bad = {0, 2000000};
    CHECK(setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)) == 0);
    CHECK(fails(setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &bad, sizeof(bad)), EDOM));
    CHECK(fails(read(p[0], buf, 1), EAGAIN));
    struct sigaction act = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &act, NULL);
    ualarm(20000, 0);
    CHECK(fails(read(p[1], buf, 1), EINTR));
    if (!fork()) {
        struct pollfd fd = {p[1], POLLIN, 0};
        _exit(poll(&fd, 1, 5000) != 1 || read(p[1], buf, 16) != 4);
    }
    usleep(20000);
    CHECK(write(p[0], "wake", 4) == 4 && ended() == 0);
    close(p[0]);
    close(p[1]);
    int l = bound(SOCK_STREAM, path), c[8], connected = 0;
    listen(l, 1);
    for (int i = 0; i < 8; i++) {
        c[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connected += to(c[i], path) == 0;
    }
    CHECK(connected == 2 && errno == EAGAIN);
    if (!fork()) {
        int s = socket(AF_UNIX, SOCK_STREAM, 0);
        _exit(to(s, path) != 0);
    }
    usleep(20000);
    close(accept(l, NULL, NULL));
    CHECK(ended() == 0);
    for (int i = 0; i < 8; i++)
        close(c[i]);
    close(l);
    unlink(path);
}

int main(void)
{
    sprintf(path, "/tmp/unix-%d", getpid());
    making();
    streams();
    full();
    names();
    datagrams();
    packets();
    waiting();
    return report("unix");
}
