/* SPDX-License-Identifier: MIT */
/*
 * file_lock.c - who has locked which bytes of a file.
 *
 *      inode->locks --> [ 0..9 read, A ][ 5..9 read, B ][ 20..29 write, A ]     unordered
 *
 *      A gives up 23..25:                [ 20..22 write, A ][ 26..29 write, A ]
 *
 * An owner's own locks never overlap: a new one cuts what it covers out of the old ones, which may
 * leave two pieces of one, and grows together with neighbours of its type. The two locks that this
 * may need are made before anything is changed.
 *
 * Who waits says for whom, and is found on a list of all that wait; a circle of those is -EDEADLK.
 *
 * Locks: file_locks (RANK_FILE_LOCK), one for all files: their lists and the waiting owners. It is
 * held for the length of one list.
 * Invariants: a lock's owner holds a reference to the inode (by an open file), so the list is empty
 * when the inode goes.
 * Linux's counterpart: fs/locks.c.
 */
#include "task/file_lock.h"

#include "base/errno.h"
#include "slab/kmalloc.h"
#include "task/poll.h"

#define LOCKS_MAX 8192u /* on one file */
#define CIRCLE_MAX 10   /* owners that are followed, as on Linux */

struct file_locks {
    struct list_head list;
    uint32_t count;
    struct wait_queue changed;
};

struct waiting {
    struct list_head node;
    const void *owner, *whom;
};

static struct spinlock file_locks = SPINLOCK_INIT("file locks", RANK_FILE_LOCK);
static LIST_HEAD(waiting_owners);

/* --- looking ---------------------------------------------------------------------------------- */

static bool is_own(const struct file_lock *l, const struct file_lock *want)
{
    return l->kind == want->kind && l->owner == want->owner;
}

static bool conflicts(const struct file_lock *l, const struct file_lock *want)
{
    return (l->kind == LOCK_FLOCK) == (want->kind == LOCK_FLOCK) && !is_own(l, want) &&
           (l->type == F_WRLCK || want->type == F_WRLCK) && l->start <= want->end &&
           want->start <= l->end;
}

static const struct file_lock *conflict_locked(struct file_locks *ctx, const struct file_lock *want)
{
    struct file_lock *l;
    assert_locked(&file_locks);
    if (want->type == F_UNLCK)
        return NULL;
    list_for_each_entry(l, &ctx->list, node) {
        if (conflicts(l, want))
            return l;
    }
    return NULL;
}

static const void *waits_for_locked(const void *owner)
{
    struct waiting *w;
    list_for_each_entry(w, &waiting_owners, node) {
        if (w->owner == owner)
            return w->whom;
    }
    return NULL;
}

/* Would `owner`, waiting for `whom`, wait for itself? */
static bool is_circle_locked(const void *owner, const void *whom)
{
    for (unsigned i = 0; whom && i < CIRCLE_MAX; i++, whom = waits_for_locked(whom)) {
        if (whom == owner)
            return true;
    }
    return false;
}

/* --- changing --------------------------------------------------------------------------------- */

static void take_off(struct file_locks *ctx, struct file_lock *l, struct list_head *gone)
{
    list_move(&l->node, gone);
    ctx->count--;
}

static void put_on(struct file_locks *ctx, struct file_lock *l)
{
    list_add_tail(&l->node, &ctx->list);
    ctx->count++;
}

static void free_all(struct list_head *gone)
{
    struct file_lock *l, *next;
    list_for_each_entry_safe(l, next, gone, node)
        kfree(l);
}

/* Cut want's bytes out of its owner's lock l; *rest is used up if two pieces remain. */
static void cut(struct file_locks *ctx, struct file_lock *l, const struct file_lock *want,
                struct file_lock **rest, struct list_head *gone)
{
    bool left = l->start<want->start, right = l->end> want->end;
    if (left && right) {
        struct file_lock *r = *rest;
        *r = *l;
        r->start = want->end + 1;
        put_on(ctx, r);
        *rest = NULL;
    }
    if (left)
        l->end = want->start - 1;
    else if (right)
        l->start = want->end + 1;
    else
        take_off(ctx, l, gone);
}

/* Side by side and of one type: one lock. */
static bool grows_together(const struct file_lock *l, const struct file_lock *n)
{
    return is_own(l, n) && l->type == n->type && (l->end + 1 == n->start || n->end + 1 == l->start);
}

