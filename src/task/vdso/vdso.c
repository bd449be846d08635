/* SPDX-License-Identifier: MIT */
/*
 * vdso.c - what runs in a guest in place of a system call: telling the time.
 *
 *      [vvar]  struct clock_params, read-only, kept by kern/timer.c
 *      [vdso]  this code, a small shared object that libc finds by AT_SYSINFO_EHDR
 *
 * Not a part of the monitor: it is compiled for guests, linked alone, and put into the image as
 * bytes. What it does not know it leaves to the system call. Results agree with the calls'.
 *
 * Linux's counterpart: lib/vdso/gettimeofday.c, arch/riscv/kernel/vdso/.
 */
#include "kern/clock_params.h"

#define SYS_CLOCK_GETTIME 113
#define SYS_CLOCK_GETRES 114
#define SYS_GETCPU 168
#define SYS_FLUSH_ICACHE 259

#define NS_PER_SEC 1000000000UL
#define CLOCKS_LAST 11
#define CLOCK_BIT(n) (1u << (n))
#define WALL_CLOCKS (CLOCK_BIT(0) | CLOCK_BIT(5) | CLOCK_BIT(11)) /* REALTIME, COARSE, TAI */
#define MONOTONIC_CLOCKS (CLOCK_BIT(1) | CLOCK_BIT(4) | CLOCK_BIT(6) | CLOCK_BIT(7))

#define EXPORT __attribute__((visibility("default")))

extern const struct clock_params vvar __attribute__((visibility("hidden")));

struct timespec {
    int64_t sec, nsec;
};

EXPORT int __vdso_clock_gettime(int clock, struct timespec *ts);
EXPORT int __vdso_gettimeofday(struct timespec *tv, uint32_t *zone);
EXPORT int __vdso_clock_getres(int clock, struct timespec *res);
EXPORT long __vdso_getcpu(uint32_t *cpu, uint32_t *node, void *cache);
EXPORT long __vdso_flush_icache(void *start, void *end, uint64_t flags);

static long call(long nr, uint64_t x, uint64_t y, uint64_t z)
{
    register uint64_t a0 __asm__("a0") = x;
    register uint64_t a1 __asm__("a1") = y;
    register uint64_t a2 __asm__("a2") = z;
    register long a7 __asm__("a7") = nr;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return (long)a0;
}

static uint64_t now(bool wall)
{
    uint64_t ticks;
    __asm__ volatile("rdtime %0" : "=r"(ticks));
    uint64_t ns = (uint64_t)(((unsigned __int128)ticks * vvar.scale) >> vvar.shift);
    return wall ? ns + __atomic_load_n(&vvar.realtime_offset, __ATOMIC_RELAXED) : ns;
}

static bool known(int clock, uint32_t clocks)
{
    return clock >= 0 && clock <= CLOCKS_LAST && (CLOCK_BIT(clock) & clocks);
}

int __vdso_clock_gettime(int clock, struct timespec *ts)
{
    bool wall = known(clock, WALL_CLOCKS);
    if (!wall && !known(clock, MONOTONIC_CLOCKS))
        return (int)call(SYS_CLOCK_GETTIME, (uint64_t)clock, (uint64_t)ts, 0);
    uint64_t ns = now(wall);
    ts->sec = (int64_t)(ns / NS_PER_SEC);
    ts->nsec = (int64_t)(ns % NS_PER_SEC);
    return 0;
}

int __vdso_gettimeofday(struct timespec *tv, uint32_t *zone)
{
    if (tv) {
        uint64_t ns = now(true);
        tv->sec = (int64_t)(ns / NS_PER_SEC);
        tv->nsec = (int64_t)(ns % NS_PER_SEC / 1000); /* of a struct timeval: microseconds */
    }
    if (zone)
        zone[0] = zone[1] = 0;
    return 0;
}

int __vdso_clock_getres(int clock, struct timespec *res)
{
    if (!known(clock, WALL_CLOCKS | MONOTONIC_CLOCKS))
        return (int)call(SYS_CLOCK_GETRES, (uint64_t)clock, (uint64_t)res, 0);
    if (res) {
        res->sec = 0;
        res->nsec = 1;
    }
    return 0;
}

long __vdso_getcpu(uint32_t *cpu, uint32_t *node, void *cache)
{
    return call(SYS_GETCPU, (uint64_t)cpu, (uint64_t)node, (uint64_t)cache);
}

long __vdso_flush_icache(void *start, void *end, uint64_t flags)
{
    return call(SYS_FLUSH_ICACHE, (uint64_t)start, (uint64_t)end, flags);
}
