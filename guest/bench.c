/* SPDX-License-Identifier: MIT */
/*
 * bench - what the machine's mechanisms cost, as a program sees it.
 *
 * Under `-icount shift=0` QEMU's clock advances one nanosecond an instruction, so a difference of
 * rdtime is a count of instructions: 100 a tick at 10 MHz. Each row repeats its step often enough
 * that the ticks' coarseness does not matter. The same binary runs on any Linux riscv64.
 */
#include "lib/guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct guest_help help = {
    "bench [NAME]",
    "Prints nanoseconds a step, which under -icount shift=0 are instructions.\n"
    "Rows: null-syscall, first-touch, read-zero, map-touch-unmap, yield, fork-exit-wait.\n",
};

#define NS_PER_TICK 100UL /* QEMU's virt: timebase-frequency 10 MHz */

static uint64_t ticks(void)
{
    uint64_t t;
    __asm__ volatile("rdtime %0" : "=r"(t));
    return t;
}

static long null_syscall(void)
{
    register long a0 __asm__("a0");
    register long a7 __asm__("a7") = SYS_getpid;
    __asm__ volatile("ecall" : "=r"(a0) : "r"(a7) : "memory");
    return a0;
}

static double bench_null_syscall(void)
{
    enum { N = 20000 };
    uint64_t start = ticks();
    for (int i = 0; i < N; i++)
        null_syscall();
    return (double)((ticks() - start) * NS_PER_TICK) / N;
}

static double touch(bool write, bool unmap)
{
    enum { PAGES = 4096 };
    volatile char sum = 0;
    uint64_t start = ticks();
    volatile char *p = guest_map("bench", PAGES * GUEST_PAGE);
    if (!unmap)
        start = ticks();
    for (size_t i = 0; i < PAGES; i++) {
        if (write)
            p[i * GUEST_PAGE] = 1;
        else
            sum = (char)(sum + p[i * GUEST_PAGE]);
    }
    uint64_t end = ticks();
    munmap((void *)(uintptr_t)p, PAGES * GUEST_PAGE);
    if (unmap)
        end = ticks();
    return (double)((end - start) * NS_PER_TICK) / PAGES;
}

static double bench_first_touch(void)
{
    return touch(true, false);
}

static double bench_read_zero(void)
{
    return touch(false, false);
}

static double bench_map_touch_unmap(void)
{
    return touch(true, true);
}

/* Two programs on one hart hand it to each other: two switches a round. */
static double bench_yield(void)
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
    uint64_t end = ticks();
    waitpid(child, NULL, 0);
    return (double)((end - start) * NS_PER_TICK) / (2.0 * N);
}

static double bench_fork(void)
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
    return (double)((ticks() - start) * NS_PER_TICK) / N;
}

static const struct row {
    const char *name;
    double (*run)(void);
} rows[] = {
    {"null-syscall", bench_null_syscall},
    {"first-touch", bench_first_touch},
    {"read-zero", bench_read_zero},
    {"map-touch-unmap", bench_map_touch_unmap},
    {"yield", bench_yield},
    {"fork-exit-wait", bench_fork},
};

int main(int argc, char **argv)
{
    guest_help_wanted(argc, argv, &help);
    const char *name = guest_operand(argc, argv);
    guest_no_more(&help, argc, argv);
    bool found = false;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (name && strcmp(name, rows[i].name))
            continue;
        found = true;
        double ns = rows[i].run();
        if (ns < 0)
            printf("%-16s not possible here: %s\n", rows[i].name, strerror(errno));
        else
            printf("%-16s %10.1f\n", rows[i].name, ns);
    }
    if (!found)
        guest_usage(&help, "bench: no such row");
    return 0;
}