static void apply_locked(struct file_locks *ctx, const struct file_lock *want,
                         struct file_lock **spare, struct list_head *gone)
{
    struct file_lock *l, *next, *n = spare[0];
    list_for_each_entry_safe(l, next, &ctx->list, node) {
        if (is_own(l, want) && l->start <= want->end && want->start <= l->end)
            cut(ctx, l, want, &spare[1], gone);
    }
    if (want->type == F_UNLCK)
        return;
    *n = *want;
    spare[0] = NULL;
    list_for_each_entry_safe(l, next, &ctx->list, node) {
        if (!grows_together(l, n))
            continue;
        n->start = MIN(n->start, l->start);
        n->end = MAX(n->end, l->end);
        take_off(ctx, l, gone);
    }
    put_on(ctx, n);
}

/* --- taking ----------------------------------------------------------------------------------- */

static struct file_locks *locks_of(struct inode *inode)
{
    struct file_locks *ctx = load_acquire(&inode->locks), *none = NULL;
    if (ctx)
        return ctx;
    ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);
    if (!ctx)
        return NULL;
    INIT_LIST_HEAD(&ctx->list);
    wait_queue_init(&ctx->changed);
    if (cmpxchg(&inode->locks, &none, ctx))
        return ctx;
    kfree(ctx);
    return none;
}

/* One try: 0, -EAGAIN with *whom, -ENOLCK. */
static int try_lock(struct file_locks *ctx, const struct file_lock *want, struct file_lock **spare,
                    const void **whom)
{
    LIST_HEAD(gone);
    int err = 0;
    spin_lock(&file_locks);
    const struct file_lock *other = conflict_locked(ctx, want);
    if (other) {
        err = -EAGAIN;
        *whom = other->owner;
    } else if (ctx->count + 2 > LOCKS_MAX && want->type != F_UNLCK) {
        err = -ENOLCK;
    } else {
        apply_locked(ctx, want, spare, &gone);
    }
    spin_unlock(&file_locks);
    free_all(&gone);
    if (!err)
        wake_up_all(&ctx->changed);
    return err;
}

static bool is_free(struct file_locks *ctx, const struct file_lock *want)
{
    spin_lock(&file_locks);
    bool yes = !conflict_locked(ctx, want);
    spin_unlock(&file_locks);
    return yes;
}

static int wait_for_owner(struct file_locks *ctx, const struct file_lock *want, const void *whom)
{
    struct waiting w = {.owner = want->owner, .whom = whom};
    spin_lock(&file_locks);
    bool circle = want->kind == LOCK_POSIX && is_circle_locked(w.owner, whom);
    if (!circle)
        list_add_tail(&w.node, &waiting_owners);
    spin_unlock(&file_locks);
    if (circle)
        return -EDEADLK;
    int err = task_wait_event(&ctx->changed, is_free(ctx, want));
    spin_lock(&file_locks);
    list_del(&w.node);
    spin_unlock(&file_locks);
    return err;
}

int file_lock_set(struct file *f, const struct file_lock *want, bool wait)
{
    struct file_locks *ctx = locks_of(f->inode);
    struct file_lock *spare[2] = {kmalloc(sizeof(*want), GFP_KERNEL),
                                  kmalloc(sizeof(*want), GFP_KERNEL)};
    const void *whom = NULL;
    int err = ctx && spare[0] && spare[1] ? 0 : -ENOMEM;
    while (!err) {
        err = try_lock(ctx, want, spare, &whom);
        if (err != -EAGAIN || !wait)
            break;
        err = wait_for_owner(ctx, want, whom);
    }
    kfree(spare[0]);
    kfree(spare[1]);
    return err;
}

bool file_lock_find(struct file *f, struct file_lock *want)
{
    struct file_locks *ctx = load_acquire(&f->inode->locks);
    if (!ctx)
        return false;
    spin_lock(&file_locks);
    const struct file_lock *l = conflict_locked(ctx, want);
    if (l)
        *want = *l;
    spin_unlock(&file_locks);
    return l != NULL;
}

void file_lock_drop(struct file *f, enum file_lock_kind kind, const void *owner)
{
    struct file_locks *ctx = f->inode ? load_acquire(&f->inode->locks) : NULL;
    struct file_lock *l, *next;
    LIST_HEAD(gone);
    if (!ctx)
        return;
    spin_lock(&file_locks);
    list_for_each_entry_safe(l, next, &ctx->list, node) {
        if (l->kind == kind && l->owner == owner)
            take_off(ctx, l, &gone);
    }
    spin_unlock(&file_locks);
    if (list_empty(&gone))
        return;
    free_all(&gone);
    wake_up_all(&ctx->changed);
}
