/* SPDX-License-Identifier: MIT */
/*
 * futex_exit.c - who waits for a task that ends is told.
 *
 *      robust list   head -> lock -> lock -> head      in the guest's memory, and may be any lie:
 *                    +8: where the word is, from the entry; +16: one that is being taken
 *      a word with the task's tid gets OWNER_DIED, and one waiter wakes
 *
 * Bit 0 of an entry's address marks a PI lock: futex_pi.c wakes its waiters.
 *
 * Locks: none held. Linux's counterpart: exit_robust_list(), handle_futex_death(), mm_release().
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "task/futex_queue.h"

#define ROBUST_LIMIT 2048 /* entries that are looked at: the list may be a ring */
#define ENTRY_PI 1UL

/* The dead held this lock: say so in the word, and wake one who waits for it. False: no memory. */
static bool free_robust(struct task *t, uint64_t entry, uint64_t offset, bool pending)
{
    vaddr_t addr = mk_vaddr((entry & ~ENTRY_PI) + offset);
    bool pi = entry & ENTRY_PI;
    uint32_t value;
    if (get_user_u32(&value, addr))
        return false;
    if (pending && !pi && !(value & FUTEX_TID_MASK)) { /* given back, and nobody woken yet */
        (void)futex_wake(t->mm, addr, 0, 1, UINT32_MAX);
        return true;
    }
    while ((value & FUTEX_TID_MASK) == t->tid) {
        int done = cmpxchg_user_u32(addr, &value, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED);
        if (done < 0)
            return false;
        if (!done)
            continue;
        if (!pi && (value & FUTEX_WAITERS))
            (void)futex_wake(t->mm, addr, 0, 1, UINT32_MAX);
        break;
    }
    return true;
}

/* struct robust_list_head: { next, futex_offset, list_op_pending } */
static void walk_robust_list(struct task *t)
{
    uint64_t head = t->robust_list.v, entry, offset, pending;
    if (!head || get_user_u64(&entry, mk_vaddr(head)) ||
        get_user_u64(&offset, mk_vaddr(head + 8)) || get_user_u64(&pending, mk_vaddr(head + 16)))
        return;
    for (int i = 0; i < ROBUST_LIMIT && (entry & ~ENTRY_PI) != head; i++) {
        uint64_t next;
        bool more = get_user_u64(&next, mk_vaddr(entry & ~ENTRY_PI)) == 0;
        bool taken = (entry & ~ENTRY_PI) == (pending & ~ENTRY_PI);
        if ((!taken && !free_robust(t, entry, offset, false)) || !more)
            return;
        entry = next;
    }
    if (pending)
        (void)free_robust(t, pending, offset, true);
}

void futex_leave_space(struct task *t)
{
    walk_robust_list(t);
    t->robust_list = mk_vaddr(0);
    /* only others in the same space can wait for it: tasks of this guest, or of another */
    bool others = load_relaxed(&t->guest->nr_tasks) > 1 || load_relaxed(&t->mm->users) > 1;
    if (t->clear_child_tid.v && others) {
        if (!put_user_u32(0, t->clear_child_tid))
            (void)futex_wake(t->mm, t->clear_child_tid, 0, 1, UINT32_MAX);
    }
    t->clear_child_tid = mk_vaddr(0);
}

void futex_task_exit(struct task *t)
{
    futex_leave_space(t);
    spin_lock(&t->guest->lock);
    t->exiting = true;
    spin_unlock(&t->guest->lock);
    if (t->pi_waited)
        futex_owner_ends(t->tid);
}
