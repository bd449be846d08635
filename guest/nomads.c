/* SPDX-License-Identifier: MIT */
/*
 * nomads - a family works on its memory while that memory is sent from node to node.
 *
 *      workers                                        their parent
 *      shared pages: each stamps some anew by turns   move_pages(): every page to another node
 *      private ones: came by fork; written, forked    migrate_pages(): a node's pages to the next
 *      all of them:  as one left them?                compact_memory: everything, anywhere
 *
 * Where there is one node, the last of these still moves pages. The parent goes on when each worker
 * has been through its pages once more. A word that is lost, or written to a page that is no longer
 * mapped, is found by the worker whose it is.
 */
#define _GNU_SOURCE
#include "lib/guest.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_WORKERS 64
#define MOST_PAGES 1024
#define MEMS_ALLOWED 4 /* MPOL_F_MEMS_ALLOWED */
#define MOVE_ALL 4     /* MPOL_MF_MOVE_ALL */

static const struct guest_help help = {
    "nomads [--workers N] [--memory SIZE] [--rounds N]",
    "Workers write to shared and private memory, and fork, while their pages are moved between\n"
    "nodes and compacted. Each checks that its memory stays as it left it.\n"
    "  --workers N    how many (default 3)\n"
    "  --memory SIZE  shared memory, and the same again that is private (default 128K)\n"
    "  --rounds N     how often everything is moved (default 8)\n",
};

/* What they say to each other. */
struct talk {
    unsigned stop;
    unsigned round[MOST_WORKERS];
};

static struct talk *talk;

static char *shared, *own;
static size_t pages;
static unsigned long workers;
static pid_t pids[MOST_WORKERS];
static int nodes[64], nr_nodes;

static void *map_shared(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        perror("nomads: mmap");
        exit(1);
    }
    return p;
}

/* --- workers ---------------------------------------------------------------------------------- */

static uint64_t tag(unsigned long who, size_t k, unsigned round)
{
    return (uint64_t)(who + 1) << 48 | (uint64_t)round << 16 | k;
}

static void must(bool so, const char *what, size_t k)
{
    if (so)
        return;
    printf("nomads: %s page %zu is not as it was left\n", what, k);
    fflush(stdout);
    _exit(1);
}

/* A child sees what its parent has, and changes only its own copy. */
static void fork_once(unsigned long me, unsigned round)
{
    int status;
    pid_t child = fork();
    for (size_t k = 0; k < pages; k++) {
        must(guest_stamp_ok(own + k * GUEST_PAGE, tag(me, k, round)), "inherited", k);
        if (child == 0 && k % 2)
            guest_stamp(own + k * GUEST_PAGE, tag(MOST_WORKERS, k, round));
    }
    if (child == 0)
        _exit(0);
    if (child > 0 && (waitpid(child, &status, 0) != child || status))
        _exit(1);
}

static void work(unsigned long me)
{
    for (unsigned round = 0; !__atomic_load_n(&talk->stop, __ATOMIC_ACQUIRE); round++) {
        for (size_t k = 0; k < pages; k++) {
            char *page = own + k * GUEST_PAGE, *common = shared + k * GUEST_PAGE;
            must(guest_stamp_ok(page, round ? tag(me, k, round - 1) : k), "private", k);
            guest_stamp(page, tag(me, k, round));
            if (k % workers != me)
                continue;
            must(guest_stamp_ok(common, round ? tag(me, k, round - 1) : k), "shared", k);
            guest_stamp(common, tag(me, k, round));
        }
        if (round % 4 == 0)
            fork_once(me, round);
        __atomic_store_n(&talk->round[me], round + 1, __ATOMIC_RELEASE);
        sched_yield();
    }
    _exit(0);
}

/* --- their parent ----------------------------------------------------------------------------- */

static void find_nodes(void)
{
    uint64_t mask = 1;
    syscall(SYS_get_mempolicy, NULL, &mask, 65L, NULL, (long)MEMS_ALLOWED);
    for (int i = 0; i < 64; i++)
        if (mask >> i & 1)
            nodes[nr_nodes++] = i;
}

