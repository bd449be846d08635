/* SPDX-License-Identifier: MIT */
/*
 * memory.c - what the memory calls promise, as any Linux keeps it. Prints one line a promise.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi.h"

#define PAGE 4096UL

static char *map(size_t pages, int prot)
{
    return mmap(NULL, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void fresh_memory(void)
{
    char *p = map(8, PROT_READ | PROT_WRITE);
    int zero = 1;
    CHECK(p != MAP_FAILED);
    for (size_t i = 0; i < 8 * PAGE; i++)
        zero &= p[i] == 0;
    CHECK(zero);
    memset(p, 7, 8 * PAGE);
    CHECK(p[8 * PAGE - 1] == 7);
    CHECK(munmap(p, 8 * PAGE) == 0);
    CHECK(faults(p, 0));
}

static void holes(void)
{
    char *p = map(8, PROT_READ | PROT_WRITE);
    memset(p, 1, 8 * PAGE);
    CHECK(munmap(p + 3 * PAGE, 2 * PAGE) == 0);
    CHECK(p[2 * PAGE] == 1 && p[5 * PAGE] == 1);
    CHECK(faults(p + 3 * PAGE, 0) && faults(p + 4 * PAGE, 1));
    CHECK(munmap(p, 8 * PAGE) == 0);
    CHECK(munmap(p, 8 * PAGE) == 0);
}

static void fixed(void)
{
    char *p = map(4, PROT_READ | PROT_WRITE);
    memset(p, 3, 4 * PAGE);
    CHECK(mmap(p + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
               0) == p + PAGE);
    CHECK(p[PAGE] == 0 && p[0] == 3 && p[2 * PAGE] == 3);
    errno = 0;
    CHECK(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
          MAP_FAILED);
    CHECK(errno == EEXIST);
    munmap(p, 4 * PAGE);
}

static void protections(void)
{
    char *p = map(4, PROT_READ | PROT_WRITE);
    memset(p, 9, 4 * PAGE);
    CHECK(mprotect(p + PAGE, PAGE, PROT_READ) == 0);
    CHECK(p[PAGE] == 9 && faults(p + PAGE, 1) && !faults(p, 1) && !faults(p + 2 * PAGE, 1));
    CHECK(mprotect(p, 4 * PAGE, PROT_NONE) == 0);
    CHECK(faults(p, 0) && faults(p + PAGE, 0) && faults(p + 3 * PAGE, 1));
    CHECK(mprotect(p, 4 * PAGE, PROT_READ | PROT_WRITE) == 0);
    CHECK(p[0] != 0 && p[PAGE] == 9 && p[3 * PAGE] == 9);
    p[PAGE] = 1;
    CHECK(p[PAGE] == 1);
    munmap(p + 2 * PAGE, PAGE);
    errno = 0;
    CHECK(mprotect(p, 4 * PAGE, PROT_READ) == -1 && errno == ENOMEM);
    munmap(p, 4 * PAGE);
}

static void remapping(void)
{
    char *p = map(4, PROT_READ | PROT_WRITE), *q;
    for (int i = 0; i < 4; i++)
        p[i * PAGE] = (char)(i + 1);
    q = mremap(p, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
    CHECK(q != MAP_FAILED);
    CHECK(q[0] == 1 && q[PAGE] == 2 && q[2 * PAGE] == 3 && q[3 * PAGE] == 4 && q[4 * PAGE] == 0);
    CHECK(mremap(q, 8 * PAGE, 2 * PAGE, 0) == q);
    CHECK(faults(q + 2 * PAGE, 0) && q[PAGE] == 2);
    char *to = map(16, PROT_NONE);
    CHECK(mremap(q, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 4 * PAGE) ==
          to + 4 * PAGE);
    CHECK(to[4 * PAGE] == 1 && to[5 * PAGE] == 2 && to[6 * PAGE] == 0);
    CHECK(faults(q, 0) && faults(to, 0) && faults(to + 7 * PAGE, 0));
    errno = 0;
    CHECK(mremap(q, PAGE, 2 * PAGE, 0) == MAP_FAILED && errno == EFAULT);
    munmap(to, 16 * PAGE);
}

static void advice(void)
{
    char *p = map(4, PROT_READ | PROT_WRITE);
    memset(p, 5, 4 * PAGE);
    CHECK(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED) == 0);
    CHECK(p[0] == 5 && p[PAGE] == 0 && p[2 * PAGE] == 0 && p[3 * PAGE] == 5);
    errno = 0;
    CHECK(madvise(p, PAGE, 12345) == -1 && errno == EINVAL);
    CHECK(madvise(p + 1, PAGE, MADV_DONTNEED) == -1 && errno == EINVAL);
    munmap(p, 4 * PAGE);
    errno = 0;
    CHECK(madvise(p, 4 * PAGE, MADV_DONTNEED) == -1 && errno == ENOMEM);
}

static void residence(void)
{
    unsigned char vec[4];
    char *p = map(4, PROT_READ | PROT_WRITE);
    p[PAGE] = 1;
    CHECK(mincore(p, 4 * PAGE, vec) == 0);
    CHECK((vec[1] & 1) == 1);
    munmap(p, 4 * PAGE);
    errno = 0;
    CHECK(mincore(p + 1, PAGE, vec) == -1 && errno == EINVAL);
}

static void heap(void)
{
    char *start = sbrk(0), *p = sbrk(3 * PAGE);
    CHECK(p == start);
    memset(p, 2, 3 * PAGE);
    CHECK((char *)sbrk(-(long)(2 * PAGE)) == start + 3 * PAGE);
    CHECK(p[0] == 2);
    CHECK((char *)sbrk(2 * PAGE) == start + PAGE);
    CHECK(((uintptr_t)start & (PAGE - 1)) != 0 || p[PAGE] == 0);
    sbrk(-(long)(3 * PAGE));
    CHECK(sbrk(0) == start);
}

static void wrong_arguments(void)
{
    errno = 0;
    CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    CHECK(errno == EINVAL);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 77, 0) == MAP_FAILED && errno == EBADF);
    CHECK(mmap(NULL, 1UL << 62, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    CHECK(errno == ENOMEM);
    CHECK(munmap((void *)1, PAGE) == -1 && errno == EINVAL);
    CHECK(munmap((void *)PAGE, 0) == -1 && errno == EINVAL);
}

/* The lines of /proc/self/maps, read so many bytes at a time, and a sum over all its bytes. */
static long lines_of_maps(size_t piece, unsigned long *sum)
{
    static char buf[65536];
    ssize_t n;
    long lines = 0;
    int fd = open("/proc/self/maps", O_RDONLY);
    for (*sum = 0; (n = read(fd, buf, piece)) > 0;)
        for (ssize_t i = 0; i < n; i++) {
            lines += buf[i] == '\n';
            *sum = *sum * 31 + (unsigned char)buf[i];
        }
    close(fd);
    return n < 0 ? -1 : lines;
}

static void many_mappings(void)
{
    unsigned long sums[3];
    long before = lines_of_maps(4096, sums);
    char *p = map(3000, PROT_READ | PROT_WRITE);
    for (int i = 1; i < 3000; i += 2)
        CHECK(mprotect(p + i * PAGE, PAGE, PROT_READ) == 0);
    CHECK(lines_of_maps(100, &sums[0]) >= before + 2999);
    CHECK(lines_of_maps(5000, &sums[1]) == lines_of_maps(65536, &sums[2]));
    CHECK(sums[0] == sums[1] && sums[1] == sums[2]);
    CHECK(munmap(p, 3000 * PAGE) == 0 && lines_of_maps(4096, sums) == before);
}

int main(void)
{
    fresh_memory();
    holes();
    fixed();
    protections();
    remapping();
    advice();
    residence();
    heap();
    wrong_arguments();
    many_mappings();
    return report("memory");
}
