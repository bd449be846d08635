/* SPDX-License-Identifier: MIT */
/*
 * mremap.c - a range changes its size or its place; its pages stay as they are.
 *
 *      shrink       [ old ....... ]        the tail is unmapped
 *      grow here    [ old ]+++++++         if what follows is free
 *      move         [ old ]  ......>  [ new .......... ]   entries are moved, not pages
 *      DONTUNMAP    [ empty ]         [ new ]              the range stays, its pages have gone
 *      old_len 0    [ old ]           [ new ]              shared memory is mapped once more
 *
 * Moving a VMA does not change page->index: vm_pgoff moves along, so the rmap finds the pages at
 * their new address. While entries move from table to table, the family of the VMA is locked: a
 * walk must not look at one place too late and at the other too early.
 *
 * Locks: mmap_lock for writing. Linux's counterpart: mm/mremap.c.
 */
#include "arch/layout.h"
#include "base/errno.h"
#include "fault/fault.h"
#include "fault/mmap.h"
#include "virt/mapping.h"
#include "virt/rmap.h"
#include "virt/commit.h"

struct move {
    uint64_t old, old_len, new, new_len, flags;
};

static void lock_walks(struct vm_area_struct *vma)
{
    if (vma->vm_mapping)
        spin_lock(&vma->vm_mapping->i_mmap_lock);
    anon_vma_lock_vma(vma);
    spin_lock(&vma->vm_mm->page_table_lock);
}

static void unlock_walks(struct vm_area_struct *vma)
{
    spin_unlock(&vma->vm_mm->page_table_lock);
    anon_vma_unlock_vma(vma);
    if (vma->vm_mapping)
        spin_unlock(&vma->vm_mapping->i_mmap_lock);
}

/* How much from both places on lies in one table each. */
static uint64_t in_one_table(uint64_t old, uint64_t new, uint64_t len)
{
    uint64_t behind = MAX(old % TABLE_SPAN, new % TABLE_SPAN);
    return MIN(len, TABLE_SPAN - behind);
}

/* Move the entries of one table; false when there is no memory for the other. */
static bool move_table(struct vm_area_struct *vma, uint64_t old, uint64_t new, uint64_t len)
{
    struct mm_struct *mm = vma->vm_mm;
    pte_t *from = mm_find_pte(mm, old);
    if (!from)
        return true;
    pte_t *to = mm_make_pte(mm, new);
    if (!to)
        return false;
    lock_walks(vma);
    for (uint64_t n = len >> PAGE_SHIFT; n; n--, from++, to++) {
        if (!pte_none(pte_load(from)))
            pte_store(to, pte_exchange(from, mk_pte(0))); /* hardware may set A or D until then */
    }
    unlock_walks(vma);
    return true;
}

/* Move the entries of old..old+len to new. -ENOMEM leaves some moved. */
static int move_entries(struct vm_area_struct *vma, uint64_t old, uint64_t new, uint64_t len)
{
    bool moved = true;
    for (uint64_t done = 0, step; done < len && moved; done += step) {
        step = in_one_table(old + done, new + done, len - done);
        moved = move_table(vma, old + done, new + done, step);
        cond_resched();
    }
    tlb_flush_range(&vma->vm_mm->tlb, mk_vaddr(old), mk_vaddr(old + len));
    return moved ? 0 : -ENOMEM;
}

