/* SPDX-License-Identifier: MIT */
/*
 * tasks.c - bench's rows of calls, switches, and the life of a process.
 */
#include "../lib/guest.h"
#include "rows.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOUCHED (16 * MIB)

static double null_syscall(void)
{
    enum { N = 20000 };
    uint64_t start = ticks();
    for (int i = 0; i < N; i++)
        bare_call(SYS_getpid);
    return since(start, N);
}

/* Two programs on one hart hand it to each other: two switches a round. */
static double yield(void)
{
    enum { N = 4000 };
    unsigned long one = 1;
    syscall(SYS_sched_setaffinity, 0, sizeof(one), &one);
    pid_t child = fork();
    if (child < 0)
        return -1;
    if (child == 0) {
        for (int i = 0; i < N + N / 4; i++)
            syscall(SYS_sched_yield);
        _exit(0);
    }
    for (int i = 0; i < N / 8; i++) /* until both are in step */
        syscall(SYS_sched_yield);
    uint64_t start = ticks();
    for (int i = 0; i < N; i++)
        syscall(SYS_sched_yield);
    double ns = since(start, 2 * N);
    waitpid(child, NULL, 0);
    return ns;
}

static double fork_exit_wait(void)
{
    enum { N = 100 };
    uint64_t start = ticks();
    for (int i = 0; i < N; i++) {
        pid_t child = fork();
        if (child < 0)
            return -1;
        if (child == 0)
            _exit(0);
        waitpid(child, NULL, 0);
    }
    return since(start, N);
}

/* The child of a process with much memory touches none of it. */
static double fork_exit_wait_large(void)
{
    char *area = guest_map("bench", TOUCHED);
    touch_pages(area, TOUCHED);
    double ns = fork_exit_wait();
    munmap(area, TOUCHED);
    return ns;
}

const struct row rows_of_tasks[] = {
    {"null-syscall", null_syscall},
    {"yield", yield},
    {"fork-exit-wait", fork_exit_wait},
    {"fork-exit-wait-16m", fork_exit_wait_large},
    {NULL, NULL},
};
