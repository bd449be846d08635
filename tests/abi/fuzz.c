/* SPDX-License-Identifier: MIT */
/*
 * fuzz.c - random system calls from many processes: nobody else may notice.
 *
 *      fuzz SEED CALLS [PROCESSES]
 *
 * Two kinds of children take turns:
 *
 *      wild        any number, any argument: they soon die of what they did to themselves
 *      purposeful  calls from a table, each argument of the kind that the call wants, mostly: files
 *                  that exist, descriptors that are open, ranges of an arena. They live on, so what
 *                  they build up is deep
 *
 * Calls that would stop the test itself (exit, kill, wait for ever) are left out; an interval timer
 * interrupts what waits.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz_calls.h"

#define PAGE 4096UL
#define ARENA_PAGES 64
#define CALLS_PER_CHILD 500

static uint64_t state;
static char *arena; /* its first page holds names, then all kinds of holes */

static uint64_t rnd(void)
{
    uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

/* --- arguments -------------------------------------------------------------------------------- */

static uint64_t anything(void)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     (uint64_t)-1,
                                     (uint64_t)-4096,
                                     4095,
                                     4096,
                                     0x3ffffff000UL,
                                     0x4000000000UL,
                                     0x3fffffffffUL,
                                     0xffffffff80200000UL,
                                     0xffffffc000000000UL,
                                     0x8000000000000000UL,
                                     0x7fffffffffffffffUL,
                                     0x7fffffff,
                                     0x80000000UL};
    switch (rnd() % 7) {
    case 0:
        return edges[rnd() % (sizeof(edges) / sizeof(edges[0]))];
    case 1:
        return rnd();
    case 2:
        return rnd() % 64;
    case 3:
        return (uint64_t)arena + rnd() % (ARENA_PAGES * PAGE);
    case 4:
        return (rnd() % ARENA_PAGES) * PAGE;
    case 5:
        return 1UL << (rnd() % 64);
    default:
        return (uint64_t)arena + 32 * PAGE - rnd() % 64; /* the edge of what is mapped */
    }
}

static const char *const names[] = {
    "a",         "b",      "d",  "d/a", "l", "./d/../a", "/proc/self/maps", "/proc/self/fd/3",
    "/dev/zero", "none/x", "d/", "p",   ""};
#define NAMES (sizeof(names) / sizeof(names[0]))
#define NAME_SIZE 32

/*
 * Kinds: f descriptor, p path, @ page of the arena, * anywhere in it, # length in pages,
 * n small number, x set of bits, r read-write-exec, - zero, d directory fd, w who (pid)
 */
static uint64_t of_kind(char kind)
{
    if (rnd() % 24 == 0)
        return anything();
    switch (kind) {
    case 'f':
        return rnd() % 24;
    case 'p':
        return (uint64_t)arena + (rnd() % NAMES) * NAME_SIZE;
    case '@':
        return (uint64_t)arena + (1 + rnd() % (ARENA_PAGES - 1)) * PAGE;
    case '*':
        return (uint64_t)arena + PAGE + rnd() % ((ARENA_PAGES - 1) * PAGE - 64);
    case '#':
        return (rnd() % 12) * PAGE;
    case 'n':
        return rnd() % 300;
    case 'x':
        return (1UL << (rnd() % 24)) | (1UL << (rnd() % 8));
    case 'r':
        return rnd() % 8;
    case 'd':
        return rnd() % 4 ? (uint64_t)AT_FDCWD : rnd() % 24;
    case 'w':
        return rnd() % 3 ? 0 : (uint64_t)getpid();
    default:
        return 0;
    }
}

/* --- purposeful ------------------------------------------------------------------------------- */

static void on_alarm(int sig)
{
    (void)sig;
}

/* What purposeful calls work on: files of several kinds, a pipe, an arena. */
static void prepare(void)
{
    struct itimerval often = {{0, 20000}, {0, 20000}};
    struct sigaction act = {.sa_handler = on_alarm};
    int fds[2], fd;
    sigaction(SIGALRM, &act, NULL);
    setitimer(ITIMER_REAL, &often, NULL); /* first: any of these names may be a FIFO by now */
    for (unsigned i = 0; i < NAMES; i++)
        strcpy(arena + i * NAME_SIZE, names[i]);
    (void)!mkdir("d", 0755);
    (void)!symlink("a", "l");
    (void)!mkfifo("p", 0644);
    fd = open("a", O_RDWR | O_CREAT, 0644);
    (void)!ftruncate(fd, 5 * PAGE);
    (void)!pipe(fds);
    (void)!open("d", O_RDONLY);
    (void)!open("/proc/self/status", O_RDONLY);
}