/* A VMA like vma's part from old on, at the new place. Chained to the same anon_vmas. */
static struct vm_area_struct *copy_vma(struct vm_area_struct *vma, const struct move *m)
{
    struct mm_struct *mm = vma->vm_mm;
    struct vm_area_struct *copy =
        vma_alloc(mm, m->new, m->new + m->new_len, vma->vm_flags & ~VM_UFFD_MISSING);
    if (!copy)
        return NULL;
    /* untouched private memory gets the number of its new place, so that it can merge there */
    bool untouched = !vma->anon_vma && !vma->vm_mapping;
    copy->vm_pgoff = untouched ? m->new >> PAGE_SHIFT : vma_index(vma, m->old);
    copy->vm_prot = vma->vm_prot;
    copy->vm_mapping = vma->vm_mapping;
    copy->vm_policy = vma->vm_policy;
    if (copy->vm_mapping)
        mapping_get(copy->vm_mapping);
    if (copy->vm_policy)
        mpol_get(copy->vm_policy);
    if (anon_vma_clone(copy, vma)) {
        vma_free(copy);
        return NULL;
    }
    vma_insert(mm, copy);
    mm_account_vma(mm, copy->vm_flags, vma_is_anonymous(copy), (int64_t)vma_pages(copy));
    return copy;
}

/* What stays behind a move is empty, and need not stay in memory. */
static void unlock_pages(struct vm_area_struct *vma)
{
    if (vma->vm_flags & VM_LOCKED)
        vma->vm_mm->locked_vm -= vma_pages(vma);
    vma->vm_flags &= ~(VM_LOCKED | VM_LOCKONFAULT);
}

static int64_t move_vma(struct vm_area_struct *vma, const struct move *m)
{
    struct mm_struct *mm = vma->vm_mm;
    uint64_t len = MIN(m->old_len, m->new_len);
    if (mm->map_count + 3 >= sysctl_max_map_count) /* the copy, and two splits */
        return -ENOMEM;
    vma_start_write(vma); /* no fault may put a page where one has left */
    struct vm_area_struct *copy = copy_vma(vma, m);
    if (!copy)
        return -ENOMEM;
    int err = move_entries(vma, m->old, m->new, len);
    if (err) { /* back: the tables of the old place are all there */
        int back = move_entries(copy, m->new, m->old, len);
        WARN_ON(back);
        back = do_munmap_locked(mm, m->new, m->new_len);
        WARN_ON(back);
        return err;
    }
    if (m->flags & MREMAP_DONTUNMAP)
        unlock_pages(vma);
    else if (m->old_len)
        err = do_munmap_locked(mm, m->old, m->old_len);
    WARN_ON(err);
    vma_merge(copy);
    return (int64_t)m->new;
}

/* More pages behind the end of the VMA, if they are free. */
static bool grow_in_place(struct vm_area_struct *vma, uint64_t more)
{
    struct mm_struct *mm = vma->vm_mm;
    const struct vm_area_struct *next = vma_next(vma);
    uint64_t end = vma->vm_end + more;
    if (end > USER_TOP || (next && end + vma_guard_gap(next) > next->vm_start))
        return false;
    mm_account_vma(mm, vma->vm_flags, vma_is_anonymous(vma), (int64_t)(more >> PAGE_SHIFT));
    vma_set_range(vma, vma->vm_start, end);
    vma_merge(vma);
    return true;
}

/* May the range change so, and the space hold so much more? */
static int check_growth(const struct vm_area_struct *vma, const struct move *m)
{
    const struct mm_struct *mm = vma->vm_mm;
    bool stays = m->flags & MREMAP_DONTUNMAP;
    if ((!m->old_len && !vma_is_shared(vma)) || (stays && (vma->vm_flags & VM_DONTEXPAND)))
        return -EINVAL;
    if (m->old_len > vma->vm_end - m->old)
        return -EFAULT;
    if (!stays && m->new_len <= m->old_len)
        return 0;
    if (!stays && (vma->vm_flags & VM_DONTEXPAND))
        return -EFAULT;
    if (m->new_len > USER_TOP)
        return -ENOMEM;
    uint64_t more = stays ? m->new_len : m->new_len - m->old_len;
    if (!stays && (vma->vm_flags & VM_LOCKED) &&
        (mm->locked_vm << PAGE_SHIFT) + more > load_relaxed(&mm->memlock_limit))
        return -EAGAIN;
    if ((mm->total_vm << PAGE_SHIFT) + more > load_relaxed(&mm->as_limit))
        return -ENOMEM;
    return (vma->vm_flags & VM_ACCOUNT) && !vm_enough_memory(more >> PAGE_SHIFT) ? -ENOMEM : 0;
}

