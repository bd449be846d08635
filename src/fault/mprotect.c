/* SPDX-License-Identifier: MIT */
/*
 * mprotect.c - what is there stays; what may be done with it changes.
 *
 *      [ rw- ............................. ]
 *      mprotect(r--)   |<---------->|
 *      [ rw- ........ ][ r-- ...... ][ rw- ]       and neighbours that are alike now are joined
 *
 * Entries lose W when a page is shared, whatever the VMA says: the write fault sorts out whether
 * it must be copied. A page that is the guest's alone gets W at once. With no rights at all the
 * entry becomes one that is not present, but still holds its page (arch/pte.h).
 *
 * Locks: mmap_lock for writing; page_table_lock for entries. Linux's counterpart: mm/mprotect.c.
 */
#include "arch/layout.h"
#include "base/errno.h"
#include "fault/fault_kinds.h"
#include "fault/mmap.h"
#include "phys/page.h"
#include "virt/commit.h"

static pte_t with_prot(const struct vm_area_struct *vma, pte_t e)
{
    uint64_t prot = vma->vm_prot;
    if (pte_special(e))
        prot &= ~PTE_W;
    else if (!vma_is_shared(vma) && !(pte_present(e) && pte_writable(e)) &&
             !((prot & PTE_W) && anon_page_is_exclusive(pfn_to_page(pte_pfn(e)))))
        prot &= ~PTE_W;
    if (prot & PTE_W) /* what can be written is counted as written */
        prot |= PTE_D;
    return pte_make(pte_pfn(e), prot | (e.v & (PTE_A | PTE_D | PTE_SPECIAL | PTE_SOFT)));
}

/* Did a right go away, so that translations elsewhere must go too? */
static bool change_entry(const struct vm_area_struct *vma, pte_t *pte)
{
    pte_t e = pte_load(pte);
    if (pte_type(e) == PTE_TYPE_MIGRATION_WRITE && !(vma->vm_prot & PTE_W)) {
        pte_store(pte, pte_make_absent(PTE_TYPE_MIGRATION_READ, pte_offset(e), 0));
        return false;
    }
    if (!pte_maps_page(e))
        return false;
    bool was_present = pte_present(e);
    /* taken out first, so that no A or D that hardware sets meanwhile is lost */
    e = pte_exchange(pte, mk_pte(0));
    pte_t changed = with_prot(vma, e);
    pte_store(pte, changed);
    return was_present && changed.v != e.v;
}

static void change_entries(struct vm_area_struct *vma)
{
    struct mm_struct *mm = vma->vm_mm;
    uint64_t first = 0, last = 0;
    for (uint64_t addr = vma->vm_start; addr < vma->vm_end;) {
        uint64_t end = MIN(vma->vm_end, ALIGN_DOWN(addr, TABLE_SPAN) + TABLE_SPAN);
        spin_lock(&mm->page_table_lock);
        pte_t *pte = mm_find_pte(mm, addr);
        if (!pte)
            addr = end;
        for (; addr < end; addr += PAGE_SIZE, pte++) {
            if (!change_entry(vma, pte))
                continue;
            first = last ? first : addr;
            last = addr + PAGE_SIZE;
        }
        spin_unlock(&mm->page_table_lock);
    }
    if (last)
        tlb_flush_range(&mm->tlb, mk_vaddr(first), mk_vaddr(last));
}

/* Are start..end all mapped, with VMAs that may be given these rights? */
static int check_range(struct mm_struct *mm, uint64_t start, uint64_t end, uint64_t vm_flags)
{
    struct vm_area_struct *vma = vma_lookup(mm, start);
    for (; vma; vma = vma_next(vma)) {
        if ((vm_flags & ~(vma->vm_flags >> 4) & VM_ACCESS_FLAGS) || /* VM_MAYx is VM_x << 4 */
            mm_denies_exec(mm, vma->vm_flags, vm_flags))
            return -EACCES;
        if (vma->vm_end >= end)
            return 0;
        struct vm_area_struct *next = vma_next(vma);
        if (!next || next->vm_start != vma->vm_end)
            return -ENOMEM;
    }
    return -ENOMEM;
}

