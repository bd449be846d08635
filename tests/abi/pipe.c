/* SPDX-License-Identifier: MIT */
/*
 * pipe.c - pipes, eventfd, and waiting for files with poll and select.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *volatile nowhere = (char *)8;

static void bytes(void)
{
    char buf[32];
    int p[2], n;
    struct stat st;
    CHECK(pipe(p) == 0);
    CHECK(write(p[1], "hello", 5) == 5 && read(p[0], buf, 32) == 5 && !memcmp(buf, "hello", 5));
    CHECK(fails(read(p[1], buf, 1), EBADF) && fails(write(p[0], buf, 1), EBADF));
    CHECK(fstat(p[0], &st) == 0 && S_ISFIFO(st.st_mode));
    CHECK(fails(lseek(p[0], 0, SEEK_SET), ESPIPE) && fails(pread(p[0], buf, 1, 0), ESPIPE));
    CHECK(write(p[1], "abc", 3) == 3 && ioctl(p[0], FIONREAD, &n) == 0 && n == 3);
    CHECK(fails(read(p[0], nowhere, 3), EFAULT) && read(p[0], buf, 2) == 2);
    CHECK(fails(write(p[1], nowhere, 3), EFAULT));
    CHECK(read(p[0], buf, 9) == 1 && buf[0] == 'c');
    CHECK(fcntl(p[0], F_GETPIPE_SZ) == 65536);
    close(p[1]);
    CHECK(read(p[0], buf, 1) == 0);
    close(p[0]);
    CHECK(fails(pipe2(p, 0x1), EINVAL) && fails(pipe((int *)nowhere), EFAULT));
}

static void full_and_empty(void)
{
    static char page[4096];
    char c;
    int p[2];
    size_t n = 0;
    CHECK(pipe2(p, O_NONBLOCK | O_CLOEXEC) == 0);
    CHECK(fcntl(p[0], F_GETFD) == FD_CLOEXEC && (fcntl(p[0], F_GETFL) & O_NONBLOCK));
    CHECK(fails(read(p[0], &c, 1), EAGAIN));
    while (write(p[1], page, sizeof(page)) == sizeof(page))
        n += sizeof(page);
    CHECK(errno == EAGAIN && n == 65536);
    struct pollfd fd[2] = {{p[0], POLLIN, 0}, {p[1], POLLOUT, 0}};
    CHECK(poll(fd, 2, 0) == 1 && fd[0].revents == POLLIN && fd[1].revents == 0);
    CHECK(read(p[0], page, 4096) == 4096 && poll(fd, 2, 0) == 2 && fd[1].revents == POLLOUT);
    close(p[0]);
    CHECK(poll(fd + 1, 1, 0) == 1 && (fd[1].revents & POLLERR));
    signal(SIGPIPE, SIG_IGN);
    CHECK(fails(write(p[1], "x", 1), EPIPE));
    signal(SIGPIPE, SIG_DFL);
    int status;
    if (!fork()) {
        write(p[1], "x", 1);
        _exit(0);
    }
    CHECK(wait(&status) > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    close(p[1]);
}

/* Odd sizes: what is written last comes to lie in front of what is read next, in the same page. */
static void comes_round(void)
{
    static unsigned char out[9000], in[9000];
    unsigned seed = 1, written = 0, got = 0, wrong = 0;
    int p[2], other[2];
    CHECK(pipe2(p, O_NONBLOCK) == 0 && pipe(other) == 0);
    for (int i = 0; i < 3000; i++) {
        size_t n = 1 + (unsigned)rand_r(&seed) % sizeof(out);
        for (size_t k = 0; k < n; k++)
            out[k] = (unsigned char)((written + k) * 7 >> 3);
        ssize_t put = write(p[1], out, n);
        written += put > 0 ? (unsigned)put : 0;
        ssize_t have = i % 300 < 20 ? 0 : read(p[0], in, 1 + (unsigned)rand_r(&seed) % sizeof(in));
        for (ssize_t k = 0; k < have; k++)
            wrong += in[k] != (unsigned char)((got + k) * 7 >> 3);
        got += have > 0 ? (unsigned)have : 0;
        /* into a page that was given up, if one was */
        wrong += write(other[1], out, 4096) != 4096 || read(other[0], in, 4096) != 4096;
    }
    CHECK(wrong == 0 && got > 1000000 && written - got <= 65536);
    close(p[0]);
    close(p[1]);
    close(other[0]);
    close(other[1]);
}

static void between_processes(void)
{
    static char big[200000], back[200000];
    int p[2], status;
    size_t got = 0;
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)(i * 7 + i / 251);
    CHECK(pipe(p) == 0);
    if (!fork()) {
        close(p[0]);
        _exit(write(p[1], big, sizeof(big)) != sizeof(big));
    }
    close(p[1]);
    for (ssize_t n; (n = read(p[0], back + got, sizeof(back) - got)) > 0;)
        got += (size_t)n;
    CHECK(got == sizeof(big) && !memcmp(big, back, sizeof(big)));
    CHECK(wait(&status) > 0 && status == 0);
    close(p[0]);
}

