/* SPDX-License-Identifier: MIT */
/*
 * rows.h - what the rows of bench share: a clock, and who offers which row.
 *
 * A row gives the nanoseconds that one step of it takes, or a negative number when it is not
 * possible here, with errno saying why.
 */
#ifndef ROWS_H
#define ROWS_H

#include <stdint.h>
#include <sys/syscall.h>

struct row {
    const char *name;
    double (*run)(void);
};

/** The rows of each file, ended by one without a name. */
extern const struct row rows_of_memory[];
extern const struct row rows_of_ranges[];
extern const struct row rows_of_tasks[];
extern const struct row rows_of_threads[];

#define NS_PER_TICK 100UL /* QEMU's virt: timebase-frequency 10 MHz */
#define MIB (1UL << 20)

static inline uint64_t ticks(void)
{
    uint64_t t;
    __asm__ volatile("rdtime %0" : "=r"(t));
    return t;
}

/** Nanoseconds from @start to now for each of @steps. */
static inline double since(uint64_t start, double steps)
{
    return (double)((ticks() - start) * NS_PER_TICK) / steps;
}

/** A call without arguments, and without the C library's share of it. */
static inline long bare_call(long number)
{
    register long a0 __asm__("a0");
    register long a7 __asm__("a7") = number;
    __asm__ volatile("ecall" : "=r"(a0) : "r"(a7) : "memory");
    return a0;
}

/** Write to each page of the @size bytes from @start on. */
static inline void touch_pages(volatile char *start, unsigned long size)
{
    for (unsigned long at = 0; at < size; at += 4096)
        start[at] = 1;
}

#endif
