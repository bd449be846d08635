/* SPDX-License-Identifier: MIT */
/*
 * mmap.c - a new range in an address space.
 *
 *      do_mmap:  check the request --> choose the address --> clear it (MAP_FIXED) -->
 *                grow a neighbour, or insert a VMA --> count --> populate if asked
 *
 * Where a program leaves the choice to us, ranges go top-down from mmap_base, so that brk's heap
 * can grow towards them from below; or bottom-up in the legacy layout.
 *
 * Locks: mmap_lock for writing. Linux's counterpart: do_mmap(), mmap_region().
 */
#include "fault/mmap.h"
#include "virt/commit.h"

#include "arch/layout.h"
#include "base/errno.h"
#include "fault/fault.h"
#include "phys/node.h"
#include "virt/mapping.h"

uint64_t prot_to_vm_flags(uint64_t prot)
{
    return (prot & PROT_READ ? VM_READ : 0) | (prot & PROT_WRITE ? VM_WRITE : 0) |
           (prot & PROT_EXEC ? VM_EXEC : 0);
}

uint64_t vm_flags_to_pte(uint64_t vm_flags)
{
    uint64_t pte = PTE_U;
    if (vm_flags & VM_READ)
        pte |= PTE_R;
    if (vm_flags & VM_WRITE)
        pte |= PTE_W | PTE_R; /* the architecture reserves W without R */
    if (vm_flags & VM_EXEC)
        pte |= PTE_X;
    return pte;
}

static uint64_t map_flags_to_vm_flags(uint64_t flags)
{
    return (flags & MAP_GROWSDOWN ? VM_GROWSDOWN : 0) | (flags & MAP_LOCKED ? VM_LOCKED : 0) |
           (flags & MAP_NORESERVE ? VM_NORESERVE : 0) | (flags & MAP_STACK ? VM_NOHUGEPAGE : 0);
}

/* The request with everything checked: length rounded, flags of the VMA computed. */
struct plan {
    uint64_t len, vm_flags;
};

/* MAP_SHARED_VALIDATE promises that no flag is passed over. */
static bool flags_known(uint64_t flags)
{
    return !(flags & ~(uint64_t)(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN |
                                 MAP_DENYWRITE | MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE |
                                 MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB));
}

static int check_type(const struct mmap_request *req, uint64_t *vm_flags)
{
    uint64_t may = req->may ? req->may : VM_MAY_ALL;
    uint64_t type = req->flags & MAP_TYPE;
    if (type == MAP_SHARED_VALIDATE && (req->flags & MAP_ANONYMOUS))
        return -EINVAL;
    if (type == MAP_SHARED_VALIDATE && !flags_known(req->flags))
        return -EOPNOTSUPP;
    switch (type) {
    case MAP_SHARED:
    case MAP_SHARED_VALIDATE:
        if (!req->mapping)
            return -EOPNOTSUPP;
        if (!(may & VM_MAYREAD) || ((req->prot & PROT_WRITE) && !(may & VM_MAYWRITE)))
            return -EACCES;
        *vm_flags |= VM_SHARED | VM_MAYSHARE | may;
        break;
    case MAP_PRIVATE:
        if (req->mapping && !(may & VM_MAYREAD))
            return -EACCES;
        *vm_flags |= VM_MAY_ALL; /* what is written goes into copies */
        break;
    default:
        return -EINVAL;
    }
    return req->mapping && (req->flags & MAP_GROWSDOWN) ? -EINVAL : 0;
}

static int make_plan(struct mm_struct *mm, const struct mmap_request *req, struct plan *plan)
{
    if (!req->len || (req->flags & MAP_HUGETLB))
        return -EINVAL;
    if (req->len > USER_TOP)
        return -ENOMEM;
    if ((req->flags & MAP_LOCKED) && !load_relaxed(&mm->memlock_limit))
        return -EPERM;
    plan->len = ALIGN_UP(req->len, PAGE_SIZE);
    if (req->mapping && req->pgoff > (INT64_MAX - plan->len) >> PAGE_SHIFT)
        return -EOVERFLOW;
    if (mm->map_count >= sysctl_max_map_count)
        return -ENOMEM;
    plan->vm_flags =
        prot_to_vm_flags(req->prot) | map_flags_to_vm_flags(req->flags) | mm->def_flags;
    if (load_relaxed(&sysctl_overcommit_memory) == OVERCOMMIT_NEVER)
        plan->vm_flags &= ~VM_NORESERVE;
    if (req->mapping && req->mapping->secret)
        plan->vm_flags |= VM_DONTDUMP;
    int err = check_type(req, &plan->vm_flags);
    if (!err && mm_denies_exec(mm, plan->vm_flags, plan->vm_flags))
        err = -EACCES;
    if ((plan->vm_flags & (VM_WRITE | VM_SHARED | VM_NORESERVE)) == VM_WRITE)
        plan->vm_flags |= VM_ACCOUNT;
    return err;
}

