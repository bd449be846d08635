/* SPDX-License-Identifier: MIT */
/*
 * sysv_ipc.c - keys, ids and owners of System V's objects; sysv_ipc.h has the picture.
 *
 *      ipc_get:  make one, in case | lock | find the key | found: may we? does it fit?
 *                                         | not found: may there be one more? enter ours
 *                                  | unlock | discard ours, if it was not used
 *
 * A waiter is decided for by somebody else, under the lock; so what it waited for may be freed at
 * once, and no sleeper looks at it again.
 *
 * Locks: ids->lock. Linux's counterpart: ipc/util.c.
 */
#include "task/sysv_ipc.h"

#include "base/errno.h"
#include "file/inode.h"
#include "phys/vmstat.h"
#include "slab/kmalloc.h"
#include "task/poll.h"

#define MEMORY_SHARE 8 /* of all memory, one part for all objects together */

static uint64_t bytes_used; /* (a) */

uint64_t ipc_now(void)
{
    return inode_now() / NSEC_PER_SEC;
}

/* --- memory ----------------------------------------------------------------------------------- */

void *ipc_alloc(size_t size)
{
    void *p = kzalloc(size, GFP_KERNEL);
    if (!p)
        return NULL;
    uint64_t used = fetch_add_relaxed(&bytes_used, ksize(p)) + ksize(p);
    if (used <= nr_managed_pages() * PAGE_SIZE / MEMORY_SHARE)
        return p;
    ipc_free(p);
    return NULL;
}

void ipc_free(void *p)
{
    if (p)
        fetch_sub(&bytes_used, ksize(p));
    kfree(p);
}

/* --- the table -------------------------------------------------------------------------------- */

struct ipc_perm *ipc_at_locked(struct ipc_ids *ids, int32_t place)
{
    assert_locked(&ids->lock);
    return place >= 0 && place < (int32_t)IPC_MNI ? ids->table[place] : NULL;
}

struct ipc_perm *ipc_find_locked(struct ipc_ids *ids, int32_t id)
{
    struct ipc_perm *p = id < 0 ? NULL : ipc_at_locked(ids, id % IPC_SEQUENCE);
    return p && p->id == id ? p : NULL;
}

static struct ipc_perm *find_key_locked(struct ipc_ids *ids, uint32_t key)
{
    assert_locked(&ids->lock);
    for (uint32_t i = 0; key && i < IPC_MNI; i++) {
        if (ids->table[i] && ids->table[i]->key == key)
            return ids->table[i];
    }
    return NULL;
}

int32_t ipc_highest_locked(const struct ipc_ids *ids)
{
    assert_locked(&ids->lock);
    int32_t at = IPC_MNI - 1;
    while (at > 0 && !ids->table[at])
        at--;
    return at;
}

void ipc_forget_locked(struct ipc_ids *ids, struct ipc_perm *p)
{
    assert_locked(&ids->lock);
    ids->table[p->id % IPC_SEQUENCE] = NULL;
    ids->used--;
}

void ipc_each(struct ipc_ids *ids, void (*fn)(const struct ipc_perm *p, void *arg), void *arg)
{
    spin_lock(&ids->lock);
    for (uint32_t i = 0; i < IPC_MNI; i++) {
        if (ids->table[i])
            fn(ids->table[i], arg);
    }
    spin_unlock(&ids->lock);
}

/* --- rights ----------------------------------------------------------------------------------- */

static bool in_group(const struct guest_cred *c, uint32_t gid)
{
    bool found = c->gid[ID_EFFECTIVE] == gid;
    for (uint32_t i = 0; i < c->nr_groups; i++)
        found |= c->groups[i] == gid;
    return found;
}

int ipc_permission(const struct ipc_perm *p, const struct guest *g, uint32_t wanted)
{
    const struct guest_cred *c = &g->cred;
    uint32_t mode = p->mode, uid = c->uid[ID_EFFECTIVE];
    if (uid == p->uid || uid == p->cuid)
        mode >>= 6;
    else if (in_group(c, p->gid) || in_group(c, p->cgid))
        mode >>= 3;
    return (wanted & ~mode & 07) && !cred_capable(c, CAP_IPC_OWNER) ? -EACCES : 0;
}