/* To where the caller says (MREMAP_FIXED), or anywhere else. */
static int64_t move_away(struct vm_area_struct *vma, struct move *m)
{
    struct mm_struct *mm = vma->vm_mm;
    if (m->flags & MREMAP_FIXED) {
        int err = do_munmap_locked(mm, m->new, m->new_len);
        if (err)
            return err;
        vma = vma_lookup(mm, m->old); /* may have been split */
    } else {
        int64_t found = vma_find_hole(mm, m->new_len);
        if (found < 0)
            return found;
        m->new = (uint64_t)found;
    }
    return move_vma(vma, m);
}

static int64_t resize(struct vm_area_struct *vma, struct move *m)
{
    bool must_move = m->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);
    if (!must_move && m->new_len == m->old_len)
        return (int64_t)m->old;
    if (!must_move && m->new_len < m->old_len) { /* whatever the rest of the range is */
        int err = m->old_len > USER_TOP - m->old ? -EINVAL : 0;
        if (!err)
            err = do_munmap_locked(vma->vm_mm, m->old + m->new_len, m->old_len - m->new_len);
        return err ? err : (int64_t)m->old;
    }
    int err = check_growth(vma, m);
    if (err)
        return err;
    if (!must_move && m->old + m->old_len == vma->vm_end &&
        grow_in_place(vma, m->new_len - m->old_len))
        return (int64_t)m->old;
    return m->flags & MREMAP_MAYMOVE ? move_away(vma, m) : -ENOMEM;
}

static int check(const struct move *m)
{
    uint64_t known = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
    if ((m->flags & ~known) || !IS_ALIGNED(m->old, PAGE_SIZE) || !m->new_len)
        return -EINVAL;
    if ((m->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(m->flags & MREMAP_MAYMOVE))
        return -EINVAL;
    if ((m->flags & MREMAP_DONTUNMAP) && m->old_len != m->new_len)
        return -EINVAL;
    return 0;
}

/* Where it is to go, by MREMAP_FIXED. The two must not overlap. */
static int check_target(const struct move *m)
{
    if (!IS_ALIGNED(m->new, PAGE_SIZE) || m->new_len > USER_TOP || m->new > USER_TOP - m->new_len)
        return -EINVAL;
    if (m->old + m->old_len > m->new && m->new + m->new_len > m->old)
        return -EINVAL;
    return m->new < MMAP_MIN_ADDR ? -EPERM : 0;
}

static int64_t remap_locked(struct mm_struct *mm, struct move *m, bool *fill)
{
    struct vm_area_struct *vma = vma_lookup(mm, m->old);
    if (!vma)
        return -EFAULT;
    if (vma->vm_flags & VM_SEALED)
        return -EPERM;
    int err = m->flags & MREMAP_FIXED ? check_target(m) : 0;
    if (err)
        return err;
    *fill = m->new_len > m->old_len && (vma->vm_flags & VM_LOCKED);
    return resize(vma, m);
}

int64_t do_mremap(struct mm_struct *mm, uint64_t addr, uint64_t old_len, uint64_t new_len,
                  uint64_t flags, uint64_t new_addr)
{
    struct move m = {
        .old = addr,
        .old_len = ALIGN_UP(old_len, PAGE_SIZE),
        .new = new_addr,
        .new_len = ALIGN_UP(new_len, PAGE_SIZE),
        .flags = flags,
    };
    bool fill = false;
    int64_t result = check(&m);
    if (result)
        return result;
    mmap_write_lock(mm);
    result = remap_locked(mm, &m, &fill);
    mmap_write_downgrade(mm);
    if (fill && result > 0 &&
        mm_populate(mm, (uint64_t)result + m.old_len, (uint64_t)result + m.new_len))
        fill = false; /* as on Linux it has grown nevertheless */
    up_read(&mm->mmap_lock);
    return result;
}
