/* SPDX-License-Identifier: MIT */
/*
 * unixmsg.c - what travels through sockets besides bytes: open files, and who sent them.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static union {
    char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(4 * sizeof(int))];
    struct cmsghdr align;
} control;
static char text[16];

static int ended(void)
{
    int status = -1;
    wait(&status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static struct msghdr message(struct iovec *v, const char *bytes, size_t n)
{
    *v = (struct iovec){(void *)bytes, n};
    return (struct msghdr){.msg_iov = v, .msg_iovlen = 1};
}

static ssize_t send_files(int s, const char *bytes, const int *fds, int n)
{
    struct iovec v;
    struct msghdr m = message(&v, bytes, strlen(bytes));
    m.msg_control = &control;
    m.msg_controllen = CMSG_SPACE(n * sizeof(int));
    memset(&control, 0, sizeof(control));
    control.align = (struct cmsghdr){CMSG_LEN(n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.align), fds, n * sizeof(int));
    return sendmsg(s, &m, MSG_NOSIGNAL);
}

/* Bytes; the files into fds, how many into *n; msg_flags into *flags. */
static ssize_t get_files(int s, int *fds, int *n, int how, int *flags, size_t room)
{
    struct iovec v;
    struct msghdr m = message(&v, text, sizeof(text));
    m.msg_control = &control;
    m.msg_controllen = room;
    ssize_t got = recvmsg(s, &m, how);
    *n = 0;
    *flags = m.msg_flags;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); got >= 0 && c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_type != SCM_RIGHTS)
            continue;
        *n = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds, CMSG_DATA(c), *n * sizeof(int));
    }
    return got;
}

static void rights(int type)
{
    int p[2], q[2], fds[4], n, flags;
    char c;
    CHECK(socketpair(AF_UNIX, type, 0, p) == 0 && pipe(q) == 0);
    CHECK(send_files(p[0], "two", q, 2) == 3);
    close(q[0]);
    close(q[1]);
    CHECK(get_files(p[1], fds, &n, MSG_PEEK, &flags, sizeof(control)) == 3 && n == 2);
    CHECK(write(fds[1], "w", 1) == 1 && read(fds[0], &c, 1) == 1 && c == 'w');
    close(fds[0]);
    close(fds[1]);
    CHECK(get_files(p[1], fds, &n, MSG_CMSG_CLOEXEC, &flags, sizeof(control)) == 3 && n == 2);
    CHECK(fcntl(fds[0], F_GETFD) == FD_CLOEXEC && !(flags & MSG_CTRUNC));
    CHECK(write(fds[1], "v", 1) == 1 && read(fds[0], &c, 1) == 1 && c == 'v');
    CHECK(send_files(p[0], "cut", fds, 2) == 3);
    int first = fds[0];
    CHECK(get_files(p[1], fds, &n, 0, &flags, CMSG_SPACE(0) + sizeof(int)) == 3 && n == 1);
    CHECK((flags & MSG_CTRUNC) && fcntl(fds[0], F_GETFD) == 0);
    close(fds[0]);
    CHECK(send_files(p[0], "lost", &first, 1) == 4 && read(p[1], text, 16) == 4);
    CHECK(fails(send_files(p[0], "x", (int[]){first, 99}, 2), EBADF));
    if (!fork()) {
        get_files(p[1], fds, &n, 0, &flags, sizeof(control));
        _exit(n != 1 || write(fds[0], "from child", 10) != 10);
    }
    close(first);
    CHECK(pipe(q) == 0 && send_files(p[0], "x", &q[1], 1) == 1 && ended() == 0);
    close(q[1]);
    CHECK(read(q[0], text, 16) == 10 && read(q[0], text, 16) == 0);
    close(q[0]);
    close(p[0]);
    close(p[1]);
}

/* Files end a read of a stream: they belong to their bytes. */
static void boundaries(void)
{
    int p[2], fds[4], n, flags;
    socketpair(AF_UNIX, SOCK_STREAM, 0, p);
    write(p[0], "ab", 2);
    send_files(p[0], "cd", p, 1);
    write(p[0], "ef", 2);
    CHECK(get_files(p[1], fds, &n, 0, &flags, sizeof(control)) == 4 && n == 1);
    CHECK(!memcmp(text, "abcd", 4) && read(p[1], text, 16) == 2);
    close(fds[0]);
    close(p[0]);
    close(p[1]);
}

