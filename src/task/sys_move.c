/* SPDX-License-Identifier: MIT */
/*
 * sys_move.c - moving pages between nodes at a guest's wish, and asking where they are.
 *
 * Linux's counterpart: mm/migrate.c (move_pages), mm/mempolicy.c (migrate_pages).
 */
#include "arch/layout.h"
#include "arch/uaccess.h"
#include "base/errno.h"
#include "fault/gup.h"
#include "phys/node.h"
#include "pressure/move.h"
#include "task/guest.h"
#include "task/syscall.h"
#include "task/syscalls.h"
#include "virt/lru.h"

#define MPOL_MF_MOVE 2u
#define MPOL_MF_MOVE_ALL 4u

/* --- move_pages ------------------------------------------------------------------------------- */

/* The status of one page: its node, or why it could not be moved. */
static int status_of(struct mm_struct *mm, uint64_t addr, bool move, int nid, uint32_t flags)
{
    int err;
    struct page *page = follow_page(mm, addr, &err);
    if (!page)
        return err;
    if (!move) {
        nid = page->nid;
        put_page(page);
        return nid;
    }
    if (load_relaxed(&page->mapcount) > 1 && !(flags & MPOL_MF_MOVE_ALL)) {
        put_page(page);
        return -EACCES;
    }
    err = move_page_to_node(page, nid);
    return err ? err : nid;
}

static int64_t move_one(struct mm_struct *mm, const uint64_t *a, uint64_t i)
{
    uint64_t addr;
    uint32_t nid = 0;
    if (copy_from_user(&addr, mk_vaddr(a[2] + i * sizeof(addr)), sizeof(addr)))
        return -EFAULT;
    if (a[3]) {
        if (copy_from_user(&nid, mk_vaddr(a[3] + i * sizeof(nid)), sizeof(nid)))
            return -EFAULT;
        if (nid >= MAX_NODES || !mask_test(&node_states[N_MEMORY], nid))
            return -ENODEV;
    }
    int status = status_of(mm, addr, a[3], (int)nid, (uint32_t)a[5]);
    return put_user_u32((uint32_t)status, mk_vaddr(a[4] + i * sizeof(uint32_t))) ? -EFAULT : 0;
}

int64_t sys_move_pages(struct task *t, const uint64_t *a)
{
    int64_t err;
    if (a[5] & ~(uint64_t)(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
        return -EINVAL;
    if ((a[5] & MPOL_MF_MOVE_ALL) && !cred_capable(&t->guest->cred, CAP_SYS_NICE))
        return -EPERM;
    struct mm_struct *mm = arg_space(t, (uint32_t)a[0], &err);
    if (!mm)
        return err;
    if (a[3])
        lru_add_drain_all();
    err = 0;
    for (uint64_t i = 0; !err && i < a[1]; i++) {
        err = move_one(mm, a, i);
        if (kill_pending())
            err = -EINTR;
        cond_resched();
    }
    mmput(mm);
    return err;
}

/* --- migrate_pages ---------------------------------------------------------------------------- */

/* Pages on the n-th node of `from` go to the n-th of `to`, which begins anew at its end. */
static int target_of(nodemask_t from, nodemask_t to, uint32_t nid)
{
    uint32_t n = 0, i, last = mask_first(&to);
    for_each_in_mask(i, &from) {
        if (i < nid)
            n++;
    }
    n %= mask_weight(&to);
    for_each_in_mask(i, &to) {
        last = i;
        if (!n--)
            break;
    }
    return (int)last;
}

int64_t move_range(struct mm_struct *mm, uint64_t from_addr, uint64_t end, nodemask_t from,
                   nodemask_t to, bool shared)
{
    int64_t failed = 0;
    int err;
    lru_add_drain_all();
    for (uint64_t addr = from_addr; addr < end && !kill_pending();) {
        down_read(&mm->mmap_lock);
        const struct vm_area_struct *vma = find_vma(mm, addr);
        uint64_t start = vma ? MAX(addr, vma->vm_start) : end;
        up_read(&mm->mmap_lock);
        if (start >= end)
            break;
        struct page *page = follow_page(mm, start, &err);
        if (page && mask_test(&from, page->nid) && (shared || load_relaxed(&page->mapcount) == 1))
            failed += move_page_to_node(page, target_of(from, to, page->nid)) != 0;
        else if (page)
            put_page(page);
        addr = start + PAGE_SIZE;
        cond_resched();
    }
    return failed;
}

int64_t sys_migrate_pages(struct task *t, const uint64_t *a)
{
    nodemask_t from, to;
    int64_t err = arg_nodes(mk_vaddr(a[2]), a[1], &from);
    if (!err)
        err = arg_nodes(mk_vaddr(a[3]), a[1], &to);
    if (err)
        return err;
    to.bits &= node_states[N_MEMORY].bits;
    if (mask_empty(&to))
        return -EINVAL;
    struct mm_struct *mm = arg_space(t, (uint32_t)a[0], &err);
    if (!mm)
        return err;
    err = move_range(mm, 0, USER_TOP, from, to, cred_capable(&t->guest->cred, CAP_SYS_NICE));
    mmput(mm);
    return err;
}
