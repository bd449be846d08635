/* SPDX-License-Identifier: MIT */
/* Where mappings lie, and which of them become one. */
#define _GNU_SOURCE
#include "abi.h"

#include <stdint.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define RW (PROT_READ | PROT_WRITE)

static int nr_maps(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    int n = 0;
    for (int c; (c = fgetc(f)) != EOF;)
        n += c == '\n';
    fclose(f);
    return n;
}

/* By how many the maps have grown since the last call. */
static int growth(void)
{
    static int last;
    int now = nr_maps(), more = now - last;
    last = now;
    return more;
}

static void shared_neighbours(void)
{
    int fd = memfd_create("layout", 0);
    CHECK(!ftruncate(fd, 1 << 20));
    nr_maps(); /* the stream's buffer is there now */
    char *p = mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    growth();
    mmap(p + PAGE, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
    CHECK(growth() == 2); /* a hole in the middle of one: two more */
    mmap(p + 3 * PAGE, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 2 * PAGE);
    CHECK(growth() == 0); /* the file goes on */
    mmap(p + 5 * PAGE, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
    CHECK(growth() == 1); /* it does not */
    memset(p + PAGE, 1, 6 * PAGE);
    munmap(p + 2 * PAGE, PAGE);
    CHECK(growth() == 1);
    mmap(p + 2 * PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, PAGE);
    CHECK(growth() == -1);
    CHECK(p[2 * PAGE] == 1);
    mprotect(p + 3 * PAGE, PAGE, PROT_READ);
    CHECK(growth() == 2);
    mprotect(p + 3 * PAGE, PAGE, RW);
    CHECK(growth() == -2);
    munmap(p, 1 << 20);
    close(fd);
}

/* Each VMA of a System V segment is an attachment, so they are not joined. */
static void segments(void)
{
    struct shmid_ds ds;
    int id = shmget(IPC_PRIVATE, 4 * PAGE, 0600 | IPC_CREAT);
    char *p = shmat(id, NULL, 0);
    growth();
    mprotect(p + PAGE, PAGE, PROT_READ);
    CHECK(growth() == 2);
    mprotect(p + PAGE, PAGE, RW);
    CHECK(growth() == 0);
    CHECK(!shmctl(id, IPC_STAT, &ds) && ds.shm_nattch == 3);
    CHECK(!shmdt(p));
    CHECK(!shmctl(id, IPC_STAT, &ds) && ds.shm_nattch == 0);
    CHECK(!shmctl(id, IPC_RMID, NULL));
}

/* Says by its exit status whether a second mapping lies above the first. */
static int which_way(void)
{
    char *a = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *b = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return b > a;
}

static void as_personality(unsigned long flags, rlim_t stack)
{
    struct rlimit limit = {stack, RLIM_INFINITY};
    personality(flags);
    setrlimit(RLIMIT_STACK, &limit);
    execl("/proc/self/exe", "layout", "which-way", NULL);
    _exit(99);
}

static int direction(unsigned long flags, rlim_t stack)
{
    int status;
    if (!fork())
        as_personality(flags, stack);
    wait(&status);
    return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "which-way"))
        return which_way();
    shared_neighbours();
    segments();
    CHECK(direction(0, 8 << 20) == 0);
    CHECK(direction(ADDR_COMPAT_LAYOUT, 8 << 20) == 1);
    CHECK(direction(0, RLIM_INFINITY) == 1);
    return report("layout");
}
