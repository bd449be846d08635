/* SPDX-License-Identifier: MIT */
/*
 * sysv_shm.c - shared memory by key: shmget, shmat, shmdt.
 *
 *      key 0x1234 --table--> segment 7 [ mapping, owner, times ] <--attached-- VMAs of guests
 *
 * A segment stays until it is removed, attached or not; removed, it stays while it is attached.
 *
 * Locks: shm_ids.lock, for what segments say of themselves too. Linux's counterpart: ipc/shm.c.
 */
#include "task/sysv_shm.h"

#include "arch/uaccess.h"
#include "base/errno.h"
#include "fault/mmap.h"
#include "fault/shmem.h"
#include "slab/kmalloc.h"
#include "task/guest.h"
#include "task/syscalls.h"
#include "virt/vma.h"

#define SHM_HUGETLB 04000u
#define SHM_RDONLY 010000u
#define SHM_RND 020000u
#define SHM_REMAP 040000u
#define SHM_EXEC 0100000u

uint64_t sysctl_shmmax = UINT64_MAX - (1UL << 24), sysctl_shmall = UINT64_MAX - (1UL << 24);

uint64_t sysctl_shmmni = IPC_MNI;

struct ipc_ids shm_ids = IPC_IDS_INIT("sysv shm");
uint64_t shm_total_pages;

/* --- as what is mapped ------------------------------------------------------------------------ */

static struct shm_segment *segment_of(const struct address_space *m)
{
    return container_of(m, struct shm_segment, mapping);
}

void shm_forget_locked(struct shm_segment *s)
{
    ipc_forget_locked(&shm_ids, &s->perm);
    shm_total_pages -= mapping_pages(&s->mapping);
}

void shm_destroy(struct shm_segment *s)
{
    shmem_drop_pages(&s->mapping, 0, UINT64_MAX);
    page_tree_destroy(&s->mapping.pages);
    kfree(s);
}

static void segment_get(struct address_space *m)
{
    struct shm_segment *s = segment_of(m);
    const struct task *t = task_current();
    spin_lock(&shm_ids.lock);
    s->nattch++;
    s->atime = ipc_now();
    s->lpid = t ? t->guest->pid : 0;
    spin_unlock(&shm_ids.lock);
}

static void segment_put(struct address_space *m)
{
    struct shm_segment *s = segment_of(m);
    const struct task *t = task_current();
    spin_lock(&shm_ids.lock);
    s->dtime = ipc_now();
    s->lpid = t ? t->guest->pid : 0;
    bool last = --s->nattch == 0 && s->removed;
    if (last)
        shm_forget_locked(s);
    spin_unlock(&shm_ids.lock);
    if (last)
        shm_destroy(s);
}

static void segment_print_name(const struct address_space *m, struct sink *out)
{
    print(out, "/SYSV%08x (deleted)", segment_of(m)->perm.key);
}

static const struct address_space_ops segment_ops = {
    .counts_vmas = true,
    .get_page = shmem_get_page,
    .replace_page = shmem_replace_page,
    .drop_range = shmem_drop_range,
    .get = segment_get,
    .put = segment_put,
    .print_name = segment_print_name,
};

/* --- shmget ----------------------------------------------------------------------------------- */

static struct shm_segment *of_perm(struct ipc_perm *p)
{
    return container_of(p, struct shm_segment, perm);
}

static struct ipc_perm *make(uint64_t size, int *err)
{
    *err = -EINVAL;
    if (!size || size > sysctl_shmmax || size > UINT64_MAX / 2)
        return NULL;
    *err = -ENOMEM;
    struct shm_segment *s = kzalloc(sizeof(*s), GFP_KERNEL);
    if (!s)
        return NULL;
    address_space_init(&s->mapping, &segment_ops, s, size);
    s->mapping.dev = 1;
    s->ctime = ipc_now();
    s->cpid = task_current()->guest->pid;
    return &s->perm;
}

static int admit_locked(struct ipc_perm *new)
{
    uint64_t pages = mapping_pages(&of_perm(new)->mapping);
    if (shm_ids.used >= sysctl_shmmni || shm_total_pages + pages > sysctl_shmall)
        return -ENOSPC;
    shm_total_pages += pages;
    return 0;
}