/* The limits of the guest, and what memory may still be promised. */
static int check_limits(struct mm_struct *mm, const struct plan *plan)
{
    uint64_t pages = plan->len >> PAGE_SHIFT;
    uint64_t vm_flags = plan->vm_flags;
    if ((mm->total_vm + pages) << PAGE_SHIFT > load_relaxed(&mm->as_limit))
        return -ENOMEM;
    if ((vm_flags & VM_LOCKED) && (mm->locked_vm + pages) << PAGE_SHIFT > mm->memlock_limit)
        return -EAGAIN;
    if ((vm_flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) == VM_WRITE &&
        (mm->data_vm + pages) << PAGE_SHIFT > load_relaxed(&mm->data_limit))
        return -ENOMEM;
    return (vm_flags & VM_ACCOUNT) && !vm_enough_memory(pages) ? -ENOMEM : 0;
}

static int64_t choose_address(struct mm_struct *mm, const struct mmap_request *req, uint64_t len)
{
    uint64_t addr = req->addr;
    if (req->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
        if (!IS_ALIGNED(addr, PAGE_SIZE))
            return -EINVAL;
        if (addr > USER_TOP - len)
            return -ENOMEM;
        if (addr < MMAP_MIN_ADDR)
            return -EPERM;
        if ((req->flags & MAP_FIXED_NOREPLACE) && find_vma_intersection(mm, addr, addr + len))
            return -EEXIST;
        return (int64_t)addr;
    }
    addr = ALIGN_UP(addr, PAGE_SIZE);
    if (addr >= MMAP_MIN_ADDR && addr <= USER_TOP - len) {
        const struct vm_area_struct *vma = find_vma(mm, addr);
        if ((!vma || addr + len + vma_guard_gap(vma) <= vma->vm_start) &&
            !find_vma_intersection(mm, addr, addr + len))
            return (int64_t)addr;
    }
    return vma_find_hole(mm, len);
}

/* The range is free: make it be mapped. */
static int insert_range(struct mm_struct *mm, uint64_t addr, const struct plan *plan,
                        const struct mmap_request *req)
{
    uint64_t end = addr + plan->len;
    uint64_t pgoff = req->mapping ? req->pgoff : addr >> PAGE_SHIFT;
    if (!vma_merge_new(mm, addr, end, plan->vm_flags, req->mapping, pgoff)) {
        struct vm_area_struct *vma = vma_alloc(mm, addr, end, plan->vm_flags);
        if (!vma)
            return -ENOMEM;
        vma->vm_pgoff = pgoff;
        vma->vm_prot = vm_flags_to_pte(plan->vm_flags);
        vma->vm_mapping = req->mapping;
        if (req->mapping)
            mapping_get(req->mapping);
        vma_insert(mm, vma);
    }
    mm_account_vma(mm, plan->vm_flags, !req->mapping, (int64_t)(plan->len >> PAGE_SHIFT));
    return 0;
}

static int64_t map_locked(struct mm_struct *mm, const struct mmap_request *req, struct plan *plan)
{
    int64_t err = make_plan(mm, req, plan);
    if (err)
        return err;
    int64_t addr = choose_address(mm, req, plan->len);
    if (addr < 0)
        return addr;
    err = check_limits(mm, plan);
    if (!err && (req->flags & MAP_FIXED))
        err = do_munmap_locked(mm, (uint64_t)addr, plan->len);
    if (!err)
        err = insert_range(mm, (uint64_t)addr, plan, req);
    return err ? err : addr;
}

int64_t do_mmap_locked(struct mm_struct *mm, const struct mmap_request *req)
{
    struct plan plan;
    return map_locked(mm, req, &plan);
}

/* Are its pages to be made at once? */
static bool wants_pages(const struct mmap_request *req, const struct plan *plan)
{
    bool asked = (req->flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE;
    if ((plan->vm_flags & VM_LOCKONFAULT) || (req->mapping && req->mapping->secret))
        return false;
    return asked || (plan->vm_flags & VM_LOCKED);
}

int64_t do_mmap(struct mm_struct *mm, const struct mmap_request *req)
{
    struct plan plan;
    mmap_write_lock(mm);
    int64_t addr = map_locked(mm, req, &plan);
    if (addr < 0 || !wants_pages(req, &plan)) {
        mmap_write_unlock(mm);
        return addr;
    }
    mmap_write_downgrade(mm);
    /* as on Linux the mapping stands even when it could not all be filled */
    int err = mm_populate(mm, (uint64_t)addr, (uint64_t)addr + plan.len);
    (void)err;
    up_read(&mm->mmap_lock);
    return addr;
}
