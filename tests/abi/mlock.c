/* SPDX-License-Identifier: MIT */
/*
 * mlock.c - memory that stays, and advice that takes it away again.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define MADV_DONTNEED_LOCKED_ 24

static char *map(size_t pages, int flags)
{
    return mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1,
                0);
}

static int resident(char *p, size_t pages)
{
    unsigned char vec[64];
    int n = 0;
    if (mincore(p, pages * PAGE, vec))
        return -1;
    for (size_t i = 0; i < pages; i++)
        n += vec[i] & 1;
    return n;
}

static long status_kb(const char *name)
{
    return file_kib("/proc/self/status", name);
}

static void ranges(void)
{
    char *p = map(8, 0);
    CHECK(resident(p, 8) == 0);
    CHECK(mlock(p + 2 * PAGE, 2 * PAGE) == 0 && resident(p, 8) == 2);
    CHECK(status_kb("VmLck") == 8);
    CHECK(mlock(p + 2 * PAGE, 2 * PAGE) == 0 && status_kb("VmLck") == 8);
    CHECK(fails(madvise(p + 2 * PAGE, PAGE, MADV_DONTNEED), EINVAL));
    CHECK(munlock(p + 3 * PAGE, 5 * PAGE) == 0 && status_kb("VmLck") == 4);
    CHECK(munlock(p, 8 * PAGE) == 0 && status_kb("VmLck") == 0);
    CHECK(madvise(p, 8 * PAGE, MADV_DONTNEED) == 0 && resident(p, 8) == 0);
    CHECK(mlock2(p, 8 * PAGE, MLOCK_ONFAULT) == 0 && resident(p, 8) == 0);
    p[0] = 1;
    CHECK(resident(p, 8) == 1 && status_kb("VmLck") == 32);
    CHECK(munmap(p + 4 * PAGE, PAGE) == 0 && status_kb("VmLck") == 28);
    CHECK(fails(mlock(p, 8 * PAGE), ENOMEM) && fails(munlock(p, 8 * PAGE), ENOMEM));
    CHECK(munmap(p, 8 * PAGE) == 0 && status_kb("VmLck") == 0);
    CHECK(fails(mlock2(p, PAGE, 99), EINVAL) && mlock(p, 0) == 0);
    p = map(4, MAP_LOCKED);
    CHECK(resident(p, 4) == 4 && status_kb("VmLck") == 16);
    if (!fork())
        _exit(status_kb("VmLck") != 0);
    int status;
    CHECK(wait(&status) > 0 && status == 0);
    CHECK(munmap(p, 4 * PAGE) == 0);
}

static void everything(void)
{
    CHECK(fails(mlockall(0), EINVAL) && fails(mlockall(MCL_ONFAULT), EINVAL));
    CHECK(mlockall(MCL_FUTURE) == 0);
    char *p = map(4, 0);
    CHECK(resident(p, 4) == 4);
    CHECK(munmap(p, 4 * PAGE) == 0 && munlockall() == 0);
    p = map(4, 0);
    CHECK(resident(p, 4) == 0);
    CHECK(mlockall(MCL_CURRENT) == 0 && resident(p, 4) == 4);
    CHECK(status_kb("VmLck") > 16 && munlockall() == 0 && status_kb("VmLck") == 0);
    CHECK(munmap(p, 4 * PAGE) == 0);
}

static void limits(void)
{
    struct rlimit small = {4 * PAGE, 4 * PAGE}, none = {0, 0};
    int status;
    if (!fork()) {
        checks = failures = 0;
        char *p = map(8, 0);
        CHECK(setrlimit(RLIMIT_MEMLOCK, &small) == 0 && setuid(1000) == 0);
        CHECK(fails(mlock(p, 5 * PAGE), ENOMEM) && mlock(p, 3 * PAGE) == 0);
        CHECK(fails(mlock(p + 4 * PAGE, 2 * PAGE), ENOMEM) && mlock(p + PAGE, 3 * PAGE) == 0);
        CHECK(map(2, MAP_LOCKED) == MAP_FAILED && errno == EAGAIN);
        CHECK(fails(mlockall(MCL_CURRENT), ENOMEM) && munlock(p, 8 * PAGE) == 0);
        CHECK(setrlimit(RLIMIT_MEMLOCK, &none) == 0 && fails(mlock(p, PAGE), EPERM));
        _exit(failures != 0);
    }
    CHECK(wait(&status) > 0 && status == 0);
}

static void advice(void)
{
    char *p = map(8, 0);
    memset(p, 1, 8 * PAGE);
    CHECK(madvise(p, 4 * PAGE, MADV_DONTNEED) == 0 && p[0] == 0 && p[4 * PAGE] == 1);
    CHECK(fails(madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL) && madvise(p, 0, MADV_NORMAL) == 0);
    CHECK(fails(madvise(p, PAGE, 9999), EINVAL));
    CHECK(fails(madvise(p, PAGE, MADV_REMOVE), EINVAL));
    CHECK(madvise(p, 8 * PAGE, MADV_POPULATE_WRITE) == 0 && resident(p, 8) == 8);
    CHECK(mlock(p, PAGE) == 0 && fails(madvise(p, PAGE, MADV_FREE), EINVAL));
    p[0] = 5;
    CHECK(madvise(p, PAGE, MADV_DONTNEED_LOCKED_) == 0 && p[0] == 0 && munlock(p, PAGE) == 0);
    CHECK(munmap(p + 2 * PAGE, PAGE) == 0);
    CHECK(fails(madvise(p, 4 * PAGE, MADV_DONTNEED), ENOMEM) && p[3 * PAGE] == 0);
    CHECK(munmap(p, 8 * PAGE) == 0);
    p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(p, 7, 4 * PAGE);
    CHECK(madvise(p, 4 * PAGE, MADV_DONTNEED) == 0 && p[0] == 7);
    CHECK(madvise(p + PAGE, PAGE, MADV_REMOVE) == 0 && p[0] == 7 && p[PAGE] == 0);
    CHECK(munmap(p, 4 * PAGE) == 0);
}

int main(void)
{
    ranges();
    everything();
    limits();
    advice();
    return report("mlock");
}
