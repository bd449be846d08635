/* SPDX-License-Identifier: MIT */
/*
 * vdso.c - the object that each program finds mapped: it is an ELF file with the functions that
 * Linux has in it, they agree with the system calls, and the way up the stack leads through it.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <elf.h>
#include <execinfo.h>
#include <link.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/ucontext.h>
#include <time.h>
#include <unistd.h>

static const char *base;

/* The dynamic section's entry of that kind, as an address. */
static const void *dynamic(int64_t tag)
{
    const ElfW(Ehdr) *eh = (const void *)base;
    const ElfW(Phdr) *ph = (const void *)(base + eh->e_phoff);
    for (int i = 0; i < eh->e_phnum; i++) {
        if (ph[i].p_type != PT_DYNAMIC)
            continue;
        const ElfW(Dyn) *d = (const void *)(base + ph[i].p_vaddr);
        for (; d->d_tag != DT_NULL; d++) {
            if (d->d_tag == tag)
                return base + d->d_un.d_ptr;
        }
    }
    return NULL;
}

static const void *find(const char *name)
{
    const uint32_t *hash = dynamic(DT_HASH);
    const ElfW(Sym) *sym = dynamic(DT_SYMTAB);
    const char *names = dynamic(DT_STRTAB);
    for (uint32_t i = 1; hash && i < hash[1]; i++) {
        if (!strcmp(names + sym[i].st_name, name) && sym[i].st_shndx)
            return base + sym[i].st_value;
    }
    return NULL;
}

static int64_t ns(const struct timespec *t)
{
    return t->tv_sec * 1000000000L + t->tv_nsec;
}

static void clocks(void)
{
    int (*gettime)(int, struct timespec *) = find("__vdso_clock_gettime");
    int (*getres)(int, struct timespec *) = find("__vdso_clock_getres");
    int (*gettimeofday_)(struct timeval *, void *) = find("__vdso_gettimeofday");
    static const int ids[] = {CLOCK_REALTIME,          CLOCK_MONOTONIC,        CLOCK_MONOTONIC_RAW,
                              CLOCK_REALTIME_COARSE,   CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME,
                              CLOCK_PROCESS_CPUTIME_ID};
    struct timespec before, t, after;
    struct timeval tv;
    CHECK(gettime && getres && gettimeofday_);
    if (!gettime || !getres || !gettimeofday_)
        return;
    for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        CHECK(syscall(SYS_clock_gettime, ids[i], &before) == 0);
        CHECK(gettime(ids[i], &t) == 0);
        CHECK(syscall(SYS_clock_gettime, ids[i], &after) == 0);
        CHECK(ns(&before) <= ns(&t) && ns(&t) <= ns(&after));
        CHECK(getres(ids[i], &t) == 0 && t.tv_sec == 0 && t.tv_nsec > 0);
    }
    CHECK(gettime(99, &t) != 0);
    CHECK(syscall(SYS_gettimeofday, &before, NULL) == 0 && gettimeofday_(&tv, NULL) == 0);
    CHECK(tv.tv_sec - before.tv_sec <= 1 && tv.tv_usec >= 0 && tv.tv_usec < 1000000);
}

/* When the date is set, the vdso knows. */
static void date(void)
{
    struct timespec was, now, to;
    clock_gettime(CLOCK_REALTIME, &was);
    to = was;
    to.tv_sec += 1000;
    if (clock_settime(CLOCK_REALTIME, &to))
        return; /* an emulator's user may not */
    clock_gettime(CLOCK_REALTIME, &now);
    CHECK(now.tv_sec >= to.tv_sec && now.tv_sec < to.tv_sec + 100);
    now.tv_sec -= 1000;
    CHECK(clock_settime(CLOCK_REALTIME, &now) == 0);
}

static void others(void)
{
    long (*getcpu_)(unsigned *, unsigned *, void *) = find("__vdso_getcpu");
    long (*flush)(void *, void *, unsigned long) = find("__vdso_flush_icache");
    unsigned cpu = 9999, node = 9999;
    CHECK(getcpu_ && getcpu_(&cpu, &node, NULL) == 0 && cpu < 64 && node < 16);
    CHECK(flush && flush((void *)base, (void *)(base + 64), 0) == 0);
    CHECK(find("__vdso_rt_sigreturn") != NULL);
}

static volatile int depth, through_main;

extern int main(void);

/* Who was interrupted is found by way of the frame that lies between. */
static void handler(int sig, siginfo_t *info, void *ctx)
{
    ucontext_t *uc = ctx;
    void *frames[32];
    (void)sig;
    (void)info;
    depth = backtrace(frames, 32);
    for (int i = 0; i < depth; i++)
        through_main |= (char *)frames[i] > (char *)main && (char *)frames[i] < (char *)main + 400;
    uc->uc_mcontext.__gregs[0] += 4;
}

static void __attribute__((noinline)) unwinding(void)
{
    struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &act, NULL);
    __asm__ volatile(".option push\n.option norvc\nebreak\n.option pop");
}

int main(void)
{
    base = (const char *)getauxval(AT_SYSINFO_EHDR);
    CHECK(base && !memcmp(base, ELFMAG, SELFMAG));
    if (base) {
        clocks();
        others();
        date();
    }
    unwinding();
    CHECK(depth >= 4 && through_main);
    return report("vdso");
}
