/* SPDX-License-Identifier: MIT */
/*
 * edges.c - what the memory calls answer at the edges of what is allowed.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096L
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *pages(long n)
{
    return mmap(NULL, (size_t)(n * PAGE), RW, ANON, -1, 0);
}

static int map_fails(int flags, int fd, off_t at, int with)
{
    return fails((long)mmap(NULL, PAGE, PROT_READ, flags, fd, at), with);
}

/* A file whose pages 0 to 3 are: written, hole, hole, hole. */
static int make_file(const char *name)
{
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && ftruncate(fd, 4 * PAGE) == 0 && write(fd, "x", 1) == 1);
    return fd;
}

static void mapping(void)
{
    int fd = make_file("edges.1"), writes = open("edges.1", O_WRONLY);
    CHECK(map_fails(MAP_SHARED, writes, 0, EACCES) && map_fails(MAP_PRIVATE, writes, 0, EACCES));
    CHECK(map_fails(MAP_SHARED, fd, -PAGE, EOVERFLOW));
    CHECK(map_fails(MAP_SHARED, fd, 0x7ffffffffffff000, EOVERFLOW));
    CHECK(map_fails(MAP_SHARED_VALIDATE | (int)0x80000000, fd, 0, EOPNOTSUPP));
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE, fd, 0) != MAP_FAILED);
    CHECK(map_fails(MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0, EINVAL));
    close(writes);
    close(fd);
}

static void locked_and_synced(void)
{
    int fd = make_file("edges.1");
    char *p = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);
    CHECK(mlock(p, PAGE) == 0 && fails(msync(p, PAGE, MS_INVALIDATE), EBUSY));
    CHECK(msync(p, PAGE, MS_SYNC) == 0 && fails(madvise(p, PAGE, MADV_COLD), EINVAL));
    CHECK(munlock(p, PAGE) == 0 && msync(p, PAGE, MS_INVALIDATE) == 0);
    CHECK(munmap(p + PAGE, PAGE) == 0 && fails(msync(p, 3 * PAGE, MS_ASYNC), ENOMEM));
    CHECK(mlock(p + 2 * PAGE, PAGE) == 0);
    CHECK(fails(msync(p, 3 * PAGE, MS_INVALIDATE), EBUSY)); /* it looks behind the hole too */
    munmap(p, 3 * PAGE);
    close(fd);
}

/* What is in the cache of the file counts, mapped or not. */
static void resident(void)
{
    unsigned char in[4];
    int fd = make_file("edges.2");
    CHECK(pwrite(fd, "y", 1, 2 * PAGE) == 1);
    char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
    CHECK(mincore(p, 4 * PAGE, in) == 0 && in[0] && !in[1] && in[2] && !in[3]);
    char *anon = pages(2);
    anon[PAGE] = 1;
    CHECK(mincore(anon, 2 * PAGE, in) == 0 && !in[0] && in[1]);
    munmap(p, 4 * PAGE);
    close(fd);
}

static void advice(void)
{
    char *p = mmap(NULL, PAGE, PROT_WRITE, ANON, -1, 0);
    CHECK(fails(madvise(p, PAGE, 22), EINVAL)); /* MADV_POPULATE_READ: not meant to be read */
    CHECK(madvise(p, PAGE, 23) == 0);           /* MADV_POPULATE_WRITE */
    int fd = make_file("edges.1");
    char *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(shared[0] == 'x' && madvise(shared, PAGE, MADV_REMOVE) == 0 && shared[0] == 0);
    close(fd);
}

static void moving(void)
{
    int fd = make_file("edges.1");
    char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0), *q = pages(2);
    char *twice = mremap(p, 0, 2 * PAGE, MREMAP_MAYMOVE);
    CHECK(twice != MAP_FAILED && twice != p);
    p[5] = 'q';
    CHECK(twice[5] == 'q');
    CHECK(fails((long)mremap(q, 0, PAGE, MREMAP_MAYMOVE), EINVAL));
    CHECK(fails((long)mremap(q, PAGE, 1UL << 60, MREMAP_MAYMOVE), ENOMEM));
    CHECK(fails((long)mremap(q, 1UL << 60, PAGE, MREMAP_MAYMOVE), EINVAL));
    char *three = pages(3);
    CHECK(munmap(three + PAGE, PAGE) == 0 && mremap(three, 3 * PAGE, PAGE, 0) == three);
    CHECK(faults(three + 2 * PAGE, 0) && !faults(three, 1));
    CHECK(fails((long)mremap(q, PAGE, ~0UL, MREMAP_MAYMOVE), EINVAL));
    close(fd);
}

/* In a child, since limits only go down for who is not root. */
static int under_limits(void)
{
    struct rlimit small = {3 * PAGE, 3 * PAGE}, none = {0, 0};
    char *p = pages(8);
    if (setuid(1000) || setrlimit(RLIMIT_MEMLOCK, &small) || mlock(p, 2 * PAGE))
        return 1;
    if (munmap(p + 2 * PAGE, 6 * PAGE) ||
        !fails((long)mremap(p, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE), EAGAIN))
        return 2;
    p = mremap(p, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE);
    unsigned char in[3];
    if (p == MAP_FAILED || mincore(p, 3 * PAGE, in) || !in[2]) /* what is locked is filled */
        return 3;
    if (setrlimit(RLIMIT_MEMLOCK, &none))
        return 4;
    return !fails((long)mmap(NULL, PAGE, RW, ANON | MAP_LOCKED, -1, 0), EPERM);
}

static void limits(void)
{
    int status;
    pid_t pid = fork();
    if (!pid)
        _exit(under_limits());
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    if (status)
        printf("step %d\n", WEXITSTATUS(status));
}

static void files(void)
{
    int fd = make_file("edges.1"), reads = open("edges.1", O_RDONLY), ends[2];
    int writes = open("edges.1", O_WRONLY), path = open("edges.1", O_PATH), dir = open(".", 0);
    CHECK(pipe(ends) == 0);
    CHECK(readahead(fd, 0, PAGE) == 0 && fails(readahead(writes, 0, PAGE), EBADF));
    CHECK(fails(readahead(dir, 0, PAGE), EINVAL) && fails(readahead(ends[0], 0, PAGE), EINVAL));
    CHECK(fails(readahead(path, 0, PAGE), EBADF));
    CHECK(fails(fallocate(reads, 0, 0, PAGE), EBADF));
    CHECK(fails(fallocate(ends[1], 0, 0, PAGE), ESPIPE));
    CHECK(fails(fallocate(dir, 0, 0, PAGE), EBADF));
    CHECK(fails(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE), EOPNOTSUPP));
    CHECK(fails(ftruncate(ends[1], 0), EINVAL) && fails(ftruncate(reads, 0), EINVAL));
    CHECK(fails(ftruncate(path, 0), EBADF));
    close(fd);
}

int main(void)
{
    CHECK(chdir("/tmp") == 0);
    mapping();
    locked_and_synced();
    resident();
    advice();
    moving();
    limits();
    files();
    unlink("edges.1");
    unlink("edges.2");
    return report("edges");
}