static void purposeful(void)
{
    prepare();
    for (int i = 0; i < CALLS_PER_CHILD; i++) {
        const struct call *c = &calls[rnd() % (sizeof(calls) / sizeof(calls[0]))];
        uint64_t a[6] = {0};
        for (int k = 0; c->kinds[k]; k++)
            a[k] = of_kind(c->kinds[k]);
        syscall(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
}

/* --- wild ------------------------------------------------------------------------------------- */

static long wild_number(void)
{
    static const short unwanted[] = {SYS_exit,
                                     SYS_exit_group,
                                     SYS_kill,
                                     SYS_tkill,
                                     SYS_tgkill,
                                     SYS_clone,
                                     SYS_execve,
                                     SYS_reboot,
                                     SYS_nanosleep,
                                     SYS_rt_sigsuspend,
                                     SYS_clock_nanosleep,
                                     424,
                                     435};
    for (;;) {
        long nr = (long)(rnd() % 470);
        unsigned i = 0;
        while (i < sizeof(unwanted) / sizeof(unwanted[0]) && unwanted[i] != nr)
            i++;
        if (i == sizeof(unwanted) / sizeof(unwanted[0]))
            return nr;
    }
}

static void wild(void)
{
    alarm(1); /* and death, should it wait for ever */
    for (int i = 0; i < CALLS_PER_CHILD; i++) {
        uint64_t a[6];
        for (int k = 0; k < 6; k++)
            a[k] = anything();
        syscall(wild_number(), a[0], a[1], a[2], a[3], a[4], a[5]);
    }
}

/* --- children --------------------------------------------------------------------------------- */

static void child(uint64_t seed)
{
    state = seed;
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    arena =
        mmap(NULL, ARENA_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(arena + 32 * PAGE, 8 * PAGE);
    mprotect(arena + 48 * PAGE, 8 * PAGE, PROT_NONE);
    if (seed % 3)
        purposeful();
    else
        wild();
    _exit(0);
}

/* What outlives its makers: System V's objects, and big files. */
static void tidy(void)
{
    struct shmid_ds ds;
    char info[256];
    for (int i = semctl(0, 0, SEM_INFO, info); i >= 0; i--) {
        int id = semctl(i, 0, SEM_STAT, info);
        if (id >= 0)
            semctl(id, 0, IPC_RMID);
    }
    for (int i = shmctl(0, SHM_INFO, &ds); i >= 0; i--) {
        int id = shmctl(i, SHM_STAT, &ds);
        if (id >= 0)
            shmctl(id, IPC_RMID, NULL);
    }
    for (int i = msgctl(0, MSG_INFO, (void *)info); i >= 0; i--) {
        int id = msgctl(i, MSG_STAT, (void *)info);
        if (id >= 0)
            msgctl(id, IPC_RMID, NULL);
    }
    (void)!truncate("a", 0);
    (void)!truncate("b", 0);
    (void)!truncate("d/a", 0);
}

/* --- the parent ------------------------------------------------------------------------------- */

#define AT_ONCE_MAX 64
#define LIFE_MAX 3 /* seconds: a wild one may have put its alarm off, and wait for ever */

static struct {
    pid_t pid;
    time_t born;
} children[AT_ONCE_MAX];

/* Seconds of a clock that no child can set. */
static time_t now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec;
}

static void begin(uint64_t seed, int at)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        child(seed);
    children[at].pid = pid > 0 ? pid : 0;
    children[at].born = now();
}

/* Wait for one; every second end those that are too old. The place that is free, or -1. */
static int wait_for_one(int at_once, unsigned *died)
{
    int status;
    alarm(1);
    pid_t pid = wait(&status);
    for (int i = 0; i < at_once; i++) {
        if (pid > 0 && children[i].pid == pid) {
            *died += !WIFEXITED(status);
            return i;
        }
        if (pid < 0 && children[i].pid && now() - children[i].born > LIFE_MAX)
            kill(children[i].pid, SIGKILL);
    }
    return -1;
}

int main(int argc, char **argv)
{
    struct sigaction act = {.sa_handler = on_alarm};
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    long total = argc > 2 ? strtol(argv[2], NULL, 0) : 20000, done = 0;
    int at_once = argc > 3 ? atoi(argv[3]) % AT_ONCE_MAX : 4, running = 0;
    unsigned ended = 0, died = 0;
    (void)!mkdir("/tmp/fuzz", 0755);
    if (chdir("/tmp/fuzz"))
        return 1;
    sigaction(SIGALRM, &act, NULL);
    for (; running < at_once && done < total; running++, done += CALLS_PER_CHILD)
        begin(seed + (uint64_t)done, running);
    while (running) {
        int at = wait_for_one(at_once, &died);
        if (at < 0)
            continue;
        if (++ended % 64 == 0) {
            tidy();
            printf("fuzz: %ld calls\n", done);
        }
        children[at].pid = 0;
        if (done < total) {
            begin(seed + (uint64_t)done, at);
            done += CALLS_PER_CHILD;
        } else {
            running--;
        }
    }
    alarm(0);
    tidy();
    printf("fuzz: seed %lu, %ld calls, %u children ended, %u died of one\n", (unsigned long)seed,
           total, ended, died);
    return 0;
}
