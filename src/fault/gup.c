/* SPDX-License-Identifier: MIT */
/*
 * gup.c - looking into another guest's memory. gup.h tells what for.
 *
 *      addr --VMA: may it?--> touch it --PTE--> page, referenced --linear map--> its bytes
 *
 * While we write to a file's page we hold its lock, as whoever writes to a file does: so the mover
 * copies it before or after, never meanwhile. A private page that someone refers to is not moved.
 *
 * Locks: mmap_lock for reading, page_table_lock, page lock. Linux's counterpart: mm/gup.c,
 * __access_remote_vm().
 */
#include "fault/gup.h"

#include "arch/layout.h"
#include "base/errno.h"
#include "base/string.h"
#include "fault/fault.h"
#include "kern/thread.h"
#include "phys/page.h"
#include "virt/mapping.h"
#include "virt/vma.h"

/* The page that the entry maps, with a reference; NULL: none, or the page of zeros. */
static struct page *page_at(struct mm_struct *mm, uint64_t addr, bool *there)
{
    struct page *page = NULL;
    spin_lock(&mm->page_table_lock);
    const pte_t *pte = mm_find_pte(mm, addr);
    pte_t e = pte ? pte_load(pte) : mk_pte(0);
    *there = pte_maps_page(e);
    if (*there && !pte_special(e)) {
        page = pfn_to_page(pte_pfn(e));
        get_page(page);
    }
    spin_unlock(&mm->page_table_lock);
    return page;
}

struct page *follow_page(struct mm_struct *mm, uint64_t addr, int *err)
{
    bool there = false;
    struct page *page = NULL;
    down_read(&mm->mmap_lock);
    const struct vm_area_struct *vma = addr < USER_TOP ? vma_lookup(mm, addr) : NULL;
    if (vma)
        page = page_at(mm, addr, &there);
    up_read(&mm->mmap_lock);
    *err = page ? 0 : vma && !there ? -ENOENT : -EFAULT;
    return page;
}

/*
 * Touch it and take it. mmap_lock is held. NULL: it is the page of zeros, or *zeros is false: no
 * right, or no memory.
 */
static struct page *touch_page(struct mm_struct *mm, uint64_t addr, uint64_t access, bool *zeros)
{
    *zeros = false;
    struct vm_area_struct *vma = addr < USER_TOP ? vma_lookup(mm, addr) : NULL;
    if (!vma || (vma->vm_mapping && vma->vm_mapping->secret))
        return NULL;
    if (!(vma->vm_prot & access || (access == PTE_W && (vma->vm_flags & VM_WRITE))))
        return NULL;
    for (int tries = 0; tries < 8; tries++) { /* it may be on the move */
        if (handle_mm_fault(vma, addr, access) > FAULT_MAJOR)
            return NULL;
        struct page *page = page_at(mm, addr, zeros);
        if (page || *zeros)
            return page;
    }
    return NULL;
}

static void copy_bytes(struct page *page, uint64_t offset, void *buf, size_t n, bool write)
{
    char *at = (char *)page_address(page) + offset;
    if (!write) {
        memcpy(buf, at, n);
        return;
    }
    lock_page(page);
    memcpy(at, buf, n);
    page_set_flag(page, PG_dirty);
    unlock_page(page);
}

int64_t access_process_vm(struct mm_struct *mm, uint64_t addr, void *buf, size_t n, bool write)
{
    size_t done = 0;
    bool zeros;
    while (done < n) {
        uint64_t at = addr + done, offset = at & (PAGE_SIZE - 1);
        size_t step = MIN(n - done, PAGE_SIZE - offset);
        down_read(&mm->mmap_lock);
        struct page *page = touch_page(mm, at, write ? PTE_W : PTE_R, &zeros);
        up_read(&mm->mmap_lock);
        if (page) {
            copy_bytes(page, offset, (char *)buf + done, step, write);
            put_page(page);
        } else if (zeros && !write) { /* read of what was never written */
            memset((char *)buf + done, 0, step);
        } else {
            break;
        }
        done += step;
        cond_resched();
    }
    return done || !n ? (int64_t)done : -EFAULT;
}