int ipc_owner(const struct ipc_perm *p, const struct guest *g)
{
    uint32_t uid = g->cred.uid[ID_EFFECTIVE];
    bool owns = uid == p->uid || uid == p->cuid;
    return owns || cred_capable(&g->cred, CAP_SYS_ADMIN) ? 0 : -EPERM;
}

/* --- getting one ------------------------------------------------------------------------------ */

static void own(struct ipc_perm *p, const struct guest *g, uint32_t key, uint32_t flags)
{
    p->key = key;
    p->mode = flags & 0777;
    p->uid = p->cuid = g->cred.uid[ID_EFFECTIVE];
    p->gid = p->cgid = g->cred.gid[ID_EFFECTIVE];
}

static int64_t enter_locked(const struct ipc_kind *kind, struct ipc_perm *new)
{
    struct ipc_ids *ids = kind->ids;
    uint32_t at = 0;
    while (at < IPC_MNI && ids->table[at])
        at++;
    int err = at == IPC_MNI ? -ENOSPC : kind->admit_locked(new);
    if (err)
        return err;
    new->id = (int32_t)(at + (ids->uses[at]++ % (INT32_MAX / IPC_SEQUENCE)) * IPC_SEQUENCE);
    ids->table[at] = new;
    ids->used++;
    return new->id;
}

static int64_t open_locked(const struct ipc_kind *kind, const struct ipc_perm *old,
                           const struct guest *g, uint64_t size, uint32_t flags)
{
    if ((flags & IPC_CREAT) && (flags & IPC_EXCL))
        return -EEXIST;
    int err = kind->fits_locked(old, size);
    if (!err)
        err = ipc_permission(old, g, (flags >> 6 | flags >> 3 | flags) & 07);
    return err ? err : old->id;
}

int64_t ipc_get(const struct ipc_kind *kind, const struct guest *g, uint32_t key, uint64_t size,
                uint32_t flags)
{
    struct ipc_perm *new = NULL;
    int make_err = 0;
    if (!key || (flags & IPC_CREAT)) {
        new = kind->make(size, &make_err);
        if (new)
            own(new, g, key, flags);
    }
    spin_lock(&kind->ids->lock);
    const struct ipc_perm *old = find_key_locked(kind->ids, key);
    int64_t id = old                           ? open_locked(kind, old, g, size, flags)
                 : key && !(flags & IPC_CREAT) ? -ENOENT
                 : !new                        ? make_err
                                               : enter_locked(kind, new);
    bool used = new && !old &&id >= 0;
    spin_unlock(&kind->ids->lock);
    if (new && !used)
        kind->discard(new);
    return id;
}

/* --- as calls see it -------------------------------------------------------------------------- */

struct ipc_perm_abi ipc_perm_to_abi(const struct ipc_perm *p)
{
    return (struct ipc_perm_abi){.key = p->key,
                                 .uid = p->uid,
                                 .gid = p->gid,
                                 .cuid = p->cuid,
                                 .cgid = p->cgid,
                                 .mode = p->mode,
                                 .seq = (uint16_t)(p->id / IPC_SEQUENCE)};
}

void ipc_perm_change_locked(struct ipc_perm *p, const struct ipc_perm_abi *from)
{
    p->uid = from->uid;
    p->gid = from->gid;
    p->mode = (p->mode & ~0777u) | (from->mode & 0777);
}

/* --- waiting ---------------------------------------------------------------------------------- */

void ipc_wake_locked(struct ipc_waiter *w, int32_t status)
{
    list_del(&w->node);
    store_release(&w->status, status);
    wake_up_all(&w->woken);
}

void ipc_wake_all_locked(struct list_head *list, int32_t status)
{
    while (!list_empty(list))
        ipc_wake_locked(list_first_entry(list, struct ipc_waiter, node), status);
}

int ipc_wait(struct spinlock *lock, struct list_head *list, struct ipc_waiter *w, uint64_t end)
{
    assert_locked(lock);
    wait_queue_init(&w->woken);
    w->status = IPC_WAITING;
    list_add_tail(&w->node, list);
    spin_unlock(lock);
    int err = task_wait_event_until(&w->woken, load_acquire(&w->status) != IPC_WAITING, end);
    spin_lock(lock); /* whoever decided has let go of what lies on our stack */
    if (w->status == IPC_WAITING) {
        list_del(&w->node);
        w->status = err;
    }
    spin_unlock(lock);
    return w->status;
}
