/* SPDX-License-Identifier: MIT */
/*
 * lock_rank.h - the one order in which spinlocks may be taken.
 *
 * Two locks taken in one order here and in the other there will deadlock one day. So every spinlock
 * is born with a rank, and a hart may only acquire a rank above the highest that it holds. Read the
 * list from top to bottom: outermost first.
 *
 *      held:  [ GUEST ]--->[ PAGE_TABLE ]--->[ ZONE ]--->[ LOG ]      ranks grow to the right
 *                               ^
 *                               `-- acquiring RMAP here is a panic in a debug build
 *
 * Locks of one rank are taken together only with spin_lock_nested(), in an order that their owner
 * documents (by address, by node, by table level). Sleeping locks (mutex, rwsem) are outside of
 * all of these: they are never taken with a spinlock held. docs/locks.md says who uses what.
 *
 * Linux's counterpart: lockdep, which learns the order at run time instead of being told.
 */
#ifndef PAGODA_KERN_LOCK_RANK_H
#define PAGODA_KERN_LOCK_RANK_H

enum lock_rank {
    RANK_NONE = 0,

    /* console, task: who is there and what do they want */
    RANK_CONSOLE,
    RANK_GUEST_TABLE, /* the list of guests, pids */
    RANK_GUEST,       /* one guest: state, children, files */
    RANK_USER,        /* accounts of users */
    RANK_FUTEX,

    /* pressure: who suffers next */
    RANK_OOM,

    /* file: bytes that have names */
    RANK_FILE,
    RANK_FILE_LOCK, /* what programs have locked of files */
    RANK_INODE,     /* an inode's pages */

    /* virt: from a page to its mappers, from a space to its tables */
    RANK_MM_LIST,
    RANK_RMAP, /* anon_vma and file mapping trees */
    RANK_VMA,  /* a space's tree of VMAs, for faults that look without mmap_lock */
    RANK_VMALLOC,
    RANK_PAGE_TABLE,
    RANK_LRU,

    /* slab */
    RANK_SLAB_LIST,
    RANK_SLAB_NODE,

    /* phys */
    RANK_ZONE,
    RANK_STACK_DEPOT,

    /* kern: the locks below may be taken from anywhere above */
    RANK_SLEEP_LOCK, /* the inner spinlock of mutex and rwsem */
    RANK_WAIT_QUEUE,
    RANK_THREADS, /* the list of all threads; the reaper's list */
    RANK_RUN_QUEUE,
    RANK_ASID, /* switching to a guest, inside of the scheduler, may need a new number */
    RANK_TIMER,
    RANK_IRQ,
    RANK_LOG,
    RANK_SERIAL,

};

#endif
