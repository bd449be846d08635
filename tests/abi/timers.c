/* SPDX-License-Identifier: MIT */
/*
 * timers.c - setitimer, timer_create, and sleeping; ids and capabilities.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int alarms, last_signal;
static volatile void *last_value;

static void on_alarm(int sig, siginfo_t *info, void *ctx)
{
    (void)ctx;
    alarms++;
    last_signal = sig;
    last_value = info->si_value.sival_ptr;
}

static void handle(int sig)
{
    struct sigaction act = {.sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(sig, &act, NULL) == 0);
    alarms = 0;
}

static void interval_timers(void)
{
    struct itimerval it = {{0, 10000}, {0, 5000}}, old;
    handle(SIGALRM);
    CHECK(alarm(1) == 0 && alarm(0) == 1);
    CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
    while (alarms < 3)
        pause();
    CHECK(last_signal == SIGALRM);
    CHECK(getitimer(ITIMER_REAL, &old) == 0);
    CHECK(old.it_interval.tv_usec == 10000 && old.it_value.tv_usec > 0 && !old.it_value.tv_sec);
    memset(&it, 0, sizeof(it));
    CHECK(setitimer(ITIMER_REAL, &it, &old) == 0 && old.it_interval.tv_usec == 10000);
    CHECK(getitimer(ITIMER_REAL, &old) == 0 && !old.it_value.tv_usec && !old.it_value.tv_sec);
    CHECK(fails(setitimer(9, &it, NULL), EINVAL));
    it.it_value.tv_usec = 1000000;
    CHECK(fails(setitimer(ITIMER_REAL, &it, NULL), EINVAL));
    handle(SIGPROF);
    it.it_value.tv_usec = 20000;
    CHECK(setitimer(ITIMER_PROF, &it, NULL) == 0);
    while (!alarms)
        ;
    CHECK(last_signal == SIGPROF && alarms == 1);
    int status;
    handle(SIGALRM);
    alarm(100);
    if (!fork())
        _exit(alarm(0) != 0); /* not inherited */
    CHECK(wait(&status) > 0 && status == 0 && alarm(0) > 90);
}

static void posix_timers(void)
{
    timer_t id;
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec its = {{0, 5000000}, {0, 5000000}}, old;
    handle(SIGUSR1);
    ev.sigev_value.sival_ptr = &ev;
    CHECK(timer_create(CLOCK_MONOTONIC, &ev, &id) == 0);
    CHECK(timer_gettime(id, &old) == 0 && !old.it_value.tv_nsec);
    CHECK(timer_settime(id, 0, &its, NULL) == 0);
    while (alarms < 3)
        pause();
    CHECK(last_value == &ev && timer_getoverrun(id) >= 0);
    CHECK(timer_gettime(id, &old) == 0 && old.it_interval.tv_nsec == 5000000);
    CHECK(timer_delete(id) == 0 && fails(syscall(SYS_timer_delete, 31), EINVAL));
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    ts.tv_nsec += 20000000;
    ts.tv_sec += ts.tv_nsec / 1000000000;
    ts.tv_nsec %= 1000000000;
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == 0);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    CHECK(now.tv_sec > ts.tv_sec || (now.tv_sec == ts.tv_sec && now.tv_nsec >= ts.tv_nsec));
    CHECK(fails(syscall(SYS_timer_create, 999, NULL, &id), EINVAL));
    ts = (struct timespec){0, 2000000000};
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL) == EINVAL);
}

/* In a child, which the parent then asks how it went. */
static void without_rights(void)
{
    uid_t r, e, s;
    gid_t groups[4] = {5, 6};
    int status;
    if (getuid() != 0) /* an emulator without root: nothing to give up */
        return;
    int file = open("/tmp/abi-ids", O_CREAT | O_RDWR, 0600);
    CHECK(file >= 0);
    close(file);
    file = open("/tmp/abi-group", O_CREAT | O_RDWR, 0640);
    CHECK(file >= 0 && !fchown(file, 0, 6));
    close(file);
    if (!fork()) {
        checks = failures = 0;
        CHECK(setgroups(2, groups) == 0 && getgroups(4, groups) == 2 && groups[1] == 6);
        CHECK(setresgid(200, 200, 200) == 0 && getegid() == 200);
        CHECK(setreuid(100, 101) == 0 && getuid() == 100 && geteuid() == 101);
        CHECK(getresuid(&r, &e, &s) == 0 && r == 100 && e == 101 && s == 101);
        CHECK(seteuid(100) == 0 && seteuid(101) == 0);
        CHECK(fails(setuid(0), EPERM) && fails(setgroups(0, NULL), EPERM));
        CHECK(fails(setresuid(0, 0, 0), EPERM) && setresuid(101, 101, 101) == 0);
        CHECK(fails(open("/tmp/abi-ids", O_RDONLY), EACCES));
        CHECK(close(open("/tmp/abi-group", O_RDONLY)) == 0); /* by one of the other groups */
        CHECK(fails(open("/tmp/abi-group", O_RDWR), EACCES));
        CHECK(fails(unlink("/tmp/abi-ids"), EPERM));
        CHECK(fails(chmod("/tmp/abi-ids", 0666), EPERM));
        CHECK(fails(kill(getppid(), SIGTERM), EPERM) && kill(getpid(), 0) == 0);
        _exit(failures != 0);
    }
    CHECK(wait(&status) > 0 && status == 0);
    CHECK(unlink("/tmp/abi-ids") == 0);
}

/* Many that are up all the time and that nobody reads: what else there is to do is done. */
static void many_unread(void)
{
    struct itimerspec often = {{0, 1}, {0, 1}};
    uint64_t times;
    int fds[500], n = 0;
    while (n < 500 && (fds[n] = timerfd_create(CLOCK_MONOTONIC, 0)) >= 0)
        n++;
    for (int i = 0; i < n; i++)
        CHECK(timerfd_settime(fds[i], 0, &often, NULL) == 0);
    usleep(50000);
    for (int i = 0; i < n; i++) {
        CHECK(read(fds[i], &times, sizeof(times)) == sizeof(times) && times >= 1000);
        close(fds[i]);
    }
    CHECK(n == 500);
}

/* The same of alarms whose signal is blocked: it is pending once, and says how often it was due. */
static void many_blocked(void)
{
    struct itimerspec often = {{0, 1}, {0, 1}}, never = {{0, 0}, {0, 0}};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct timespec none = {0, 0};
    timer_t timers[30];
    sigset_t set;
    siginfo_t info = {.si_signo = 0};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 30; i++)
        CHECK(timer_create(CLOCK_MONOTONIC, &event, &timers[i]) == 0 &&
              timer_settime(timers[i], 0, &often, NULL) == 0);
    usleep(50000);
    CHECK(sigtimedwait(&set, &info, &none) == SIGUSR1 && info.si_code == SI_TIMER);
    CHECK(info.si_overrun >= 1000);
    for (int i = 0; i < 30; i++)
        CHECK(timer_settime(timers[i], 0, &never, NULL) == 0 && timer_delete(timers[i]) == 0);
    while (sigtimedwait(&set, &info, &none) == SIGUSR1)
        ;
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int main(void)
{
    interval_timers();
    posix_timers();
    without_rights();
    many_unread();
    many_blocked();
    return report("timers");
}
