/* SPDX-License-Identifier: MIT */
/*
 * mremap.c - a range changes its size or its place; its pages stay as they are.
 *
 *      shrink       [ old ....... ]        the tail is unmapped
 *      grow here    [ old ]+++++++         if what follows is free
 *      move         [ old ]  ......>  [ new .......... ]   entries are moved, not pages
 *
 * Moving a VMA does not change page->index: vm_pgoff moves along, so the rmap finds the pages at
 * their new address. While entries move from table to table, the family of the VMA is locked: a
 * walk must not look at one place too late and at the other too early.
 *
 * Locks: mmap_lock for writing. Linux's counterpart: mm/mremap.c.
 */
#include "arch/layout.h"
#include "base/errno.h"
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

/* Move the entries of old..old+len to new, whose tables exist where old's do. */
static int move_entries(struct vm_area_struct *vma, uint64_t old, uint64_t new, uint64_t len)
{
    struct mm_struct *mm = vma->vm_mm;
    for (uint64_t off = 0; off < len; off += PAGE_SIZE) {
        pte_t *from = mm_find_pte(mm, old + off);
        if (!from || pte_none(pte_load(from)))
            continue;
        pte_t *to = mm_make_pte(mm, new + off);
        if (!to)
            return -ENOMEM;
        lock_walks(vma);
        pte_t e = pte_exchange(from, mk_pte(0));
        if (!pte_none(e))
            pte_store(to, e);
        unlock_walks(vma);
    }
    tlb_flush_range(&mm->tlb, mk_vaddr(old), mk_vaddr(old + len));
    return 0;
}

/* A VMA like vma's part from old on, at the new place. Chained to the same anon_vmas. */
static struct vm_area_struct *copy_vma(struct vm_area_struct *vma, const struct move *m)
{
    struct mm_struct *mm = vma->vm_mm;
    struct vm_area_struct *copy = vma_alloc(mm, m->new, m->new + m->new_len, vma->vm_flags);
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
    if (!(m->flags & MREMAP_DONTUNMAP))
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

static int64_t resize(struct vm_area_struct *vma, struct move *m)
{
    struct mm_struct *mm = vma->vm_mm;
    bool to_fixed = m->flags & MREMAP_FIXED;
    if (m->new_len > m->old_len) {
        if (vma->vm_flags & VM_DONTEXPAND)
            return -EFAULT;
        if ((mm->total_vm << PAGE_SHIFT) + m->new_len - m->old_len > load_relaxed(&mm->as_limit))
            return -ENOMEM;
        if ((vma->vm_flags & VM_ACCOUNT) &&
            !vm_enough_memory((m->new_len - m->old_len) >> PAGE_SHIFT))
            return -ENOMEM;
    }
    if (!to_fixed && !(m->flags & MREMAP_DONTUNMAP)) {
        if (m->new_len == m->old_len)
            return (int64_t)m->old;
        if (m->new_len < m->old_len) {
            int err = do_munmap_locked(mm, m->old + m->new_len, m->old_len - m->new_len);
            return err ? err : (int64_t)m->old;
        }
        if (m->old + m->old_len == vma->vm_end && grow_in_place(vma, m->new_len - m->old_len))
            return (int64_t)m->old;
    }
    if (!(m->flags & MREMAP_MAYMOVE))
        return -ENOMEM;
    if (to_fixed) {
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

static int check(const struct move *m)
{
    uint64_t known = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
    if ((m->flags & ~known) || !IS_ALIGNED(m->old, PAGE_SIZE) || !m->new_len)
        return -EINVAL;
    if ((m->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(m->flags & MREMAP_MAYMOVE))
        return -EINVAL;
    if ((m->flags & MREMAP_DONTUNMAP) && m->old_len != m->new_len)
        return -EINVAL;
    if (m->new_len > USER_TOP || m->old_len > USER_TOP || m->old > USER_TOP - m->old_len)
        return -EINVAL;
    if (!(m->flags & MREMAP_FIXED))
        return 0;
    if (!IS_ALIGNED(m->new, PAGE_SIZE) || m->new > USER_TOP - m->new_len || m->new < MMAP_MIN_ADDR)
        return -EINVAL;
    /* the two must not overlap */
    return m->old + m->old_len > m->new && m->new + m->new_len > m->old ? -EINVAL : 0;
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
    int64_t result = check(&m);
    if (result)
        return result;
    mmap_write_lock(mm);
    struct vm_area_struct *vma = vma_lookup(mm, m.old);
    if (!vma || !m.old_len) /* old_len 0 asks for a second mapping of shared memory */
        result = vma ? -EINVAL : -EFAULT;
    else if (m.old + m.old_len > vma->vm_end)
        result = -EFAULT;
    else
        result = resize(vma, &m);
    mmap_write_unlock(mm);
    return result;
}
