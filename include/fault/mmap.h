/* SPDX-License-Identifier: MIT */
/*
 * mmap.h - changing what an address space maps: the work behind the memory system calls.
 *
 * One file of src/fault for each: mmap.c, munmap.c, mprotect.c, mremap.c, brk.c, madvise.c, fork.c,
 * mseal.c, remap_file_pages.c, policy.c.
 * All validate wholly before they change anything.
 *
 * Locks: each takes mmap_lock itself, unless it is called _locked. Thread context, may block.
 * Linux's counterpart: mm/mmap.c, mprotect.c, mremap.c, madvise.c; kernel/fork.c's dup_mmap().
 */
#ifndef PAGODA_FAULT_MMAP_H
#define PAGODA_FAULT_MMAP_H

#include "virt/mm.h"

/* Linux's numbers. */
#define PROT_NONE 0x0
#define PROT_READ 0x1
#define PROT_WRITE 0x2
#define PROT_EXEC 0x4
#define PROT_SEM 0x8
#define PROT_GROWSDOWN 0x01000000
#define PROT_GROWSUP 0x02000000

#define MAP_SHARED 0x01
#define MAP_PRIVATE 0x02
#define MAP_SHARED_VALIDATE 0x03
#define MAP_TYPE 0x0f
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20
#define MAP_GROWSDOWN 0x0100
#define MAP_DENYWRITE 0x0800
#define MAP_EXECUTABLE 0x1000
#define MAP_LOCKED 0x2000
#define MAP_NORESERVE 0x4000
#define MAP_POPULATE 0x8000
#define MAP_NONBLOCK 0x10000
#define MAP_STACK 0x20000
#define MAP_HUGETLB 0x40000
#define MAP_FIXED_NOREPLACE 0x100000

#define MREMAP_MAYMOVE 1
#define MREMAP_FIXED 2
#define MREMAP_DONTUNMAP 4

/** A mapping as asked for. */
struct mmap_request {
    uint64_t addr; /* wish, or with MAP_FIXED command */
    uint64_t len;  /* bytes, not 0 */
    uint64_t prot, flags;
    struct address_space *mapping; /* NULL: anonymous. A reference is taken */
    uint64_t pgoff;                /* first page of the object */
    uint64_t may;                  /* VM_MAY* that the open file allows; 0: all */
};

/** Address of the new mapping, or -EINVAL, -ENOMEM, -EEXIST, -EACCES, -EPERM, -EOPNOTSUPP. */
int64_t do_mmap(struct mm_struct *mm, const struct mmap_request *req);
int64_t do_mmap_locked(struct mm_struct *mm, const struct mmap_request *req);

/** 0, -EINVAL, -ENOMEM (a split was not possible), -EPERM (sealed). */
int do_munmap(struct mm_struct *mm, uint64_t addr, uint64_t len) must_check;
int do_munmap_locked(struct mm_struct *mm, uint64_t addr, uint64_t len) must_check;

/** 0, -EINVAL, -ENOMEM (not all mapped), -EACCES, -EPERM (sealed). */
int do_mprotect(struct mm_struct *mm, uint64_t addr, uint64_t len, uint64_t prot) must_check;

/** The new address, or -EINVAL, -EFAULT, -ENOMEM, -EAGAIN, -EPERM (sealed). */
int64_t do_mremap(struct mm_struct *mm, uint64_t addr, uint64_t old_len, uint64_t new_len,
                  uint64_t flags, uint64_t new_addr);

/** The break afterwards, which is the old one if it could not be moved. */
uint64_t do_brk(struct mm_struct *mm, uint64_t brk);

/** 0, -EINVAL, -ENOMEM (a hole in between). */
int do_madvise(struct mm_struct *mm, uint64_t addr, uint64_t len, int advice) must_check;

/** process_madvise: may it be given for another's memory? */
bool madvise_is_for_others(int advice);

/** From now on the range cannot be unmapped, moved or given other rights. 0, -EINVAL, -ENOMEM. */
int do_mseal(struct mm_struct *mm, uint64_t addr, uint64_t len) must_check;

/** Is anything in start..end sealed? mmap_lock held. */
bool mm_range_sealed(struct mm_struct *mm, uint64_t start, uint64_t end);

/** mlock and munlock. 0, -EINVAL, -ENOMEM (a hole, or the limit), -EAGAIN, -EPERM, -EINTR. */
int do_mlock(struct mm_struct *mm, uint64_t addr, uint64_t len, bool on_fault) must_check;
int do_munlock(struct mm_struct *mm, uint64_t addr, uint64_t len) must_check;

#define MCL_CURRENT 1u
#define MCL_FUTURE 2u
#define MCL_ONFAULT 4u

/** All at once. 0, -ENOMEM, -EPERM. */
int do_mlockall(struct mm_struct *mm, uint32_t flags) must_check;
void do_munlockall(struct mm_struct *mm);

/** A byte for each page, 1: resident. 0 or -ENOMEM. The caller has checked addr and len. */
int do_mincore(struct mm_struct *mm, uint64_t addr, uint64_t pages, uint8_t *vec) must_check;

/** Fork: copy the VMAs and share the pages of src copy-on-write. 0 or -ENOMEM. */
int dup_mmap(struct mm_struct *dst, struct mm_struct *src) must_check;

/** mbind: the policy (NULL: none) of start..end. 0, -EFAULT, -ENOMEM. */
int mm_set_range_policy(struct mm_struct *mm, uint64_t start, uint64_t end,
                        struct mempolicy *pol) must_check;

/**
 * BIND and PREFERRED_MANY of start..end: near this node first. 0, -ENOENT (no policy there),
 * -EOPNOTSUPP (another kind of policy), -ENOMEM.
 */
int mm_set_home_node(struct mm_struct *mm, uint64_t start, uint64_t end, int nid) must_check;

/** Map other pages of the shared object that is at start. 0, -EINVAL, -ENOMEM. */
int do_remap_file_pages(struct mm_struct *mm, uint64_t start, uint64_t len, uint64_t pgoff,
                        uint64_t flags) must_check;

/** vm_flags (VM_READ..) and PTE protection of a PROT_*. */
uint64_t prot_to_vm_flags(uint64_t prot);
uint64_t vm_flags_to_pte(uint64_t vm_flags);

#endif
