/* SPDX-License-Identifier: MIT */
/*
 * sys_memory.c - the memory calls: arguments are taken apart here, the work is in src/fault.
 *
 * Linux's counterpart: the SYSCALL_DEFINEs of mm/.
 */
#include "arch/layout.h"
#include "arch/uaccess.h"
#include "base/errno.h"
#include "fault/mmap.h"
#include "fault/shmem.h"
#include "file/root.h"
#include "task/files.h"
#include "task/syscalls.h"
#include "virt/commit.h"
#include "virt/mapping.h"

#define MS_ASYNC 1
#define MS_INVALIDATE 2
#define MS_SYNC 4
#define MINCORE_CHUNK 256

int64_t sys_brk(struct task *t, const uint64_t *a)
{
    return (int64_t)do_brk(t->mm, a[0]);
}

/* The rights that the open file gives to a mapping of it. */
static uint64_t may_flags(const struct file *f)
{
    uint64_t may = VM_MAYEXEC;
    uint32_t access = f->flags & O_ACCMODE;
    if (access != O_WRONLY)
        may |= VM_MAYREAD;
    if (access != O_RDONLY)
        may |= VM_MAYWRITE;
    if (f->inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
        may &= ~VM_MAYWRITE;
    return may;
}

static bool device_is_zero(const struct file *f)
{
    return f->inode && inode_is(f->inode, S_IFCHR) && f->inode->rdev == DEV_ZERO;
}

/* What cannot be mapped, and what seals forbid. */
static int check_mappable(const struct file *f, const struct mmap_request *req)
{
    bool shared = (req->flags & MAP_TYPE) != MAP_PRIVATE;
    if (f->flags & O_PATH)
        return -EBADF;
    if (!f->inode || (f->ops != &regular_file_ops && f->ops != &secret_file_ops))
        return -ENODEV;
    if (f->inode->mapping.secret && !shared)
        return -EINVAL;
    if (shared && (req->prot & PROT_WRITE) &&
        (f->inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
        return -EPERM;
    return 0;
}

int64_t sys_mmap(struct task *t, const uint64_t *a)
{
    struct mmap_request req = {
        .addr = a[0], .len = a[1], .prot = a[2], .flags = a[3], .pgoff = a[5] >> PAGE_SHIFT};
    struct file *f = NULL;
    if (!IS_ALIGNED(a[5], PAGE_SIZE))
        return -EINVAL;
    if (!(req.flags & MAP_ANONYMOUS)) {
        f = file_get(t->guest->files, a[4]);
        if (!f)
            return -EBADF;
        if (device_is_zero(f)) { /* as memory without a file */
            file_put(f);
            f = NULL;
            req.flags |= MAP_ANONYMOUS;
        }
    }
    if (f) {
        int err = check_mappable(f, &req);
        if (err) {
            file_put(f);
            return err;
        }
        req.mapping = &f->inode->mapping;
        req.may = may_flags(f);
    }
    struct address_space *shared = NULL;
    if (!f && (req.flags & MAP_TYPE) != MAP_PRIVATE) { /* shared memory is an object of its own */
        if (!req.len || req.len > USER_TOP)
            return req.len ? -ENOMEM : -EINVAL;
        bool account = !(req.flags & MAP_NORESERVE) || sysctl_overcommit_memory == OVERCOMMIT_NEVER;
        shared = shmem_create(req.len, account);
        if (!shared)
            return -ENOMEM;
        req.mapping = shared;
        req.pgoff = 0;
    }
    int64_t addr = do_mmap(t->mm, &req);
    if (shared)
        mapping_put(shared);
    if (f)
        file_put(f);
    return addr;
}

int64_t sys_munmap(struct task *t, const uint64_t *a)
{
    return do_munmap(t->mm, a[0], a[1]);
}

int64_t sys_mprotect(struct task *t, const uint64_t *a)
{
    return do_mprotect(t->mm, a[0], a[1], a[2]);
}

int64_t sys_mremap(struct task *t, const uint64_t *a)
{
    return do_mremap(t->mm, a[0], a[1], a[2], a[3], a[4]);
}

int64_t sys_remap_file_pages(struct task *t, const uint64_t *a)
{
    return a[2] ? -EINVAL : do_remap_file_pages(t->mm, a[0], a[1], a[3], a[4]);
}

int64_t sys_mseal(struct task *t, const uint64_t *a)
{
    return a[2] ? -EINVAL : do_mseal(t->mm, a[0], a[1]);
}

int64_t sys_madvise(struct task *t, const uint64_t *a)
{
    return do_madvise(t->mm, a[0], a[1], (int)a[2]);
}

/* Nothing is ever dirty towards a disk: only the range is looked at. */
int64_t sys_msync(struct task *t, const uint64_t *a)
{
    uint64_t addr = a[0], len = a[1], flags = a[2], end;
    if ((flags & ~(uint64_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
        (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC) || !IS_ALIGNED(addr, PAGE_SIZE))
        return -EINVAL;
    end = addr + ALIGN_UP(len, PAGE_SIZE);
    if (end < addr)
        return -ENOMEM;
    down_read(&t->mm->mmap_lock);
    int64_t err = vma_range_is_mapped(t->mm, addr, end) ? 0 : -ENOMEM;
    const struct vm_area_struct *vma = find_vma(t->mm, addr);
    for (; (flags & MS_INVALIDATE) && vma && vma->vm_start < end; vma = vma_next(vma)) {
        if (vma->vm_flags & VM_LOCKED)
            err = -EBUSY; /* before a hole, or behind one */
    }
    up_read(&t->mm->mmap_lock);
    return err;
}

int64_t sys_mincore(struct task *t, const uint64_t *a)
{
    uint8_t vec[MINCORE_CHUNK];
    uint64_t addr = a[0], pages;
    if (!IS_ALIGNED(addr, PAGE_SIZE))
        return -EINVAL;
    if (addr > USER_TOP || a[1] > USER_TOP - addr)
        return -ENOMEM;
    pages = (a[1] + PAGE_SIZE - 1) >> PAGE_SHIFT;
    for (uint64_t done = 0; done < pages;) {
        uint64_t n = MIN(pages - done, (uint64_t)MINCORE_CHUNK);
        int err = do_mincore(t->mm, addr + (done << PAGE_SHIFT), n, vec);
        if (err)
            return err;
        if (copy_to_user(mk_vaddr(a[2] + done), vec, n))
            return -EFAULT;
        done += n;
        cond_resched();
    }
    return 0;
}
