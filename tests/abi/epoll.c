/* SPDX-License-Identifier: MIT */
/*
 * epoll.c - waiting for many files: by level, by edge, once, and for those that wait themselves.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int watch(int ep, int op, int fd, unsigned events)
{
    struct epoll_event ev = {.events = events, .data.u64 = 1000 + (unsigned)fd};
    return epoll_ctl(ep, op, fd, &ev);
}

/* Wait no longer than now; the events of the only one, 0 for none, -1 for more. */
static int now(int ep, int fd)
{
    struct epoll_event ev[4];
    int n = epoll_wait(ep, ev, 4, 0);
    if (n != 1)
        return -n;
    return ev[0].data.u64 == 1000 + (unsigned)fd ? (int)ev[0].events : -2;
}

static void levels_and_edges(void)
{
    int ep = epoll_create1(EPOLL_CLOEXEC), p[2];
    char buf[8];
    CHECK(ep >= 0 && fcntl(ep, F_GETFD) == FD_CLOEXEC && pipe(p) == 0);
    CHECK(watch(ep, EPOLL_CTL_ADD, p[0], EPOLLIN) == 0 && now(ep, p[0]) == 0);
    CHECK(write(p[1], "ab", 2) == 2);
    CHECK(now(ep, p[0]) == EPOLLIN && now(ep, p[0]) == EPOLLIN);
    CHECK(read(p[0], buf, 2) == 2 && now(ep, p[0]) == 0);
    CHECK(watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET) == 0 && now(ep, p[0]) == 0);
    CHECK(write(p[1], "a", 1) == 1 && now(ep, p[0]) == EPOLLIN && now(ep, p[0]) == 0);
    CHECK(write(p[1], "a", 1) == 1 && now(ep, p[0]) == EPOLLIN && now(ep, p[0]) == 0);
    CHECK(watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT) == 0);
    CHECK(now(ep, p[0]) == EPOLLIN && now(ep, p[0]) == 0);
    CHECK(write(p[1], "a", 1) == 1 && now(ep, p[0]) == 0);
    CHECK(watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT) == 0 && now(ep, p[0]) == EPOLLIN);
    CHECK(watch(ep, EPOLL_CTL_MOD, p[0], 0) == 0 && now(ep, p[0]) == 0);
    CHECK(close(p[1]) == 0 && now(ep, p[0]) == EPOLLHUP);
    CHECK(watch(ep, EPOLL_CTL_DEL, p[0], 0) == 0 && now(ep, p[0]) == 0);
    CHECK(close(p[0]) == 0 && close(ep) == 0);
}

static void many(void)
{
    struct epoll_event ev[64];
    int ep = epoll_create1(0), fds[50];
    for (int i = 0; i < 50; i++) {
        fds[i] = eventfd(1, 0);
        CHECK(watch(ep, EPOLL_CTL_ADD, fds[i], EPOLLIN) == 0);
    }
    CHECK(epoll_wait(ep, ev, 64, 0) == 50 && epoll_wait(ep, ev, 10, -1) == 10);
    unsigned seen = 0;
    for (int round = 0; round < 5; round++) { /* in turn, so that nobody is passed over */
        CHECK(epoll_wait(ep, ev, 10, 0) == 10);
        seen += ev[0].data.u64 != 0;
    }
    CHECK(seen == 5);
    for (int i = 0; i < 50; i += 2)
        CHECK(close(fds[i]) == 0); /* they leave by themselves */
    CHECK(epoll_wait(ep, ev, 64, 0) == 25);
    int copy = dup(fds[1]);
    CHECK(close(fds[1]) == 0 && epoll_wait(ep, ev, 64, 0) == 25);
    CHECK(close(copy) == 0 && epoll_wait(ep, ev, 64, 0) == 24);
    for (int i = 3; i < 50; i += 2)
        close(fds[i]);
    CHECK(epoll_wait(ep, ev, 64, 0) == 0 && close(ep) == 0);
}

static void nested(void)
{
    int ep[7], e = eventfd(0, 0);
    unsigned long long one = 1;
    for (int i = 0; i < 7; i++)
        ep[i] = epoll_create1(0);
    CHECK(watch(ep[0], EPOLL_CTL_ADD, e, EPOLLIN) == 0);
    CHECK(watch(ep[1], EPOLL_CTL_ADD, ep[0], EPOLLIN) == 0);
    CHECK(watch(ep[2], EPOLL_CTL_ADD, ep[1], EPOLLIN) == 0 && now(ep[2], ep[1]) == 0);
    CHECK(write(e, &one, 8) == 8 && now(ep[2], ep[1]) == EPOLLIN && now(ep[1], ep[0]) == EPOLLIN);
    struct pollfd p = {.fd = ep[2], .events = POLLIN};
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
    CHECK(read(e, &one, 8) == 8 && now(ep[2], ep[1]) == 0 && poll(&p, 1, 0) == 0);
    CHECK(fails(watch(ep[0], EPOLL_CTL_ADD, ep[2], EPOLLIN), ELOOP));
    CHECK(fails(watch(ep[0], EPOLL_CTL_ADD, ep[0], EPOLLIN), EINVAL));
    CHECK(watch(ep[3], EPOLL_CTL_ADD, ep[2], EPOLLIN) == 0);
    CHECK(watch(ep[4], EPOLL_CTL_ADD, ep[3], EPOLLIN) == 0);
    CHECK(watch(ep[5], EPOLL_CTL_ADD, ep[4], EPOLLIN) == -1 && (errno == EINVAL || errno == ELOOP));
    CHECK(write(e, &one, 8) == 8 && now(ep[4], ep[3]) == EPOLLIN);
    for (int i = 0; i < 7; i++)
        CHECK(close(ep[i]) == 0);
    CHECK(close(e) == 0);
}

