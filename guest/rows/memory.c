/* SPDX-License-Identifier: MIT */
/*
 * memory.c - bench's rows of page faults: what a page costs when it is touched.
 *
 *      touch of nothing    a fresh page of zeros       first-touch, dontneed-touch, brk-touch
 *      read of nothing     the page of zeros           read-zero
 *      write to a shared   a copy                      cow-break, file-private-write
 *      write to the last   the right to write          cow-reuse
 */
#include "../lib/guest.h"
#include "rows.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define AREA (16 * MIB)
#define PAGES(size) ((double)((size) / GUEST_PAGE))

static double first_touch(void)
{
    char *area = guest_map("bench", AREA);
    uint64_t start = ticks();
    touch_pages(area, AREA);
    double ns = since(start, PAGES(AREA));
    munmap(area, AREA);
    return ns;
}

static double read_zero(void)
{
    volatile char *area = guest_map("bench", AREA);
    volatile char sum = 0;
    uint64_t start = ticks();
    for (size_t at = 0; at < AREA; at += GUEST_PAGE)
        sum = (char)(sum + area[at]);
    double ns = since(start, PAGES(AREA));
    munmap((void *)(uintptr_t)area, AREA);
    return ns;
}

static double map_touch_unmap(void)
{
    enum { N = 16 };
    uint64_t start = ticks();
    for (int i = 0; i < N; i++) {
        char *area = guest_map("bench", MIB);
        touch_pages(area, MIB);
        munmap(area, MIB);
    }
    return since(start, N * PAGES(MIB));
}

static double dontneed_touch(void)
{
    enum { N = 16 };
    char *area = guest_map("bench", MIB);
    touch_pages(area, MIB);
    uint64_t start = ticks();
    for (int i = 0; i < N; i++) {
        madvise(area, MIB, MADV_DONTNEED);
        touch_pages(area, MIB);
    }
    double ns = since(start, N * PAGES(MIB));
    munmap(area, MIB);
    return ns;
}

static double brk_touch(void)
{
    enum { N = 16 };
    uint64_t start = ticks();
    for (int i = 0; i < N; i++) {
        char *area = sbrk(MIB);
        if (area == (void *)-1)
            return -1;
        touch_pages(area, MIB);
        sbrk(-(intptr_t)MIB);
    }
    return since(start, N * PAGES(MIB));
}

/* A child shares all pages of @area from the fork on; it stays until its pipe is closed. */
static pid_t sharer(int *hold)
{
    int ends[2];
    char byte;
    if (pipe(ends))
        return -1;
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) != 0);
    }
    close(ends[0]);
    *hold = ends[1];
    return child;
}

/* With @alone the child is gone before the parent writes, so that there is nothing to copy. */
static double write_after_fork(bool alone)
{
    int hold;
    char *area = guest_map("bench", AREA);
    touch_pages(area, AREA);
    pid_t child = sharer(&hold);
    if (child < 0)
        return -1;
    if (alone) {
        close(hold);
        waitpid(child, NULL, 0);
    }
    uint64_t start = ticks();
    touch_pages(area, AREA);
    double ns = since(start, PAGES(AREA));
    if (!alone) {
        close(hold);
        waitpid(child, NULL, 0);
    }
    munmap(area, AREA);
    return ns;
}

static double cow_break(void)
{
    return write_after_fork(false);
}

static double cow_reuse(void)
{
    return write_after_fork(true);
}

/* The file's pages are there; each write makes a page of our own out of one. */
static double file_private_write(void)
{
    static char content[MIB];
    char path[] = "/tmp/benchXXXXXX";
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    unlink(path);
    char *area = MAP_FAILED;
    if (write(fd, content, MIB) == (ssize_t)MIB)
        area = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    close(fd);
    if (area == MAP_FAILED)
        return -1;
    uint64_t start = ticks();
    touch_pages(area, MIB);
    double ns = since(start, PAGES(MIB));
    munmap(area, MIB);
    return ns;
}

const struct row rows_of_memory[] = {
    {"first-touch", first_touch},
    {"read-zero", read_zero},
    {"map-touch-unmap", map_touch_unmap},
    {"brk-touch", brk_touch},
    {"dontneed-touch", dontneed_touch},
    {"cow-break", cow_break},
    {"cow-reuse", cow_reuse},
    {"file-private-write", file_private_write},
    {NULL, NULL},
};
