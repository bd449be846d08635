/* SPDX-License-Identifier: MIT */
/*
 * percpu.h - a hart and what belongs to it alone.
 *
 *      tp ---> struct hart
 *              +---------------------------+
 *              | arch    trap entry's words|  first: arch assembly knows its offsets
 *              | current, idle             |
 *              | held locks (debug)        |
 *              | run queue, timers, mailbox|  touched by other harts, under their own locks
 *              +---------------------------+
 *
 * harts[0] is the boot hart, the others follow by rising hart id; the machine's own hart ids may be
 * sparse and are used towards SBI only. The boot hart's struct is part of the image;
 * each other lies on its own node.
 *
 * Locks: none. The monitor is not preempted, so what only this hart touches needs no lock. Letters
 * beside a field: (r) its rq.lock, (t) its timers.lock, (a) atomic, (o) own hart only,
 * (b) written at boot only.
 *
 * Linux's counterpart: per-cpu areas and struct rq.
 */
#ifndef PAGODA_KERN_PERCPU_H
#define PAGODA_KERN_PERCPU_H

#include "arch/hart.h"
#include "base/bitmap.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/rbtree.h"
#include "base/types.h"
#include "kern/lock.h"

struct per_cpu_pages;
struct thread;
struct timer;

#define MAX_HELD_LOCKS 12

enum run_class {
    RUN_HIGH = 0, /* the console and the monitor's helpers: short work, must stay responsive */
    RUN_NORMAL,   /* guests */
    NR_RUN_CLASSES
};

struct run_queue {
    struct spinlock lock;
    uint32_t nr_queued;                     /* (r) waiting, the running one not counted */
    struct list_head queue[NR_RUN_CLASSES]; /* (r) struct thread.run_node */
};

struct timer_base {
    struct spinlock lock;
    struct rb_root tree;   /* (t) by expires */
    struct timer *first;   /* (t) leftmost */
    struct timer *running; /* (t) whose function runs now */
    uint64_t programmed;   /* (o) what the hardware was last told */
    uint64_t slice_end;    /* (r) ticks, TIMER_NEVER when only one wants the hart */
};

/** One call of this hart to others, see ipi.h. */
struct ipi_slot {
    void (*fn)(void *);
    void *arg;
    uint32_t left;    /* (a) targets that have not run it yet */
    uint32_t sleeper; /* (a) the caller sleeps until left is 0: interrupt it */
};

struct held_lock {
    struct spinlock *lock;
    uint32_t rank;
};

struct hart {
    struct arch_hart arch; /* first; index, hartid and nid are in here */

    struct thread *current; /* (o) */
    struct thread *idle;    /* (b) its run time is the hart's idle time */
    uint32_t in_interrupt;  /* (o) depth of interrupt handlers */

    struct per_cpu_pages *pagesets;         /* (b) phys: one for each populated zone */
    struct per_cpu_pages *local_pageset[4]; /* (b) phys: where to look first, by GFP's zone bits */

    uint64_t switches;    /* (o) context switches */
    uint64_t irq_count;   /* (o) external interrupts taken */
    uint64_t timer_count; /* (o) timer interrupts taken */
    uint64_t ipi_count;   /* (o) mailbox calls served */

    struct thread *leaving; /* (o) just switched away from, and not to stay on this hart */
    struct run_queue rq cache_aligned;
    struct timer_base timers cache_aligned;
    uint64_t ipi_pending cache_aligned; /* (a) a bit for each hart whose slot has work for us */
    uint32_t fence_wanted;              /* (a) remote fences asked of this hart, ever */
    uint32_t fence_done;                /* (a) and those that it has run */
    struct ipi_slot ipi_slot;           /* (o) written by this hart, read by its targets */
#if CONFIG_DEBUG
    uint32_t nr_held; /* (o) */
    struct held_lock held[MAX_HELD_LOCKS];
#endif
} cache_aligned;

extern struct hart boot_hart;
extern struct hart *harts[MAX_HARTS];
extern uint32_t nr_harts;

/** Harts that are online, and those of them that have nothing to run. (a) */
extern hartmask_t harts_online;
extern hartmask_t harts_idle;

/** The harts of each node. (b) */
extern hartmask_t node_harts[MAX_NODES];

static inline uint32_t hart_index(void)
{
    return this_hart()->arch.index;
}

/** The node of this hart; where its memory should come from. */
static inline uint32_t hart_nid(void)
{
    return this_hart()->arch.nid;
}

static inline bool hart_is_online(uint32_t index)
{
    return (__atomic_load_n(&harts_online.bits, __ATOMIC_ACQUIRE) >> index) & 1;
}

/** Each hart that has a struct, online or not. */
#define for_each_hart(h)                                                                     \
    for (uint32_t hart_i_ = 0; hart_i_ < nr_harts && (((h) = harts[hart_i_]), 1); hart_i_++) \
        if (h)

/** The index of a hart with this hart id, or -1. */
int hart_index_of_id(uint64_t hartid);

/** The hart that runs this becomes harts[0], until more is known on node 0. First of all. */
void percpu_init_boot_hart(uint64_t hartid);

/** Fill in a hart's struct at `h` (zeroed) and enter it as harts[index]. Boot only. */
void percpu_add_hart(struct hart *h, uint32_t index, uint64_t hartid, uint32_t nid);

/** The device tree is read only after the boot hart has begun, on node 0, as harts[0]. */
void percpu_set_nid(struct hart *h, uint32_t nid);

#endif
