/* SPDX-License-Identifier: MIT */
/*
 * favour.c - how much a process is to be favoured, and what a clock's keeper says: priorities,
 * classes of scheduling, adjtimex.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SYS_SETATTR 274
#define SYS_GETATTR 275
#define IOPRIO(class, level) ((class) << 13 | (level))

struct attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t util_min, util_max;
    uint64_t unknown;
};

static void nice_values(void)
{
    errno = 0;
    CHECK(getpriority(PRIO_PROCESS, 0) == 0 && errno == 0);
    CHECK(setpriority(PRIO_PROCESS, getpid(), 5) == 0 && getpriority(PRIO_PROCESS, 0) == 5);
    CHECK(setpriority(PRIO_PROCESS, 0, 99) == 0 && getpriority(PRIO_PROCESS, 0) == 19);
    CHECK(fails(getpriority(7, 0), EINVAL) && fails(setpriority(-1, 0, 0), EINVAL));
    CHECK(fails(getpriority(PRIO_PROCESS, 999999), ESRCH));
    CHECK(fails(setpriority(PRIO_PGRP, 999999, 1), ESRCH));
    pid_t pid = fork();
    int status;
    if (!pid) {
        setpgid(0, 0);
        int mine = setpriority(PRIO_PGRP, 0, 12) == 0 && getpriority(PRIO_PGRP, getpid()) == 12;
        _exit(mine && fork() >= 0 && getpriority(PRIO_PROCESS, 0) == 12 ? 0 : 1);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0 && getpriority(PRIO_PROCESS, 0) == 19);
    if (geteuid() == 0)
        CHECK(setpriority(PRIO_PROCESS, 0, -3) == 0 && getpriority(PRIO_PROCESS, 0) == -3);
}

static void ioprio(void)
{
    CHECK(syscall(SYS_ioprio_get, 1, 0) >= 0);
    CHECK(syscall(SYS_ioprio_set, 1, 0, IOPRIO(2, 6)) == 0);
    CHECK(syscall(SYS_ioprio_get, 1, getpid()) == IOPRIO(2, 6));
    CHECK(fails(syscall(SYS_ioprio_set, 1, 0, IOPRIO(0, 3)), EINVAL));
    CHECK(fails(syscall(SYS_ioprio_set, 1, 0, IOPRIO(4, 0)), EINVAL));
    CHECK(fails(syscall(SYS_ioprio_set, 9, 0, IOPRIO(2, 0)), EINVAL));
    CHECK(fails(syscall(SYS_ioprio_get, 1, 999999), ESRCH));
    CHECK(fails(syscall(SYS_ioprio_get, 0, 0), EINVAL));
}

static void classes(void)
{
    struct attr attr = {.size = 56, .policy = SCHED_BATCH, .nice = 3};
    struct attr got = {.size = 0};
    if (syscall(SYS_GETATTR, 0, &got, sizeof(got), 0) < 0)
        return; /* an emulator that does not know it */
    CHECK(got.size == 56 && got.policy == SCHED_OTHER && got.priority == 0);
    CHECK(syscall(SYS_SETATTR, 0, &attr, 0) == 0);
    CHECK(syscall(SYS_GETATTR, 0, &got, 48, 0) == 0 && got.size == 48);
    CHECK(got.policy == SCHED_BATCH && got.nice == 3 && sched_getscheduler(0) == SCHED_BATCH);
    attr = (struct attr){.size = 64, .policy = SCHED_OTHER};
    CHECK(syscall(SYS_SETATTR, 0, &attr, 0) == 0);
    attr.unknown = 1;
    CHECK(fails(syscall(SYS_SETATTR, 0, &attr, 0), E2BIG) && attr.size == 56);
    attr = (struct attr){.size = 56, .policy = SCHED_FIFO};
    CHECK(fails(syscall(SYS_SETATTR, 0, &attr, 0), EINVAL));
    attr = (struct attr){.size = 56, .policy = 77};
    CHECK(fails(syscall(SYS_SETATTR, 0, &attr, 0), EINVAL));
    CHECK(fails(syscall(SYS_SETATTR, 0, &attr, 1), EINVAL));
    CHECK(fails(syscall(SYS_GETATTR, 0, &attr, 20, 0), EINVAL));
}

static void clock_keeper(void)
{
    struct timex t = {.modes = 0}, now;
    struct timeval half = {0, 1};
    CHECK(adjtimex(&t) >= 0 && t.tick >= 9000 && t.tick <= 11000 && t.time.tv_sec >= 0);
    CHECK(adjtime(NULL, &half) == 0);
    if (geteuid() != 0)
        return;
    now = (struct timex){.modes = ADJ_ESTERROR | ADJ_MAXERROR, .esterror = 7, .maxerror = 99};
    CHECK(adjtimex(&now) >= 0 && now.esterror == 7 && now.maxerror == 99);
    now = (struct timex){.modes = ADJ_TICK, .tick = 1};
    CHECK(fails(adjtimex(&now), EINVAL));
    now = (struct timex){.modes = ADJ_FREQUENCY, .freq = 1L << 30};
    CHECK(adjtimex(&now) >= 0 && now.freq > 499L << 16 && now.freq <= 500L << 16);
    now = (struct timex){.modes = ADJ_FREQUENCY};
    CHECK(adjtimex(&now) >= 0 && now.freq == 0);
    CHECK(fails(syscall(SYS_clock_adjtime, CLOCK_MONOTONIC, &now), EOPNOTSUPP));
    CHECK(fails(syscall(SYS_clock_adjtime, 1000, &now), EINVAL));
}

int main(void)
{
    nice_values();
    ioprio();
    classes();
    clock_keeper();
    return report("favour");
}
