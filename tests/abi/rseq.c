/* SPDX-License-Identifier: MIT */
/*
 * rseq.c - restartable sequences: what the call says, and that increments which are no atomic
 * operations lose none, if each is on one hart from begin to end or begun anew.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define RSEQ_SIG 0xf1401073 /* as code: csrr to nowhere */
#define THREADS 6
#define ROUNDS 200000

struct rseq_area {
    uint32_t cpu_id_start, cpu_id;
    uint64_t rseq_cs;
    uint32_t flags, node_id, mm_cid, end;
} __attribute__((aligned(32)));

struct sequence {
    uint32_t version, flags;
    uint64_t start, length, abort;
} __attribute__((aligned(32)));

static volatile long counts[64][16]; /* one for each hart, a line apart */

static long call(volatile void *area, unsigned len, int flags, unsigned signature)
{
    return syscall(SYS_rseq, area, len, flags, signature);
}

static __thread struct rseq_area area;

/* Each thread for itself; glibc 2.36 does not for riscv64. */
static volatile struct rseq_area *mine(void)
{
    if (!area.end) {
        CHECK(call(&area, 32, 0, RSEQ_SIG) == 0);
        area.end = 1;
    }
    return &area;
}

/* counts[cpu][0]++ in a sequence; 0 when it was aborted. slow: with much in between. */
static int increment(volatile struct rseq_area *a, uint32_t cpu, long slow)
{
    volatile long *count = counts[cpu];
    __asm__ goto(
        ".pushsection .data.rel.local, \"aw\"\n"
        ".balign 32\n"
        "3: .word 0, 0\n"
        ".quad 1f, 2f - 1f, 4f\n"
        ".popsection\n"
        "lla t0, 3b\n"
        "sd t0, 8(%[area])\n"
        "1: lw t0, 4(%[area])\n"
        "bne t0, %[cpu], 4f\n"
        "ld t1, 0(%[count])\n"
        "mv t2, %[slow]\n"
        "5: beqz t2, 6f\n"
        "addi t2, t2, -1\n"
        "j 5b\n"
        "6: addi t1, t1, 1\n"
        "sd t1, 0(%[count])\n"
        "2:\n"
        "j 7f\n"
        ".option push\n"
        ".option norvc\n"
        ".word %[sig]\n"
        "4: j %l[aborted]\n"
        ".option pop\n"
        "7:\n"
        :
        : [area] "r"(a), [cpu] "r"(cpu), [count] "r"(count), [slow] "r"(slow), [sig] "i"(RSEQ_SIG)
        : "t0", "t1", "t2", "memory"
        : aborted);
    return 1;
aborted:
    return 0;
}

static void *count(void *arg)
{
    volatile struct rseq_area *a = mine();
    for (int done = 0; done < ROUNDS;) {
        done += increment(a, a->cpu_id_start, done % 1000 ? 0 : 3000);
    }
    return arg;
}

static void on_tick(int sig)
{
    (void)sig;
}

static void counting(void)
{
    pthread_t t[THREADS];
    long sum = 0;
    struct itimerval it = {{0, 3000}, {0, 3000}}, off = {{0, 0}, {0, 0}};
    signal(SIGALRM, on_tick); /* signals abort, too */
    setitimer(ITIMER_REAL, &it, NULL);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&t[i], NULL, count, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    setitimer(ITIMER_REAL, &off, NULL);
    for (int i = 0; i < 64; i++)
        sum += counts[i][0];
    CHECK(sum == (long)THREADS * ROUNDS);
}

/* A signal that comes while a sequence lasts: which it does until then. */
static void by_signal(void)
{
    struct itimerval it = {{0, 0}, {0, 20000}};
    signal(SIGALRM, on_tick);
    setitimer(ITIMER_REAL, &it, NULL);
    CHECK(!increment(mine(), area.cpu_id_start, 1L << 40));
    CHECK(area.rseq_cs == 0);
}

static void migration(void)
{
    cpu_set_t all, one;
    volatile struct rseq_area *a = mine();
    CHECK(sched_getaffinity(0, sizeof(all), &all) == 0);
    for (int cpu = 0; cpu < 64; cpu++) {
        if (!CPU_ISSET(cpu, &all))
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
        CHECK(a->cpu_id == (uint32_t)cpu && a->cpu_id_start == (uint32_t)cpu);
        CHECK(sched_getcpu() == cpu);
    }
    CHECK(sched_setaffinity(0, sizeof(all), &all) == 0);
}

static void results(void)
{
    static struct rseq_area other;
    volatile struct rseq_area *a = mine();
    unsigned len = 32;
    CHECK(a->cpu_id < 64 && a->cpu_id == a->cpu_id_start);
    CHECK(fails(call(a, len, 0, RSEQ_SIG), EBUSY));
    CHECK(fails(call(a, len, 0, 5), EPERM));
    CHECK(fails(call(&other, len, 0, RSEQ_SIG), EINVAL));
    CHECK(fails(call(a, len, 4, RSEQ_SIG), EINVAL));
    CHECK(fails(call(a, len, 1, 5), EPERM));
    CHECK(fails(call(&other, len, 1, RSEQ_SIG), EINVAL));
    CHECK(call(a, len, 1, RSEQ_SIG) == 0 && a->cpu_id == UINT32_MAX);
    CHECK(fails(call(a, len, 1, RSEQ_SIG), EINVAL));
    CHECK(fails(call((char *)&other + 4, len, 0, RSEQ_SIG), EINVAL));
    CHECK(fails(call(&other, 16, 0, RSEQ_SIG), EINVAL));
    CHECK(fails(call((void *)-32L, len, 0, RSEQ_SIG), EFAULT));
    CHECK(call(a, len, 0, RSEQ_SIG) == 0 && a->cpu_id < 64);
}

/* A sequence whose abort has no signature before it, or that is nowhere, ends the program. */
static void forged(void)
{
    static struct sequence bad = {0, 0, 4096, 64, 8192};
    int status;
    for (int kind = 0; kind < 2; kind++) {
        if (!fork()) {
            mine()->rseq_cs = kind ? (uint64_t)&bad : 24;
            for (;;)
                raise(SIGALRM);
        }
        CHECK(wait(&status) > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    }
    CHECK(!fork() ? (_exit(mine()->cpu_id >= 64), 0) : (wait(&status) > 0 && status == 0));
}

int main(void)
{
    results();
    migration();
    by_signal();
    counting();
    forged();
    return report("rseq");
}
