/* SPDX-License-Identifier: MIT */
/*
 * sys_cred.c - changing in whose name a guest acts.
 *
 *      root (CAP_SETUID) sets any of its ids to anything; others move among those that they have.
 *      Whose ids are all other than root's loses root's capabilities.
 *
 * Locks: guest->lock. Linux's counterpart: kernel/sys.c, kernel/capability.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "task/cred.h"
#include "task/guest.h"
#include "task/syscalls.h"
#include "task/user.h"

#define KEEP UINT32_MAX /* -1: leave it */

/* --- asking ----------------------------------------------------------------------------------- */

int64_t sys_getuid(struct task *t, const uint64_t *a)
{
    (void)a;
    return t->guest->cred.uid[ID_REAL];
}

int64_t sys_geteuid(struct task *t, const uint64_t *a)
{
    (void)a;
    return t->guest->cred.uid[ID_EFFECTIVE];
}

int64_t sys_getgid(struct task *t, const uint64_t *a)
{
    (void)a;
    return t->guest->cred.gid[ID_REAL];
}

int64_t sys_getegid(struct task *t, const uint64_t *a)
{
    (void)a;
    return t->guest->cred.gid[ID_EFFECTIVE];
}

static int64_t put_three(const uint32_t *ids, const uint64_t *to)
{
    for (int i = 0; i < 3; i++) {
        if (put_user_u32(ids[i], mk_vaddr(to[i])))
            return -EFAULT;
    }
    return 0;
}

int64_t sys_getresuid(struct task *t, const uint64_t *a)
{
    return put_three(t->guest->cred.uid, a);
}

int64_t sys_getresgid(struct task *t, const uint64_t *a)
{
    return put_three(t->guest->cred.gid, a);
}

/* --- changing ids ----------------------------------------------------------------------------- */

/* Root's capabilities come and go with root's ids. */
static void fix_caps(struct guest_cred *c, const uint32_t *old)
{
    bool was = !old[ID_REAL] || !old[ID_EFFECTIVE] || !old[ID_SAVED];
    bool is = !c->uid[ID_REAL] || !c->uid[ID_EFFECTIVE] || !c->uid[ID_SAVED];
    if (was && !is)
        c->cap_effective = 0;
    if (was && !is && !c->keep_caps)
        c->cap_permitted = 0;
    if (!old[ID_EFFECTIVE] && c->uid[ID_EFFECTIVE])
        c->cap_effective = 0;
    if (old[ID_EFFECTIVE] && !c->uid[ID_EFFECTIVE])
        c->cap_effective = c->cap_permitted;
}

void cred_exec(struct guest_cred *c)
{
    bool root = !c->uid[ID_REAL] || !c->uid[ID_EFFECTIVE];
    c->cap_permitted = root ? c->cap_inheritable | c->cap_bounding : 0;
    c->cap_effective = c->uid[ID_EFFECTIVE] ? 0 : c->cap_permitted;
    c->keep_caps = false;
}

static bool among(uint32_t id, const uint32_t *ids, int n)
{
    for (int i = 0; i < n; i++) {
        if (ids[i] == id)
            return true;
    }
    return id == KEEP;
}

/* Another real user, another account. False: there is no memory for one. */
static bool change_user(struct guest *g, uint32_t uid)
{
    struct user_struct *u = user_find(uid);
    if (!u)
        return false;
    spin_lock(&g->lock);
    struct user_struct *old = g->user;
    g->user = u;
    fetch_sub(&old->nr_tasks, g->nr_tasks);
    fetch_add_relaxed(&u->nr_tasks, g->nr_tasks);
    spin_unlock(&g->lock);
    user_put(old);
    return true;
}

