/* SPDX-License-Identifier: MIT */
/*
 * sysv_shm.c - shared memory by key: shmget, shmat, shmdt.
 *
 *      key 0x1234 --table--> segment 7 [ mapping, owner, times ] <--attached-- VMAs of guests
 *
 * A segment stays until it is removed, attached or not; removed, it stays while it is attached.
 * An id is the place in the table and how often that was used before, so old ids are not valid.
 *
 * Locks: shm_lock for the table and for what segments say of themselves.
 * Linux's counterpart: ipc/shm.c, ipc/util.c.
 */
#include "task/sysv_shm.h"

#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "fault/mmap.h"
#include "fault/shmem.h"
#include "file/inode.h"
#include "slab/kmalloc.h"
#include "task/guest.h"
#include "task/syscalls.h"
#include "virt/vma.h"

#define SEQUENCE (1 << 15)

#define IPC_CREAT 01000u
#define IPC_EXCL 02000u
#define SHM_HUGETLB 04000u
#define SHM_RDONLY 010000u
#define SHM_RND 020000u
#define SHM_REMAP 040000u
#define SHM_EXEC 0100000u

uint64_t sysctl_shmmax = UINT64_MAX - (1UL << 24), sysctl_shmall = UINT64_MAX - (1UL << 24);

struct spinlock shm_lock = SPINLOCK_INIT("sysv shm", RANK_INODE);
struct shm_segment *shm_table[SHM_MNI];
static uint32_t uses[SHM_MNI]; /* how often a place was used: the upper part of ids */
uint32_t shm_nr_segments;
uint64_t shm_total_pages;

/* --- as what is mapped ------------------------------------------------------------------------ */

static struct shm_segment *segment_of(const struct address_space *m)
{
    return container_of(m, struct shm_segment, mapping);
}

void shm_forget_locked(struct shm_segment *s)
{
    assert_locked(&shm_lock);
    shm_table[s->id % SEQUENCE] = NULL;
    shm_nr_segments--;
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
    spin_lock(&shm_lock);
    s->nattch++;
    s->atime = inode_now() / NSEC_PER_SEC;
    s->lpid = t ? t->guest->pid : 0;
    spin_unlock(&shm_lock);
}

static void segment_put(struct address_space *m)
{
    struct shm_segment *s = segment_of(m);
    const struct task *t = task_current();
    spin_lock(&shm_lock);
    s->dtime = inode_now() / NSEC_PER_SEC;
    s->lpid = t ? t->guest->pid : 0;
    bool last = --s->nattch == 0 && s->removed;
    if (last)
        shm_forget_locked(s);
    spin_unlock(&shm_lock);
    if (last)
        shm_destroy(s);
}