static void wrong(void)
{
    struct epoll_event ev[2];
    int ep = epoll_create1(0), e = eventfd(0, 0), file = memfd_create("file", 0);
    CHECK(fails(epoll_create1(1), EINVAL));
    CHECK(fails(watch(ep, EPOLL_CTL_ADD, file, EPOLLIN), EPERM));
    CHECK(fails(watch(e, EPOLL_CTL_ADD, ep, EPOLLIN), EINVAL));
    CHECK(fails(watch(99, EPOLL_CTL_ADD, e, EPOLLIN), EBADF));
    CHECK(fails(watch(ep, EPOLL_CTL_ADD, 99, EPOLLIN), EBADF));
    CHECK(fails(watch(ep, EPOLL_CTL_MOD, e, EPOLLIN), ENOENT));
    CHECK(fails(watch(ep, EPOLL_CTL_DEL, e, EPOLLIN), ENOENT));
    CHECK(fails(watch(ep, 9, e, EPOLLIN), EINVAL));
    CHECK(fails(syscall(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, e, 1), EFAULT));
    CHECK(watch(ep, EPOLL_CTL_ADD, e, EPOLLIN | EPOLLEXCLUSIVE) == 0);
    CHECK(fails(watch(ep, EPOLL_CTL_ADD, e, EPOLLIN), EEXIST));
    CHECK(fails(watch(ep, EPOLL_CTL_MOD, e, EPOLLIN), EINVAL));
    CHECK(fails(epoll_wait(ep, ev, 0, 0), EINVAL) &&
          fails(syscall(SYS_epoll_pwait, ep, ev, -1, 0, 0, 8), EINVAL));
    CHECK(fails(epoll_wait(e, ev, 1, 0), EINVAL) && fails(epoll_wait(99, ev, 1, 0), EBADF));
    CHECK(fails(read(ep, ev, 8), EINVAL));
    CHECK(close(ep) == 0 && close(e) == 0 && close(file) == 0);
}

static int shared[2];

static void *write_later(void *arg)
{
    unsigned long long one = 1;
    (void)arg;
    usleep(30000);
    return (void *)(write(shared[0], &one, 8));
}

static void on_alarm(int sig)
{
    (void)sig;
}

static void sleeping(void)
{
    struct epoll_event ev;
    struct timespec soon = {0, 20000000};
    struct sigaction act = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    pthread_t thread;
    int ep = epoll_create1(0);
    shared[0] = eventfd(0, 0);
    CHECK(watch(ep, EPOLL_CTL_ADD, shared[0], EPOLLIN) == 0);
    CHECK(epoll_wait(ep, &ev, 1, 20) == 0);
    CHECK(syscall(441, ep, &ev, 1, &soon, NULL, 0) == 0);
    pthread_create(&thread, NULL, write_later, NULL);
    CHECK(epoll_wait(ep, &ev, 1, -1) == 1 && ev.events == EPOLLIN);
    pthread_join(thread, NULL);
    CHECK(read(shared[0], &(unsigned long long){0}, 8) == 8);
    sigaction(SIGALRM, &act, NULL);
    ualarm(20000, 0);
    CHECK(fails(epoll_wait(ep, &ev, 1, -1), EINTR));
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    ualarm(20000, 0);
    CHECK(epoll_pwait(ep, &ev, 1, 60, &all) == 0); /* it comes afterwards */
    sigprocmask(SIG_BLOCK, &all, NULL);
    ualarm(20000, 0);
    CHECK(fails(epoll_pwait(ep, &ev, 1, -1, &none), EINTR));
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    if (!fork()) /* an epoll outlives who made it, in others' hands */
        _exit(now(ep, shared[0]) != 0);
    int status;
    CHECK(wait(&status) > 0 && status == 0);
    CHECK(close(shared[0]) == 0 && close(ep) == 0);
}

int main(void)
{
    levels_and_edges();
    many();
    nested();
    wrong();
    sleeping();
    return report("epoll");
}
