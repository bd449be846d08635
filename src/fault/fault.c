/* SPDX-License-Identifier: MIT */
/*
 * fault.c - what kind of fault is it? fault.h has the map.
 *
 * Locks: the VMA's own for reading where that is enough (vma_lock.h), else mmap_lock for reading;
 * growing a stack changes a VMA, so it starts over for writing.
 * Linux's counterpart: do_page_fault(), handle_mm_fault(), handle_pte_fault().
 */
#include "fault/fault.h"

#include "arch/layout.h"
#include "base/errno.h"
#include "fault/fault_kinds.h"
#include "fault/userfault.h"
#include "fault/zap.h"
#include "phys/alloc.h"
#include "virt/rmap.h"
#include "virt/vma_lock.h"

struct page *zero_page;

void fault_init(void)
{
    zero_page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
    if (!zero_page)
        panic("no memory for the page of zeros");
    page_set_type(zero_page, PAGE_ZERO);
    mm_set_teardown(exit_mmap);
}

/*
 * Something is there, but not what the access needs. On the move: wait for it, then it is tried
 * again. PROT_NONE in the entry: not allowed. Read-only: fault_write_protected(). Anything else is
 * about A and D, or about nothing: fault_accessed().
 */
static noinline enum fault_result fault_present(struct vm_area_struct *vma, uint64_t addr,
                                                uint64_t access, pte_t *pte, pte_t seen)
{
    /* lab cow: begin 1 */
    if (pte_is_migration(seen)) {
        migration_entry_wait(pte);
        return FAULT_DONE;
    }
    if (pte_is_prot_none(seen))
        return FAULT_ACCERR;
    if (access == PTE_W && !pte_writable(seen))
        return fault_write_protected(vma, addr, pte, seen);
    fault_accessed(vma, addr, access, pte, seen);
    return FAULT_DONE;
    /* lab cow: stub lab_missing("cow", 1, vma, addr, access, pte, seen); */
    /* lab cow: end */
}

/*
 * One look at the entry, which is made if there is no table for it yet (FAULT_OOM: no memory for
 * one). An empty one of a range whose missing pages somebody else fills is his:
 * userfault_missing(), FAULT_USERFAULT.
 */
static inline enum fault_result handle_fault(struct vm_area_struct *vma, uint64_t addr,
                                             uint64_t access)
{
    /* lab cow: begin 1 */
    pte_t *pte = mm_make_pte(vma->vm_mm, addr);
    if (unlikely(!pte))
        return FAULT_OOM;
    pte_t seen = pte_load(pte);
    if (unlikely(!pte_none(seen)))
        return fault_present(vma, addr, access, pte, seen);
    if (unlikely(vma->vm_userfault) && userfault_missing(vma, addr))
        return FAULT_USERFAULT;
    return vma_is_anonymous(vma) ? fault_anonymous(vma, addr, access, pte)
                                 : fault_file(vma, addr, access, pte);
    /* lab cow: stub lab_missing("cow", 1, vma, addr, access, fault_present); */
    /* lab cow: end */
}

enum fault_result handle_mm_fault(struct vm_area_struct *vma, uint64_t addr, uint64_t access)
{
    return handle_fault(vma, addr, access);
}

/* What the VMA does not allow is no question of pages. addr is any address in it. */
static inline enum fault_result fault_in_vma(struct vm_area_struct *vma, uint64_t addr,
                                             uint64_t access)
{
    /* lab cow: begin 1 */
    if (unlikely(!(vma->vm_prot & access)))
        return FAULT_ACCERR;
    return handle_fault(vma, addr & PAGE_MASK, access);
    /* lab cow: stub lab_missing("cow", 1, vma, addr, access, handle_fault); */
    /* lab cow: end */
}

/* --- with the lock of the whole space --------------------------------------------------------- */

static enum fault_result fault_locked(struct mm_struct *mm, uint64_t addr, uint64_t access,
                                      bool *below_stack)
{
    struct vm_area_struct *vma = find_vma(mm, addr);
    if (!vma)
        return FAULT_MAPERR;
    if (addr < vma->vm_start) {
        *below_stack = vma->vm_flags & VM_GROWSDOWN;
        return FAULT_MAPERR;
    }
    return fault_in_vma(vma, addr, access);
}

/* Counted by both who handle faults, on the hart where they end. */
static inline enum fault_result count_fault(struct mm_struct *mm, uint64_t *events,
                                            enum fault_result result)
{
    if (unlikely(result > FAULT_MAJOR))
        return result;
    add_relaxed(&events[PGFAULT], 1);
    if (likely(result == FAULT_DONE)) {
        add_relaxed(&mm->minflt, 1);
    } else {
        add_relaxed(&mm->majflt, 1);
        add_relaxed(&events[PGMAJFAULT], 1);
    }
    return result;
}

static noinline enum fault_result fault_by_mmap_lock(struct mm_struct *mm, uint64_t addr,
                                                     uint64_t access, enum vm_event why)
{
    bool below_stack = false;
    count_vm_event(why);
    down_read(&mm->mmap_lock);
    enum fault_result result = fault_locked(mm, addr, access, &below_stack);
    up_read(&mm->mmap_lock);
    if (below_stack && grow_stack(mm, addr)) {
        down_read(&mm->mmap_lock);
        result = fault_locked(mm, addr, access, &below_stack);
        up_read(&mm->mmap_lock);
    }
    return count_fault(mm, hart_vm_events(), result);
}

/* --- with the lock of the VMA alone ----------------------------------------------------------- */

/* The first private page of a VMA: do its neighbours have an anon_vma to share? */
static inline bool needs_anon_vma(const struct vm_area_struct *vma, uint64_t access)
{
    return access == PTE_W && !load_relaxed(&vma->anon_vma) && !vma_is_shared(vma);
}

enum fault_result user_fault(struct mm_struct *mm, uint64_t addr, uint64_t access)
{
    if (unlikely(addr >= USER_TOP))
        return FAULT_MAPERR;
    struct vm_area_struct *vma = vma_lock_read(mm, addr);
    if (unlikely(!vma))
        return fault_by_mmap_lock(mm, addr, access, VMA_LOCK_ABORT);
    if (unlikely(needs_anon_vma(vma, access))) {
        vma_end_read(mm, vma);
        return fault_by_mmap_lock(mm, addr, access, VMA_LOCK_RETRY);
    }
    enum fault_result result = fault_in_vma(vma, addr, access);
    vma_end_read(mm, vma);
    uint64_t *events = hart_vm_events();
    add_relaxed(&events[VMA_LOCK_SUCCESS], 1);
    return count_fault(mm, events, result);
}

int mm_populate(struct mm_struct *mm, uint64_t start, uint64_t end)
{
    for (uint64_t addr = start; addr < end; addr += PAGE_SIZE) {
        struct vm_area_struct *vma = vma_lookup(mm, addr);
        if (!vma)
            return -ENOMEM;
        bool write = (vma->vm_flags & (VM_WRITE | VM_SHARED)) == VM_WRITE;
        uint64_t access = write ? PTE_W : vma->vm_prot & PTE_R ? PTE_R : vma->vm_prot & PTE_X;
        if (!access)
            return -EFAULT;
        enum fault_result r = handle_mm_fault(vma, addr, access);
        if (r == FAULT_OOM)
            return -ENOMEM;
        if (r > FAULT_MAJOR)
            return -EFAULT;
        if (kill_pending())
            return -EINTR;
        cond_resched();
    }
    return 0;
}