static void segment_print_name(const struct address_space *m, struct sink *out)
{
    print(out, "/SYSV%08x (deleted)", segment_of(m)->key);
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

/* --- the table -------------------------------------------------------------------------------- */

struct shm_segment *shm_find_locked(int32_t id)
{
    assert_locked(&shm_lock);
    if (id < 0 || id % SEQUENCE >= SHM_MNI)
        return NULL;
    struct shm_segment *s = shm_table[id % SEQUENCE];
    return s && s->id == id ? s : NULL;
}

static struct shm_segment *find_key_locked(uint32_t key)
{
    assert_locked(&shm_lock);
    for (uint32_t i = 0; i < SHM_MNI; i++) {
        if (shm_table[i] && shm_table[i]->key == key && !shm_table[i]->removed)
            return shm_table[i];
    }
    return NULL;
}

void shm_each(void (*fn)(const struct shm_segment *s, void *arg), void *arg)
{
    spin_lock(&shm_lock);
    for (uint32_t i = 0; i < SHM_MNI; i++) {
        if (shm_table[i])
            fn(shm_table[i], arg);
    }
    spin_unlock(&shm_lock);
}

int shm_permission(const struct shm_segment *s, const struct guest *g, uint32_t wanted)
{
    const struct guest_cred *c = &g->cred;
    uint32_t mode = s->mode, uid = c->uid[ID_EFFECTIVE], gid = c->gid[ID_EFFECTIVE];
    if (!uid)
        return 0;
    if (uid == s->uid || uid == s->cuid)
        mode >>= 6;
    else if (gid == s->gid || gid == s->cgid)
        mode >>= 3;
    return wanted & ~mode ? -EACCES : 0;
}

/* --- shmget ----------------------------------------------------------------------------------- */

static struct shm_segment *make(const struct guest *g, uint32_t key, uint64_t size, uint32_t flags)
{
    struct shm_segment *s = kzalloc(sizeof(*s), GFP_KERNEL);
    if (!s)
        return NULL;
    address_space_init(&s->mapping, &segment_ops, s, size);
    s->mapping.dev = 1;
    s->key = key;
    s->mode = flags & 0777;
    s->uid = s->cuid = g->cred.uid[ID_EFFECTIVE];
    s->gid = s->cgid = g->cred.gid[ID_EFFECTIVE];
    s->ctime = inode_now() / NSEC_PER_SEC;
    s->cpid = g->pid;
    return s;
}

static int64_t enter_locked(struct shm_segment *s)
{
    uint32_t at = 0;
    uint64_t pages = mapping_pages(&s->mapping);
    assert_locked(&shm_lock);
    while (at < SHM_MNI && shm_table[at])
        at++;
    if (at == SHM_MNI || shm_total_pages + pages > sysctl_shmall)
        return -ENOSPC;
    s->id = (int32_t)(at + (uses[at]++ % (INT32_MAX / SEQUENCE)) * SEQUENCE);
    s->mapping.ino = (uint64_t)s->id;
    shm_table[at] = s;
    shm_nr_segments++;
    shm_total_pages += pages;
    return s->id;
}

static int64_t open_locked(const struct shm_segment *s, const struct guest *g, uint64_t size,
                           uint32_t flags)
{
    if ((flags & IPC_CREAT) && (flags & IPC_EXCL))
        return -EEXIST;
    if (size > s->mapping.size)
        return -EINVAL;
    uint32_t wanted = (flags >> 6 | flags >> 3 | flags) & 07;
    int err = shm_permission(s, g, wanted);
    return err ? err : s->id;
}

int64_t sys_shmget(struct task *t, const uint64_t *a)
{
    uint32_t key = (uint32_t)a[0], flags = (uint32_t)a[2];
    struct shm_segment *new = NULL;
    if (flags & SHM_HUGETLB)
        return -EINVAL;
    bool size_ok = a[1] >= 1 && a[1] <= sysctl_shmmax && a[1] <= UINT64_MAX / 2;
    if ((!key || (flags & IPC_CREAT)) && size_ok) {
        new = make(t->guest, key, a[1], flags);
        if (!new)
            return -ENOMEM;
    }
    spin_lock(&shm_lock);
    struct shm_segment *s = key ? find_key_locked(key) : NULL;
    int64_t id = s                             ? open_locked(s, t->guest, a[1], flags)
                 : key && !(flags & IPC_CREAT) ? -ENOENT
                 : !new                        ? -EINVAL
                                               : enter_locked(new);
    bool used = new &&id >= 0 && !s;
    spin_unlock(&shm_lock);
    if (new && !used)
        kfree(new);
    return id;
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
    spin_lock(&shm_lock);
    struct shm_segment *s = shm_find_locked((int32_t)a[0]);
    err = s ? shm_permission(s, t->guest, flags & SHM_RDONLY ? 4 : 6) : -EINVAL;
    if (!err && s->removed && !s->nattch)
        err = -EIDRM;
    if (!err)
        s->nattch++; /* for us, until it is mapped */
    spin_unlock(&shm_lock);
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
