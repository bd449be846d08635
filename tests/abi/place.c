/* SPDX-License-Identifier: MIT */
/*
 * place.c - where each policy puts pages, read back by move_pages().
 *
 *      first touch     the node of the CPU that touches first, not of the one that mapped
 *      bind            its nodes and no others
 *      interleave      one node after the other
 *      preferred       its node, as long as that has room
 *      home node       of those bound to, that one first
 *
 * For each node that has memory, and for first touch each that has CPUs too; with one node the
 * same checks are made, and all say that one.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi.h"
#include "nodes.h"

enum { PAGE = 4096, PAGES = 24, HOME_NODE_CALL = 450 };

static char *map(void)
{
    char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED && madvise(p, PAGES * PAGE, MADV_NOHUGEPAGE) == 0);
    return p;
}

static void ask(char *p, int *status)
{
    void *pages[PAGES];
    for (int i = 0; i < PAGES; i++)
        pages[i] = p + i * PAGE;
    CHECK(syscall(SYS_move_pages, 0, (long)PAGES, pages, NULL, status, 0) == 0);
}

/* How many pages are on that node. */
static int on_node(char *p, int node)
{
    int status[PAGES], n = 0;
    ask(p, status);
    for (int i = 0; i < PAGES; i++)
        n += status[i] == node;
    return n;
}

static char *touched(char *p)
{
    for (int i = 0; i < PAGES; i++)
        p[i * PAGE] = (char)i;
    return p;
}

static int bind_to(char *p, int mode, unsigned long mask)
{
    return (int)syscall(SYS_mbind, p, (long)PAGES * PAGE, mode, &mask, 65L, 0L);
}

static void first_touch(void)
{
    cpu_set_t all, one;
    CHECK(sched_getaffinity(0, sizeof(all), &all) == 0);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        unsigned node = 99, here = 99;
        if (!CPU_ISSET(cpu, &all))
            continue;
        char *p = map();
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
        CHECK(syscall(SYS_getcpu, &here, &node, NULL) == 0 && here == (unsigned)cpu);
        touched(p);
        if (all_nodes >> node & 1)
            CHECK(on_node(p, (int)node) == PAGES);
        munmap(p, PAGES * PAGE);
    }
    CHECK(sched_setaffinity(0, sizeof(all), &all) == 0);
}

static void one_node_each(void)
{
    for (int i = 0; i < node_count; i++) {
        unsigned long mask = 1UL << nodes[i];
        char *p = map();
        CHECK(bind_to(p, MPOL_BIND, mask) == 0 && on_node(touched(p), nodes[i]) == PAGES);
        munmap(p, PAGES * PAGE);
        p = map();
        CHECK(bind_to(p, MPOL_PREFERRED, mask) == 0 && on_node(touched(p), nodes[i]) == PAGES);
        munmap(p, PAGES * PAGE);
        p = map(); /* the task's policy, where the mapping has none */
        CHECK(syscall(SYS_set_mempolicy, MPOL_BIND, &mask, 65L) == 0);
        CHECK(on_node(touched(p), nodes[i]) == PAGES);
        CHECK(syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0L) == 0);
        munmap(p, PAGES * PAGE);
    }
}

static void by_turns(void)
{
    int status[PAGES], in_turn = 0;
    char *p = map();
    CHECK(bind_to(p, MPOL_INTERLEAVE, all_nodes) == 0);
    ask(touched(p), status);
    for (int i = 0; i < node_count; i++)
        CHECK(on_node(p, nodes[i]) >= PAGES / node_count);
    for (int i = node_count; i < PAGES; i++)
        in_turn += status[i] == status[i - node_count];
    CHECK(in_turn == PAGES - node_count);
    munmap(p, PAGES * PAGE);
}

static void home(void)
{
    for (int i = 0; i < node_count; i++) {
        char *p = map();
        CHECK(bind_to(p, MPOL_BIND, all_nodes) == 0);
        CHECK(syscall(HOME_NODE_CALL, p, (long)PAGES * PAGE, (long)nodes[i], 0L) == 0);
        CHECK(on_node(touched(p), nodes[i]) == PAGES);
        munmap(p, PAGES * PAGE);
    }
}

/* From node to node by each of the calls that move; what is written there stays. */
static void moving(void)
{
    char *p = touched(map());
    for (int i = 0; i < node_count; i++) {
        unsigned long to = 1UL << nodes[i], from = all_nodes;
        void *pages[PAGES];
        int targets[PAGES], status[PAGES], same = 0;
        for (int k = 0; k < PAGES; k++) {
            pages[k] = p + k * PAGE;
            targets[k] = nodes[(i + k) % node_count];
        }
        CHECK(syscall(SYS_move_pages, 0, (long)PAGES, pages, targets, status, MPOL_MF_MOVE) == 0);
        ask(p, status);
        for (int k = 0; k < PAGES; k++)
            same += status[k] == targets[k];
        CHECK(same == PAGES);
        CHECK(syscall(SYS_mbind, p, (long)PAGES * PAGE, MPOL_BIND, &to, 65L, (long)MPOL_MF_MOVE) ==
              0);
        CHECK(on_node(p, nodes[i]) == PAGES);
        to = 1UL << nodes[(i + 1) % node_count];
        CHECK(syscall(SYS_migrate_pages, 0, 65L, &from, &to) >= 0);
        for (int k = 0; k < PAGES; k++)
            CHECK(p[k * PAGE] == (char)k);
    }
}

int main(void)
{
    find_nodes();
    first_touch();
    one_node_each();
    by_turns();
    home();
    moving();
    return report("place");
}
