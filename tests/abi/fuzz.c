/* SPDX-License-Identifier: MIT */
/*
 * fuzz.c - random system calls with random arguments, from many processes: nobody may notice.
 *
 *      fuzz SEED CALLS      each child makes some hundred calls, until it dies of one
 *
 * Arguments are drawn from what breaks things: edges of ranges, addresses of the monitor, half
 * mapped buffers, huge lengths, small numbers. Calls that would stop the test itself (exit, kill,
 * wait for ever) are left out or made harmless.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define CALLS_PER_CHILD 300

static uint64_t state;
static char *arena; /* 64 pages: the first half mapped, then some holes */

static uint64_t rnd(void)
{
    uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static uint64_t argument(void)
{
    static const uint64_t edges[] = {
        0,
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
        0x80000000UL,
    };
    switch (rnd() % 8) {
    case 0:
        return edges[rnd() % (sizeof(edges) / sizeof(edges[0]))];
    case 1:
        return rnd();
    case 2:
        return rnd() % 64;
    case 3:
        return (uint64_t)arena + (rnd() % 64) * PAGE;
    case 4:
        return (uint64_t)arena + rnd() % (64 * PAGE);
    case 5:
        return (rnd() % 64) * PAGE;
    case 6:
        return 1UL << (rnd() % 64);
    default:
        return (uint64_t)arena + 32 * PAGE - rnd() % 64; /* the edge of what is mapped */
    }
}

static long number(void)
{
    static const long memory[] = {SYS_mmap,    SYS_munmap,  SYS_mprotect,      SYS_mremap,
                                  SYS_madvise, SYS_mincore, SYS_brk,           SYS_mbind,
                                  SYS_msync,   SYS_futex,   SYS_get_mempolicy, SYS_set_mempolicy};
    for (;;) {
        long nr =
            rnd() % 2 ? memory[rnd() % (sizeof(memory) / sizeof(memory[0]))] : (long)(rnd() % 470);
        switch (nr) {
        case SYS_exit:
        case SYS_exit_group:
        case SYS_kill:
        case SYS_tkill:
        case SYS_tgkill:
        case SYS_clone:
        case SYS_execve:
        case SYS_reboot:
        case SYS_rt_sigsuspend:
        case SYS_nanosleep:
        case SYS_clock_nanosleep:
        case SYS_ppoll:
        case SYS_pselect6:
        case SYS_read: /* the terminal may have nothing to say */
        case SYS_readv:
        case SYS_write: /* nobody wants to see it */
        case SYS_writev:
            continue;
        default:
            return nr;
        }
    }
}

static void child(void)
{
    arena = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(arena + 32 * PAGE, 8 * PAGE);
    mprotect(arena + 48 * PAGE, 8 * PAGE, PROT_NONE);
    for (int i = 0; i < CALLS_PER_CHILD; i++) {
        long nr = number();
        uint64_t a[6];
        for (int k = 0; k < 6; k++)
            a[k] = argument();
        if (nr == SYS_futex) { /* a wait always ends */
            static const struct timespec soon = {0, 1000};
            a[3] = (uint64_t)&soon;
        }
        syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
    _exit(0);
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    long calls = argc > 2 ? strtol(argv[2], NULL, 0) : 20000;
    unsigned ended = 0, died = 0;
    for (long done = 0; done < calls; done += CALLS_PER_CHILD) {
        state = seed + (uint64_t)done;
        pid_t pid = fork();
        if (pid == 0) {
            signal(SIGALRM, SIG_DFL);
            child();
        }
        int status;
        if (pid < 0 || waitpid(pid, &status, 0) != pid) {
            printf("fuzz: a child cannot be made or waited for\n");
            return 1;
        }
        if (WIFEXITED(status))
            ended++;
        else
            died++;
    }
    printf("fuzz: seed %lu, %u children ended, %u died of a call\n", (unsigned long)seed, ended,
           died);
    return 0;
}