static void waiting(void)
{
    int p[2], q[2], status;
    char c;
    CHECK(pipe(p) == 0 && pipe(q) == 0);
    if (!fork()) {
        usleep(20000);
        write(q[1], "x", 1);
        _exit(0);
    }
    struct pollfd fd[3] = {{p[0], POLLIN, 0}, {q[0], POLLIN, 0}, {-1, POLLIN, 7}};
    CHECK(poll(fd, 3, 10000) == 1 && fd[0].revents == 0 && fd[1].revents == POLLIN);
    CHECK(fd[2].revents == 0 && read(q[0], &c, 1) == 1);
    CHECK(poll(fd, 1, 10) == 0);
    fd[0].fd = 99;
    CHECK(poll(fd, 1, 0) == 1 && fd[0].revents == POLLNVAL);
    fd_set set;
    struct timeval tv = {0, 1000};
    FD_ZERO(&set);
    FD_SET(p[0], &set);
    CHECK(select(p[0] + 1, &set, NULL, NULL, &tv) == 0 && !FD_ISSET(p[0], &set));
    FD_SET(p[0], &set);
    write(p[1], "y", 1);
    CHECK(select(p[0] + 1, &set, NULL, NULL, NULL) == 1 && FD_ISSET(p[0], &set));
    close(p[1]);
    fd[0].fd = p[0];
    CHECK(poll(fd, 1, 0) == 1 && fd[0].revents == (POLLIN | POLLHUP));
    CHECK(read(p[0], &c, 1) == 1 && poll(fd, 1, 0) == 1 && fd[0].revents == POLLHUP);
    FD_ZERO(&set);
    FD_SET(50, &set);
    CHECK(fails(select(51, &set, NULL, NULL, NULL), EBADF));
    FD_ZERO(&set);
    FD_SET(900, &set); /* more than the table of files has room for: passed over */
    tv.tv_usec = 1000;
    CHECK(select(901, &set, NULL, NULL, &tv) == 0);
    CHECK(wait(&status) > 0);
    close(p[0]);
    close(q[0]);
    close(q[1]);
}

static void on_alarm(int sig)
{
    (void)sig;
}

/* A child that signals its parent again and again: once is too early, should that be slow. */
static pid_t nag(void)
{
    pid_t parent = getpid(), child = fork();
    while (child == 0) {
        usleep(20000);
        kill(parent, SIGUSR1);
    }
    return child;
}

static void end(pid_t child)
{
    CHECK(kill(child, SIGKILL) == 0);
    while (waitpid(child, NULL, 0) != child)
        ; /* its last signal came just now */
}

static void interrupted(void)
{
    int p[2], status;
    char c;
    struct sigaction act = {.sa_handler = on_alarm};
    pid_t me = getpid();
    CHECK(pipe(p) == 0 && sigaction(SIGUSR1, &act, NULL) == 0);
    pid_t child = nag();
    CHECK(fails(read(p[0], &c, 1), EINTR));
    end(child);
    struct pollfd fd = {p[0], POLLIN, 0};
    child = nag();
    CHECK(fails(poll(&fd, 1, -1), EINTR));
    end(child);
    act.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &act, NULL);
    if (!fork()) {
        usleep(30000);
        kill(me, SIGUSR1);
        usleep(30000);
        write(p[1], "z", 1);
        _exit(0);
    }
    CHECK(read(p[0], &c, 1) == 1 && c == 'z');
    CHECK(wait(&status) > 0);
    close(p[0]);
    close(p[1]);
}

static void events(void)
{
    uint64_t v = 0;
    int fd = eventfd(3, EFD_NONBLOCK);
    CHECK(read(fd, &v, 8) == 8 && v == 3 && fails(read(fd, &v, 8), EAGAIN));
    v = 5;
    CHECK(write(fd, &v, 8) == 8 && write(fd, &v, 8) == 8);
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};
    CHECK(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT));
    CHECK(read(fd, &v, 8) == 8 && v == 10 && fails(read(fd, &v, 4), EINVAL));
    v = UINT64_MAX;
    CHECK(fails(write(fd, &v, 8), EINVAL));
    v = UINT64_MAX - 1;
    CHECK(write(fd, &v, 8) == 8);
    v = 1;
    CHECK(fails(write(fd, &v, 8), EAGAIN));
    close(fd);
    fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    CHECK(read(fd, &v, 8) == 8 && v == 1 && read(fd, &v, 8) == 8 && v == 1);
    CHECK(fails(read(fd, &v, 8), EAGAIN));
    close(fd);
    CHECK(fails(eventfd(0, 0x100), EINVAL));
}

static void many(void)
{
    int p[2], first = -1, n = 0;
    while (pipe(p) == 0) {
        first = first < 0 ? p[0] : first;
        n++;
    }
    CHECK(errno == EMFILE && n > 50);
    for (int fd = first; fd < first + 2 * n; fd++)
        close(fd);
    CHECK(pipe(p) == 0 && p[0] == first);
    close(p[0]);
    close(p[1]);
}

int main(void)
{
    bytes();
    full_and_empty();
    comes_round();
    between_processes();
    waiting();
    interrupted();
    events();
    many();
    return report("pipe");
}