/*
 * The flags that a VMA gets, of which @pages change: what can be written to from now on is
 * promised, and what was never written to and can no longer be is not. 0: too much is promised.
 */
static uint64_t flags_to_be(const struct vm_area_struct *vma, uint64_t vm_flags, uint64_t pages)
{
    uint64_t new_flags = (vma->vm_flags & ~VM_ACCESS_FLAGS) | vm_flags;
    if (vm_flags & VM_WRITE) {
        if (vma->vm_flags & (VM_ACCOUNT | VM_WRITE | VM_SHARED | VM_NORESERVE))
            return new_flags;
        return vm_enough_memory(pages) ? new_flags | VM_ACCOUNT : 0;
    }
    if (vma_is_anonymous(vma) && !vma->anon_vma)
        new_flags &= ~VM_ACCOUNT;
    return new_flags;
}

static int protect_vma(struct mm_struct *mm, struct vm_area_struct **vmap, uint64_t start,
                       uint64_t end, uint64_t vm_flags)
{
    struct vm_area_struct *vma = *vmap;
    uint64_t new_flags;
    int64_t pages;
    if ((vma->vm_flags & VM_ACCESS_FLAGS) == vm_flags)
        return 0;
    new_flags = flags_to_be(vma, vm_flags,
                            (MIN(end, vma->vm_end) - MAX(start, vma->vm_start)) >> PAGE_SHIFT);
    if (!new_flags)
        return -ENOMEM;
    int err = vma_carve(vmap, start, end);
    if (err)
        return err;
    vma = *vmap;
    vma_start_write(vma);
    pages = (int64_t)vma_pages(vma);
    mm_account_vma(mm, vma->vm_flags, vma_is_anonymous(vma), -pages);
    mm_account_vma(mm, new_flags, vma_is_anonymous(vma), pages);
    vma->vm_flags = new_flags;
    vma->vm_prot = vm_flags_to_pte(new_flags);
    change_entries(vma);
    *vmap = vma_merge(vma);
    return 0;
}

/* PROT_GROWSDOWN: from the start of the stack on. */
static int stack_start(struct mm_struct *mm, uint64_t *start)
{
    const struct vm_area_struct *vma = vma_lookup(mm, *start);
    if (!vma)
        return -ENOMEM;
    if (!(vma->vm_flags & VM_GROWSDOWN))
        return -EINVAL;
    *start = vma->vm_start;
    return 0;
}

static int protect_locked(struct mm_struct *mm, uint64_t start, uint64_t end, uint64_t prot)
{
    int err = prot & PROT_GROWSDOWN ? stack_start(mm, &start) : 0;
    if (!err)
        err = check_range(mm, start, end, prot_to_vm_flags(prot));
    if (!err && mm_range_sealed(mm, start, end))
        err = -EPERM;
    for (uint64_t addr = start; !err && addr < end;) {
        struct vm_area_struct *vma = vma_lookup(mm, addr);
        err = protect_vma(mm, &vma, addr, end, prot_to_vm_flags(prot));
        addr = vma->vm_end;
    }
    return err;
}

int do_mprotect(struct mm_struct *mm, uint64_t addr, uint64_t len, uint64_t prot)
{
    if (!IS_ALIGNED(addr, PAGE_SIZE) ||
        (prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM | PROT_GROWSDOWN)))
        return -EINVAL;
    if (!len)
        return 0;
    if (addr > USER_TOP || len > USER_TOP - addr)
        return -ENOMEM;
    len = ALIGN_UP(len, PAGE_SIZE);
    mmap_write_lock(mm);
    int err = protect_locked(mm, addr, addr + len, prot);
    mmap_write_unlock(mm);
    return err;
}
