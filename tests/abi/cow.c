/* SPDX-License-Identifier: MIT */
/*
 * cow.c - a tree of forks, and in each phase every page is accounted for.
 *
 *      root ---- child 0 ---- its child         phase          who maps a page of the root's
 *         |----- child 1 ---- its child         written        1
 *         |----- child 2 ---- its child         forked         7: all share what is there
 *                                               children wrote one less for each that did
 *      pages:  | child 0's | child 1's | child 2's | nobody's |      ended          1 again
 *              each child writes its part, its child as well
 *
 * The counts are those of /proc/kpagecount, found by /proc/self/pagemap; smaps adds them up. The
 * last owner of a page gets it for itself without a copy.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"

enum { PAGE = 4096, CHILDREN = 3, PART = 16, PAGES = (CHILDREN + 1) * PART };
#define PFN_MASK ((1UL << 55) - 1)
#define PRESENT (1UL << 63)
#define ALL (1 + 2 * CHILDREN)

static char *area;
static int count_fd;
static int up[2];             /* a byte from each that is ready */
static int down[CHILDREN][2]; /* a byte for each that may go on */

static uint64_t pfn_of(int fd, int page)
{
    uint64_t entry = 0;
    off_t at = (off_t)(((uintptr_t)area / PAGE + (unsigned)page) * sizeof(entry));
    CHECK(pread(fd, &entry, sizeof(entry), at) == sizeof(entry));
    return entry & PRESENT ? entry & PFN_MASK : 0;
}

static uint64_t mappers(uint64_t pfn)
{
    uint64_t n = 0;
    CHECK(pread(count_fd, &n, sizeof(n), (off_t)(pfn * sizeof(n))) == sizeof(n));
    return n;
}

/* How many of pages first..last-1 are mapped by that many. */
static int with_mappers(int first, int last, uint64_t wanted)
{
    int fd = open("/proc/self/pagemap", O_RDONLY), n = 0;
    for (int i = first; i < last; i++)
        n += mappers(pfn_of(fd, i)) == wanted;
    close(fd);
    return n;
}

/* A field of the area in /proc/self/smaps, in pages. */
static long in_smaps(const char *field)
{
    char line[256], start[32];
    long kib = -1;
    int here = 0;
    FILE *f = fopen("/proc/self/smaps", "r");
    snprintf(start, sizeof(start), "%lx-", (unsigned long)area);
    while (f && fgets(line, sizeof(line), f)) {
        if (strchr(line, '-') && strtoul(line, NULL, 16) > 4096)
            here = !strncmp(line, start, strlen(start));
        if (here && !strncmp(line, field, strlen(field)) && line[strlen(field)] == ':')
            kib = strtol(line + strlen(field) + 1, NULL, 10);
    }
    if (f)
        fclose(f);
    return kib < 0 ? -1 : kib * 1024 / PAGE;
}

static void ready(void)
{
    CHECK(write(up[1], "r", 1) == 1);
}

static void wait_for(int n)
{
    char c;
    while (n--)
        CHECK(read(up[0], &c, 1) == 1);
}

static void write_part(int child, char value)
{
    for (int i = child * PART; i < (child + 1) * PART; i++)
        area[i * PAGE] = value;
}

static int is_part(int child, char value)
{
    int n = 0;
    for (int i = child * PART; i < (child + 1) * PART; i++)
        n += area[i * PAGE] == value;
    return n == PART;
}

/* @generation 0: a child of the root, which has a child of its own. */
static int live(int me, int generation)
{
    char c;
    int status = 0;
    pid_t pid = generation == 0 ? fork() : 0;
    if (generation == 0 && pid == 0)
        _exit(live(me, 1));
    ready();
    CHECK(read(down[me][0], &c, 1) == 1);
    CHECK(is_part(me, 1));
    write_part(me, (char)(2 + generation));
    CHECK(with_mappers(me * PART, (me + 1) * PART, 1) == PART); /* our own now */
    CHECK(in_smaps("Rss") == PAGES && in_smaps("Private_Dirty") == PART);
    CHECK(in_smaps("Shared_Dirty") == PAGES - PART);
    ready();
    CHECK(read(down[me][0], &c, 1) == 1);
    CHECK(is_part(me, (char)(2 + generation)) && is_part(CHILDREN, 1));
    if (generation == 0)
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    return failures != 0;
}

static void go_on(void)
{
    for (int i = 0; i < CHILDREN; i++)
        CHECK(write(down[i][1], "gg", 2) == 2);
}

static void tree(void)
{
    pid_t pids[CHILDREN];
    uint64_t was[PAGES];
    int fd = open("/proc/self/pagemap", O_RDONLY), status, same = 0;
    for (int i = 0; i < PAGES; i++)
        area[i * PAGE] = 1;
    CHECK(with_mappers(0, PAGES, 1) == PAGES && in_smaps("Private_Dirty") == PAGES);
    for (int i = 0; i < PAGES; i++)
        was[i] = pfn_of(fd, i);
    for (int i = 0; i < CHILDREN; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(live(i, 0));
    }
    wait_for(2 * CHILDREN);
    CHECK(with_mappers(0, PAGES, ALL) == PAGES);
    CHECK(in_smaps("Private_Dirty") == 0 && in_smaps("Shared_Dirty") == PAGES);
    CHECK(in_smaps("Pss") == PAGES / ALL);
    go_on();
    wait_for(2 * CHILDREN);
    CHECK(with_mappers(0, CHILDREN * PART, ALL - 2) == CHILDREN * PART);
    CHECK(with_mappers(CHILDREN * PART, PAGES, ALL) == PART);
    CHECK(in_smaps("Shared_Dirty") == PAGES);
    go_on();
    for (int i = 0; i < CHILDREN; i++)
        CHECK(waitpid(pids[i], &status, 0) == pids[i] && status == 0);
    CHECK(with_mappers(0, PAGES, 1) == PAGES && in_smaps("Private_Dirty") == PAGES);
    for (int i = 0; i < PAGES; i++) {
        CHECK(area[i * PAGE] == 1);
        area[i * PAGE] = 9; /* the last owner writes: no copy */
        same += pfn_of(fd, i) == was[i];
    }
    CHECK(same == PAGES);
    close(fd);
}

/* Never written to: all read the zero page, which nobody owns; the first write makes a page. */
static void zeros(void)
{
    int fd = open("/proc/self/pagemap", O_RDONLY), n = 0;
    CHECK(madvise(area, PAGES * PAGE, MADV_DONTNEED) == 0 && in_smaps("Rss") == 0);
    for (int i = 0; i < PAGES; i++)
        CHECK(area[i * PAGE] == 0);
    uint64_t zero = pfn_of(fd, 0);
    for (int i = 0; i < PAGES; i++)
        n += pfn_of(fd, i) == zero;
    CHECK(n == PAGES && in_smaps("Rss") == 0);
    area[0] = 1;
    CHECK(pfn_of(fd, 0) != zero && pfn_of(fd, 1) == zero && in_smaps("Rss") == 1);
    close(fd);
}

int main(void)
{
    area = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED && madvise(area, PAGES * PAGE, MADV_NOHUGEPAGE) == 0);
    count_fd = open("/proc/kpagecount", O_RDONLY);
    CHECK(count_fd >= 0 && pipe(up) == 0);
    for (int i = 0; i < CHILDREN; i++)
        CHECK(pipe(down[i]) == 0);
    tree();
    zeros();
    return report("cow");
}
