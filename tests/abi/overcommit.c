/* SPDX-License-Identifier: MIT */
/*
 * overcommit.c - how much memory is promised: Committed_AS, and what each mode refuses.
 *
 * Changes settings of the whole machine and puts them back; where it may not, it checks less.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1024UL * 1024)

static long meminfo_kib(const char *name)
{
    return file_kib("/proc/meminfo", name);
}

static int set(const char *name, const char *value)
{
    char path[128];
    snprintf(path, sizeof(path), "/proc/sys/vm/%s", name);
    int fd = open(path, O_WRONLY);
    ssize_t n = fd < 0 ? -1 : write(fd, value, strlen(value));
    close(fd);
    return n == (ssize_t)strlen(value);
}

static void *map(size_t size, int prot, int flags)
{
    void *p = mmap(NULL, size, prot, MAP_ANONYMOUS | flags, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void promises(void)
{
    long before = meminfo_kib("Committed_AS");
    char *p = map(8 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    CHECK(meminfo_kib("Committed_AS") - before == 8192);
    CHECK(munmap(p + 4 * MIB, 4 * MIB) == 0 && meminfo_kib("Committed_AS") - before == 4096);
    CHECK(munmap(p, 4 * MIB) == 0 && meminfo_kib("Committed_AS") == before);
    p = map(8 * MIB, PROT_READ, MAP_PRIVATE);
    CHECK(meminfo_kib("Committed_AS") == before);
    CHECK(mprotect(p, 2 * MIB, PROT_READ | PROT_WRITE) == 0);
    CHECK(meminfo_kib("Committed_AS") - before == 2048);
    CHECK(mprotect(p, 2 * MIB, PROT_READ) == 0 && meminfo_kib("Committed_AS") == before);
    CHECK(mprotect(p, 2 * MIB, PROT_READ | PROT_WRITE) == 0);
    *p = 1; /* what was written to once stays promised */
    CHECK(mprotect(p, 2 * MIB, PROT_READ) == 0 && meminfo_kib("Committed_AS") - before == 2048);
    CHECK(munmap(p, 8 * MIB) == 0 && meminfo_kib("Committed_AS") == before);
    p = map(8 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE);
    CHECK(meminfo_kib("Committed_AS") == before && munmap(p, 8 * MIB) == 0);
    p = map(8 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED);
    CHECK(meminfo_kib("Committed_AS") - before == 8192);
    CHECK(munmap(p, 8 * MIB) == 0 && meminfo_kib("Committed_AS") == before);
    p = map(1 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    p = mremap(p, 1 * MIB, 3 * MIB, MREMAP_MAYMOVE);
    CHECK(p != MAP_FAILED && meminfo_kib("Committed_AS") - before == 3072);
    CHECK(munmap(p, 3 * MIB) == 0 && meminfo_kib("Committed_AS") == before);
    int status;
    if (!fork())
        _exit(meminfo_kib("Committed_AS") <= before);
    CHECK(wait(&status) > 0 && status == 0 && meminfo_kib("Committed_AS") == before);
}

static void modes(void)
{
    size_t total = (size_t)meminfo_kib("MemTotal") * 1024;
    void *p;
    CHECK(!map(total * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE) && errno == ENOMEM);
    p = map(total * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE);
    CHECK(p && munmap(p, total * 2) == 0);
    CHECK(set("overcommit_memory", "1"));
    p = map(total * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    CHECK(p && munmap(p, total * 2) == 0);
    CHECK(set("overcommit_memory", "2"));
    size_t left = (size_t)(meminfo_kib("CommitLimit") - meminfo_kib("Committed_AS")) * 1024;
    CHECK(!map(left + 4 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE) && errno == ENOMEM);
    CHECK(!map(left + 4 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE));
    CHECK(!map(left + 4 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED));
    p = map(left + 4 * MIB, PROT_READ, MAP_PRIVATE);
    CHECK(p && mprotect(p, left + 4 * MIB, PROT_READ | PROT_WRITE) == -1 && errno == ENOMEM);
    CHECK(munmap(p, left + 4 * MIB) == 0);
    p = map(left / 2, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    CHECK(p && munmap(p, left / 2) == 0);
    CHECK(set("overcommit_memory", "0") && !set("overcommit_memory", "3"));
}

int main(void)
{
    if (meminfo_kib("Committed_AS") >= 0 && access("/proc/sys/vm/overcommit_memory", W_OK) == 0 &&
        getenv("TERM") && !strcmp(getenv("TERM"), "vt100")) { /* a machine of our own */
        promises();
        modes();
    }
    return report("overcommit");
}