/* Set real, effective and saved; KEEP leaves one. Those that are wished must be allowed. */
static int64_t set_three(struct guest *g, bool users, const uint32_t to[3], bool allowed)
{
    struct guest_cred *c = &g->cred;
    uint32_t old_uid[NR_IDS], *ids = users ? c->uid : c->gid;
    memcpy(old_uid, c->uid, sizeof(old_uid));
    if (!allowed && !cred_capable(c, users ? CAP_SETUID : CAP_SETGID))
        return -EPERM;
    if (users && to[ID_REAL] != KEEP && !change_user(g, to[ID_REAL]))
        return -EAGAIN;
    spin_lock(&g->lock);
    for (int i = 0; i < 3; i++)
        ids[i] = to[i] == KEEP ? ids[i] : to[i];
    ids[ID_FS] = ids[ID_EFFECTIVE];
    if (users)
        fix_caps(c, old_uid);
    if (g->mm)
        store_relaxed(&g->mm->memlock_limit, guest_memlock_limit(g));
    spin_unlock(&g->lock);
    return 0;
}

static int64_t set_one(struct guest *g, bool users, uint32_t id)
{
    const uint32_t *ids = users ? g->cred.uid : g->cred.gid;
    if (id == KEEP)
        return -EINVAL;
    if (cred_capable(&g->cred, users ? CAP_SETUID : CAP_SETGID))
        return set_three(g, users, (uint32_t[]){id, id, id}, true);
    bool allowed = id == ids[ID_REAL] || id == ids[ID_SAVED];
    return set_three(g, users, (uint32_t[]){KEEP, id, KEEP}, allowed);
}

int64_t sys_setuid(struct task *t, const uint64_t *a)
{
    return set_one(t->guest, true, (uint32_t)a[0]);
}

int64_t sys_setgid(struct task *t, const uint64_t *a)
{
    return set_one(t->guest, false, (uint32_t)a[0]);
}

/* setreuid: the saved id follows when the real one is set, or the effective one becomes another. */
static int64_t set_two(struct guest *g, bool users, uint32_t real, uint32_t effective)
{
    const uint32_t *ids = users ? g->cred.uid : g->cred.gid;
    bool allowed = among(real, ids, 2) && among(effective, ids, 3);
    bool follows = real != KEEP || (effective != KEEP && effective != ids[ID_REAL]);
    uint32_t saved = !follows ? KEEP : effective != KEEP ? effective : ids[ID_EFFECTIVE];
    return set_three(g, users, (uint32_t[]){real, effective, saved}, allowed);
}

int64_t sys_setreuid(struct task *t, const uint64_t *a)
{
    return set_two(t->guest, true, (uint32_t)a[0], (uint32_t)a[1]);
}

int64_t sys_setregid(struct task *t, const uint64_t *a)
{
    return set_two(t->guest, false, (uint32_t)a[0], (uint32_t)a[1]);
}

static int64_t set_res(struct guest *g, bool users, const uint64_t *a)
{
    const uint32_t *ids = users ? g->cred.uid : g->cred.gid;
    uint32_t to[3] = {(uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2]};
    bool allowed = among(to[0], ids, 3) && among(to[1], ids, 3) && among(to[2], ids, 3);
    return set_three(g, users, to, allowed);
}

int64_t sys_setresuid(struct task *t, const uint64_t *a)
{
    return set_res(t->guest, true, a);
}

int64_t sys_setresgid(struct task *t, const uint64_t *a)
{
    return set_res(t->guest, false, a);
}

/* The id for files alone; returns what it was, also when it may not be set. */
static int64_t set_fs(struct guest *g, bool users, uint32_t id)
{
    uint32_t *ids = users ? g->cred.uid : g->cred.gid, old = ids[ID_FS];
    bool capable = cred_capable(&g->cred, users ? CAP_SETUID : CAP_SETGID);
    if (id != KEEP && (capable || among(id, ids, NR_IDS)))
        store_relaxed(&ids[ID_FS], id);
    return old;
}

int64_t sys_setfsuid(struct task *t, const uint64_t *a)
{
    return set_fs(t->guest, true, (uint32_t)a[0]);
}

int64_t sys_setfsgid(struct task *t, const uint64_t *a)
{
    return set_fs(t->guest, false, (uint32_t)a[0]);
}

/* --- groups ----------------------------------------------------------------------------------- */

