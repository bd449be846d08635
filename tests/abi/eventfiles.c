/* SPDX-License-Identifier: MIT */
/*
 * eventfiles.c - what happens, as bytes that can be read: timers and signals.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000L

static unsigned long long ticks_of(int fd)
{
    unsigned long long n = 0;
    return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static int readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1 && p.revents == POLLIN;
}

static void set_for(int fd, int flags, long value, long interval)
{
    struct itimerspec to = {{interval / 1000000000, interval % 1000000000},
                            {value / 1000000000, value % 1000000000}};
    CHECK(timerfd_settime(fd, flags, &to, NULL) == 0);
}

static void timers(clockid_t clock)
{
    struct itimerspec now;
    struct timespec ts;
    int fd = timerfd_create(clock, TFD_NONBLOCK | TFD_CLOEXEC);
    CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && !readable(fd));
    CHECK(fails(read(fd, &now, 8), EAGAIN) && fails(read(fd, &now, 7), EINVAL));
    CHECK(timerfd_gettime(fd, &now) == 0 && !now.it_value.tv_sec && !now.it_value.tv_nsec);
    set_for(fd, 0, 3600 * 1000 * MS, 5 * MS);
    CHECK(timerfd_gettime(fd, &now) == 0 && now.it_value.tv_sec >= 3500);
    CHECK(now.it_interval.tv_nsec == 5 * MS && !readable(fd));
    set_for(fd, 0, 20 * MS, 0);
    fcntl(fd, F_SETFL, 0);
    CHECK(ticks_of(fd) == 1);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    CHECK(fails(read(fd, &now, 8), EAGAIN));
    set_for(fd, 0, 1, 10 * MS);
    usleep(105000);
    CHECK(readable(fd) && ticks_of(fd) >= 10);
    set_for(fd, 0, 0, 0);
    usleep(20000);
    CHECK(!readable(fd));
    clock_gettime(clock, &ts);
    now = (struct itimerspec){{0, 0}, {ts.tv_sec, ts.tv_nsec}};
    CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &now, NULL) == 0); /* it is past */
    usleep(20000);
    CHECK(ticks_of(fd) == 1 && close(fd) == 0);
}

static void dates(void)
{
    struct timespec ts;
    int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
    clock_gettime(CLOCK_REALTIME, &ts);
    struct itimerspec to = {{0, 0}, {ts.tv_sec + 1000, 0}};
    CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &to, NULL) == 0);
    CHECK(!readable(fd) && clock_settime(CLOCK_REALTIME, &ts) == 0);
    CHECK(readable(fd) && fails(read(fd, &ts, 8), ECANCELED));
    CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &to, NULL) == 0);
    clock_gettime(CLOCK_REALTIME, &ts);
    ts.tv_sec += 2000;
    CHECK(clock_settime(CLOCK_REALTIME, &ts) == 0);
    usleep(20000);
    CHECK(ticks_of(fd) == 1);
    ts.tv_sec -= 2000;
    CHECK(clock_settime(CLOCK_REALTIME, &ts) == 0 && close(fd) == 0);
}

static void wrong_timers(void)
{
    struct itimerspec to = {{0, 0}, {0, 1000000000}};
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    CHECK(fails(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL));
    CHECK(fails(timerfd_create(99, 0), EINVAL) && fails(timerfd_create(1, 1), EINVAL));
    CHECK(fails(timerfd_settime(fd, 0, &to, NULL), EINVAL));
    to.it_value.tv_nsec = 0;
    CHECK(fails(timerfd_settime(fd, 64, &to, NULL), EINVAL));
    CHECK(fails(timerfd_settime(99, 0, &to, NULL), EBADF));
    CHECK(fails(timerfd_settime(0, 0, &to, NULL), EINVAL));
    CHECK(fails(syscall(SYS_timerfd_settime, fd, 0, NULL, NULL), EFAULT));
    CHECK(fails(syscall(SYS_timerfd_gettime, fd, NULL), EFAULT) && close(fd) == 0);
}

/* --- signals ---------------------------------------------------------------------------------- */

static sigset_t set_of(int a, int b)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, a);
    sigaddset(&set, b);
    return set;
}

static void signals(void)
{
    struct signalfd_siginfo info[4];
    sigset_t set = set_of(SIGUSR1, SIGCHLD), other = set_of(SIGUSR2, SIGUSR2);
    int status, fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    sigprocmask(SIG_BLOCK, &other, NULL);
    CHECK(!readable(fd) && fails(read(fd, info, sizeof(info)), EAGAIN));
    CHECK(fails(read(fd, info, 127), EINVAL) && fails(write(fd, info, 128), EINVAL));
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR2);
    CHECK(readable(fd) && read(fd, info, sizeof(info)) == 128);
    CHECK(info[0].ssi_signo == SIGUSR1 && info[0].ssi_pid == (unsigned)getpid());
    CHECK(info[0].ssi_code == SI_USER && info[0].ssi_uid == getuid() && !readable(fd));
    pid_t pid = fork();
    if (!pid)
        _exit(7);
    fcntl(fd, F_SETFL, 0);
    CHECK(read(fd, info, sizeof(info)) == 128 && info[0].ssi_signo == SIGCHLD);
    CHECK(info[0].ssi_pid == (unsigned)pid && info[0].ssi_status == 7);
    CHECK(info[0].ssi_code == CLD_EXITED && wait(&status) == pid);
    CHECK(signalfd(fd, &other, 0) == fd && read(fd, info, 128) == 128);
    CHECK(info[0].ssi_signo == SIGUSR2);
    CHECK(fails(signalfd(99, &set, 0), EBADF) && fails(signalfd(0, &set, 0), EINVAL));
    CHECK(fails(syscall(SYS_signalfd4, -1, &set, 4, 0), EINVAL));
    CHECK(fails(syscall(SYS_signalfd4, -1, &set, 8, 1), EINVAL));
    CHECK(fails(syscall(SYS_signalfd4, -1, NULL, 8, 0), EFAULT) || errno == EINVAL);
    CHECK(close(fd) == 0);
}

/* All kinds in one wait. */
static void together(void)
{
    struct epoll_event ev = {.events = EPOLLIN}, got[4];
    sigset_t set = set_of(SIGUSR1, SIGUSR1);
    int ep = epoll_create1(0), tfd = timerfd_create(CLOCK_MONOTONIC, 0);
    int sfd = signalfd(-1, &set, 0);
    ev.data.fd = tfd;
    CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, tfd, &ev) == 0);
    ev.data.fd = sfd;
    CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, sfd, &ev) == 0);
    CHECK(epoll_wait(ep, got, 4, 0) == 0);
    set_for(tfd, 0, 20 * MS, 0);
    CHECK(epoll_wait(ep, got, 4, -1) == 1 && got[0].data.fd == tfd && ticks_of(tfd) == 1);
    kill(getpid(), SIGUSR1);
    CHECK(epoll_wait(ep, got, 4, -1) == 1 && got[0].data.fd == sfd);
    struct signalfd_siginfo info;
    CHECK(read(sfd, &info, sizeof(info)) == 128 && epoll_wait(ep, got, 4, 0) == 0);
    CHECK(close(tfd) == 0 && close(sfd) == 0 && close(ep) == 0);
}

int main(void)
{
    timers(CLOCK_MONOTONIC);
    timers(CLOCK_REALTIME);
    timers(CLOCK_BOOTTIME);
    dates();
    wrong_timers();
    signals();
    together();
    return report("eventfiles");
}