static int fits_locked(const struct ipc_perm *old, uint64_t size)
{
    return size > container_of(old, struct shm_segment, perm)->mapping.size ? -EINVAL : 0;
}

static void discard(struct ipc_perm *new)
{
    kfree(of_perm(new));
}

static const struct ipc_kind kind = {&shm_ids, make, admit_locked, fits_locked, discard};

int64_t sys_shmget(struct task *t, const uint64_t *a)
{
    uint32_t flags = (uint32_t)a[2];
    return flags & SHM_HUGETLB ? -EINVAL : ipc_get(&kind, t->guest, (uint32_t)a[0], a[1], flags);
}

struct shm_segment *shm_find_locked(int32_t id)
{
    struct ipc_perm *p = ipc_find_locked(&shm_ids, id);
    return p ? of_perm(p) : NULL;
}

/* --- shmat, shmdt ----------------------------------------------------------------------------- */

static int place(struct mmap_request *req, struct mm_struct *mm, uint64_t addr, uint32_t flags)
{
    if (!addr)
        return flags & SHM_REMAP ? -EINVAL : 0;
    if (!IS_ALIGNED(addr, PAGE_SIZE)) {
        if (!(flags & SHM_RND))
            return -EINVAL;
        addr = ALIGN_DOWN(addr, PAGE_SIZE);
    }
    req->addr = addr;
    req->flags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    (void)mm;
    return 0;
}

int64_t sys_shmat(struct task *t, const uint64_t *a)
{
    uint32_t flags = (uint32_t)a[2];
    struct mmap_request req = {.prot = PROT_READ, .flags = MAP_SHARED};
    req.prot |= (flags & SHM_RDONLY ? 0 : PROT_WRITE) | (flags & SHM_EXEC ? PROT_EXEC : 0);
    req.may = VM_MAYREAD | VM_MAYEXEC | (flags & SHM_RDONLY ? 0 : VM_MAYWRITE);
    int err = place(&req, t->mm, a[1], flags);
    if (err)
        return err;
    spin_lock(&shm_ids.lock);
    struct shm_segment *s = shm_find_locked((int32_t)a[0]);
    err =
        s ? ipc_permission(&s->perm, t->guest, flags & SHM_RDONLY ? IPC_READ : IPC_READ | IPC_WRITE)
          : -EINVAL;
    if (!err && s->removed && !s->nattch)
        err = -EIDRM;
    if (!err)
        s->nattch++; /* for us, until it is mapped */
    spin_unlock(&shm_ids.lock);
    if (err)
        return err;
    req.mapping = &s->mapping;
    req.len = s->mapping.size;
    int64_t addr = do_mmap(t->mm, &req);
    segment_put(&s->mapping);
    return addr == -EEXIST ? -EINVAL : addr;
}

/* All that is left of what was attached at addr. */
int64_t sys_shmdt(struct task *t, const uint64_t *a)
{
    struct mm_struct *mm = t->mm;
    uint64_t addr = a[0], end = 0;
    int err = -EINVAL;
    if (!IS_ALIGNED(addr, PAGE_SIZE))
        return -EINVAL;
    mmap_write_lock(mm);
    const struct vm_area_struct *vma = find_vma(mm, addr);
    const struct address_space *m = NULL;
    for (; vma && (!end || vma->vm_start < end);) {
        uint64_t start = vma->vm_start, len = vma->vm_end - start;
        bool ours = vma->vm_mapping && vma->vm_mapping->ops == &segment_ops &&
                    start - addr == vma->vm_pgoff << PAGE_SHIFT && (!m || m == vma->vm_mapping);
        if (ours && !m) {
            m = vma->vm_mapping;
            end = addr + ALIGN_UP(m->size, PAGE_SIZE);
        }
        if (!m)
            break;
        err = ours ? do_munmap_locked(mm, start, len) : err;
        if (err)
            break;
        vma = find_vma(mm, start + len);
    }
    mmap_write_unlock(mm);
    return err;
}