static void credentials(void)
{
    int p[2], on = 1;
    struct iovec v;
    struct ucred c = {0};
    socketpair(AF_UNIX, SOCK_DGRAM, 0, p);
    CHECK(setsockopt(p[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0);
    pid_t child = fork();
    if (!child)
        _exit(write(p[0], "who", 3) != 3);
    CHECK(ended() == 0);
    struct msghdr m = message(&v, text, 16);
    m.msg_control = &control;
    m.msg_controllen = sizeof(control);
    CHECK(recvmsg(p[1], &m, 0) == 3 && m.msg_controllen >= CMSG_LEN(sizeof(c)));
    memcpy(&c, CMSG_DATA(&control.align), sizeof(c));
    CHECK(control.align.cmsg_type == SCM_CREDENTIALS && c.pid == child && c.uid == getuid());
    if (!fork()) {
        struct ucred forged = {getppid(), 0, 0};
        int bad = setuid(1234);
        m = message(&v, "x", 1);
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(sizeof(forged));
        control.align = (struct cmsghdr){CMSG_LEN(sizeof(forged)), SOL_SOCKET, SCM_CREDENTIALS};
        memcpy(CMSG_DATA(&control.align), &forged, sizeof(forged));
        _exit(bad || !fails(sendmsg(p[0], &m, 0), EPERM));
    }
    int status = ended();
    CHECK(getuid() != 0 || status == 0);
    close(p[0]);
    close(p[1]);
}

static void several(void)
{
    int p[2];
    char a[8], b[8];
    struct iovec v[2] = {{"one", 3}, {"three", 5}}, w[2] = {{a, 8}, {b, 8}};
    struct mmsghdr out[2] = {{{.msg_iov = &v[0], .msg_iovlen = 1}, 0},
                             {{.msg_iov = &v[1], .msg_iovlen = 1}, 0}};
    struct mmsghdr in[2] = {{{.msg_iov = &w[0], .msg_iovlen = 1}, 0},
                            {{.msg_iov = &w[1], .msg_iovlen = 1}, 0}};
    socketpair(AF_UNIX, SOCK_DGRAM, 0, p);
    CHECK(sendmmsg(p[0], out, 2, 0) == 2 && out[1].msg_len == 5);
    CHECK(recvmmsg(p[1], in, 2, 0, NULL) == 2 && in[0].msg_len == 3 && in[1].msg_len == 5);
    CHECK(!memcmp(b, "three", 5) && fails(recvmmsg(p[1], in, 2, MSG_DONTWAIT, NULL), EAGAIN));
    send(p[0], "x", 1, 0);
    CHECK(recvmmsg(p[1], in, 2, MSG_WAITFORONE, NULL) == 1);
    close(p[0]);
    close(p[1]);
}

/* What nobody can reach any more is gone, which the free memory behind this program shows. */
static void circles(void)
{
    int p[2], q[2];
    for (int i = 0; i < 50; i++) {
        socketpair(AF_UNIX, SOCK_STREAM, 0, p);
        send_files(p[0], "me", &p[0], 1); /* in its peer's queue */
        send_files(p[1], "you", &p[1], 1);
        send_files(p[0], "you", &p[1], 1); /* in its own */
        close(p[0]);
        close(p[1]);
        socketpair(AF_UNIX, SOCK_STREAM, 0, p);
        socketpair(AF_UNIX, SOCK_DGRAM, 0, q);
        send_files(p[0], "q", q, 2);
        send_files(q[0], "p", p, 2);
        for (int k = 0; k < 2; k++) {
            close(p[k]);
            close(q[k]);
        }
    }
    /* one in the next, which is in the next... */
    int outer = -1;
    for (int i = 0; i < 3000; i++) {
        socketpair(AF_UNIX, SOCK_STREAM, 0, p);
        if (outer >= 0)
            send_files(p[0], "in", &outer, 1);
        close(p[0]);
        close(outer);
        outer = p[1];
    }
    int fds[4], n, flags;
    CHECK(get_files(outer, fds, &n, 0, &flags, sizeof(control)) == 2 && n == 1);
    CHECK(get_files(fds[0], fds + 1, &n, 0, &flags, sizeof(control)) == 2 && n == 1);
    close(fds[0]);
    close(fds[1]);
    close(outer);
}

/* A socket that waits for accept can be in a circle too. */
static void unaccepted(void)
{
    struct sockaddr_un a = {AF_UNIX, ""};
    socklen_t n = sizeof(a);
    int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(bind(l, (void *)&a, 2) == 0 && getsockname(l, (void *)&a, &n) == 0);
    CHECK(listen(l, 4) == 0 && connect(c, (void *)&a, n) == 0);
    CHECK(send_files(c, "listener", &l, 1) == 8 && send_files(c, "self", &c, 1) == 4);
    close(l);
    close(c);
    int s = socket(AF_UNIX, SOCK_STREAM, 0); /* the end of any socket collects */
    close(s);
    c = socket(AF_UNIX, SOCK_STREAM, 0);
    for (int i = 0; i < 1000 && connect(c, (void *)&a, n) == 0; i++) {
        close(c); /* Linux collects a little later */
        usleep(1000);
        c = socket(AF_UNIX, SOCK_STREAM, 0);
    }
    CHECK(fails(connect(c, (void *)&a, n), ECONNREFUSED));
    close(c);
}

int main(void)
{
    rights(SOCK_STREAM);
    rights(SOCK_DGRAM);
    rights(SOCK_SEQPACKET);
    boundaries();
    credentials();
    several();
    circles();
    unaccepted();
    return report("unixmsg");
}