static void send_pages(pid_t whose, char *area, unsigned round)
{
    static void *where[MOST_PAGES];
    static int target[MOST_PAGES], status[MOST_PAGES];
    for (size_t k = 0; k < pages; k++) {
        where[k] = area + k * GUEST_PAGE;
        target[k] = nodes[(round + k) % (size_t)nr_nodes];
    }
    syscall(SYS_move_pages, (long)whose, (long)pages, where, target, status, (long)MOVE_ALL);
}

static void empty_node(pid_t whose, unsigned round)
{
    uint64_t from = 1UL << nodes[round % (unsigned)nr_nodes];
    uint64_t to = 1UL << nodes[(round + 1) % (unsigned)nr_nodes];
    syscall(SYS_migrate_pages, (long)whose, 65L, &from, &to);
}

static void compact(void)
{
    int fd = open("/proc/sys/vm/compact_memory", O_WRONLY);
    if (fd >= 0 && write(fd, "1", 1) != 1)
        perror("nomads: compact_memory");
    if (fd >= 0)
        close(fd);
}

static long moved_so_far(void)
{
    char line[256];
    long count = 0;
    FILE *f = fopen("/proc/vmstat", "r");
    while (f && fgets(line, sizeof(line), f))
        sscanf(line, "pgmigrate_success %ld", &count);
    if (f)
        fclose(f);
    return count;
}

/* Until each worker has finished another round. False when one has ended instead. */
static bool wait_for_rounds(void)
{
    unsigned before[MOST_WORKERS];
    for (unsigned long i = 0; i < workers; i++)
        before[i] = __atomic_load_n(&talk->round[i], __ATOMIC_ACQUIRE);
    for (unsigned long i = 0; i < workers; i++) {
        while (__atomic_load_n(&talk->round[i], __ATOMIC_ACQUIRE) == before[i]) {
            siginfo_t info = {0};
            if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid)
                return false;
            sched_yield();
        }
    }
    return true;
}

static void move_all(unsigned long rounds)
{
    for (unsigned round = 0; round < rounds && wait_for_rounds(); round++) {
        pid_t whose = pids[round % workers];
        if (nr_nodes > 1) {
            send_pages(whose, shared, round);
            send_pages(whose, own, round);
            empty_node(whose, round);
        }
        compact();
    }
}

int main(int argc, char **argv)
{
    guest_help_wanted(argc, argv, &help);
    const char *workers_arg = guest_option(argc, argv, "--workers");
    const char *memory_arg = guest_option(argc, argv, "--memory");
    const char *rounds_arg = guest_option(argc, argv, "--rounds");
    guest_no_more(&help, argc, argv);
    workers = workers_arg ? guest_number(&help, workers_arg, MOST_WORKERS) : 3;
    pages = (memory_arg ? guest_size(&help, memory_arg) : 128UL << 10) / GUEST_PAGE;
    unsigned long rounds = rounds_arg ? guest_number(&help, rounds_arg, 1UL << 20) : 8;
    if (!workers || !pages || pages > MOST_PAGES)
        guest_usage(&help, "nomads: at least one worker, and 4K to 4M of memory");

    long before = moved_so_far();
    find_nodes();
    talk = map_shared(sizeof(*talk));
    shared = map_shared(pages * GUEST_PAGE);
    own = guest_map("nomads", pages * GUEST_PAGE);
    for (size_t k = 0; k < pages; k++) {
        guest_stamp(shared + k * GUEST_PAGE, k);
        guest_stamp(own + k * GUEST_PAGE, k);
    }
    unsigned long well = 0, made = 0;
    for (; made < workers && (pids[made] = fork()) >= 0; made++)
        if (pids[made] == 0)
            work(made);
    if (made == workers)
        move_all(rounds);
    __atomic_store_n(&talk->stop, 1, __ATOMIC_RELEASE);
    for (unsigned long i = 0; i < made; i++) {
        int status;
        well += wait(&status) > 0 && status == 0;
    }
    printf("nomads: %lu of %lu workers kept their memory; %ld pages were moved\n", well, workers,
           moved_so_far() - before);
    return well != workers;
}