int64_t sys_getgroups(struct task *t, const uint64_t *a)
{
    const struct guest_cred *c = &t->guest->cred;
    int64_t n = c->nr_groups;
    if ((int)a[0] < 0 || (a[0] && a[0] < (uint64_t)n))
        return -EINVAL;
    if (a[0] && copy_to_user(mk_vaddr(a[1]), c->groups, (size_t)n * sizeof(c->groups[0])))
        return -EFAULT;
    return n;
}

int64_t sys_setgroups(struct task *t, const uint64_t *a)
{
    struct guest *g = t->guest;
    uint32_t groups[GROUPS_MAX];
    if (!cred_capable(&g->cred, CAP_SETGID))
        return -EPERM;
    if (a[0] > GROUPS_MAX)
        return -EINVAL;
    if (copy_from_user(groups, mk_vaddr(a[1]), a[0] * sizeof(groups[0])))
        return -EFAULT;
    spin_lock(&g->lock);
    memcpy(g->cred.groups, groups, a[0] * sizeof(groups[0]));
    g->cred.nr_groups = (uint32_t)a[0];
    spin_unlock(&g->lock);
    return 0;
}

/* --- capabilities ----------------------------------------------------------------------------- */

#define CAP_VERSION_3 0x20080522u

struct cap_words {
    uint32_t effective, permitted, inheritable;
};

/* The header: version and pid. Which guest, or NULL with *err. */
static struct guest *cap_target(struct task *t, uint64_t header, int64_t *err)
{
    uint32_t h[2];
    *err = -EFAULT;
    if (copy_from_user(h, mk_vaddr(header), sizeof(h)))
        return NULL;
    if (h[0] != CAP_VERSION_3) {
        *err = put_user_u32(CAP_VERSION_3, mk_vaddr(header)) ? -EFAULT : -EINVAL;
        return NULL;
    }
    *err = -EINVAL;
    if ((int32_t)h[1] < 0)
        return NULL;
    *err = -ESRCH;
    if (h[1])
        return guest_find(h[1]);
    guest_get(t->guest);
    return t->guest;
}

int64_t sys_capget(struct task *t, const uint64_t *a)
{
    int64_t err;
    struct guest *g = cap_target(t, a[0], &err);
    if (!g)
        return err == -EINVAL && !a[1] ? 0 : err; /* the version alone was asked for */
    const struct guest_cred *c = &g->cred;
    struct cap_words w[2];
    for (int i = 0; i < 2; i++) {
        w[i].effective = (uint32_t)(c->cap_effective >> (32 * i));
        w[i].permitted = (uint32_t)(c->cap_permitted >> (32 * i));
        w[i].inheritable = (uint32_t)(c->cap_inheritable >> (32 * i));
    }
    guest_put(g);
    return a[1] && copy_to_user(mk_vaddr(a[1]), w, sizeof(w)) ? -EFAULT : 0;
}

int64_t sys_capset(struct task *t, const uint64_t *a)
{
    int64_t err;
    struct cap_words w[2];
    struct guest *g = cap_target(t, a[0], &err);
    if (!g)
        return err;
    guest_put(g);
    if (g != t->guest)
        return -EPERM;
    if (copy_from_user(w, mk_vaddr(a[1]), sizeof(w)))
        return -EFAULT;
    uint64_t effective = w[0].effective | (uint64_t)w[1].effective << 32;
    uint64_t permitted = w[0].permitted | (uint64_t)w[1].permitted << 32;
    uint64_t inheritable = w[0].inheritable | (uint64_t)w[1].inheritable << 32;
    if ((permitted & ~g->cred.cap_permitted) || (effective & ~permitted))
        return -EPERM;
    spin_lock(&g->lock);
    g->cred.cap_effective = effective;
    g->cred.cap_permitted = permitted;
    g->cred.cap_inheritable = inheritable & CAP_ALL;
    if (g->mm)
        store_relaxed(&g->mm->memlock_limit, guest_memlock_limit(g));
    spin_unlock(&g->lock);
    return 0;
}
