/* SPDX-License-Identifier: MIT */
/*
 * user.c - accounts of users. user.h has the picture.
 *
 * Who drops the last reference takes the lock first: otherwise somebody could find the account in
 * the list just then.
 *
 * Locks: users_lock (RANK_USER). Linux's counterpart: kernel/user.c, kernel/ucount.c.
 */
#include "task/user.h"

#include "base/atomic.h"
#include "kern/lock.h"
#include "kern/panic.h"
#include "slab/cache.h"

static struct spinlock users_lock = SPINLOCK_INIT("users", RANK_USER);
static LIST_HEAD(users);
static struct kmem_cache *user_cache;

void user_init(void)
{
    user_cache = kmem_cache_create("user_struct", sizeof(struct user_struct), 0, 0, NULL);
    BUG_ON(!user_cache);
}

static struct user_struct *find_locked(uint32_t uid)
{
    struct user_struct *u;
    assert_locked(&users_lock);
    list_for_each_entry(u, &users, node) {
        if (u->uid == uid)
            return u;
    }
    return NULL;
}

struct user_struct *user_find(uint32_t uid)
{
    spin_lock(&users_lock);
    struct user_struct *u = find_locked(uid);
    if (!u) {
        u = kmem_cache_alloc(user_cache, GFP_ATOMIC | __GFP_ZERO);
        if (u) {
            u->uid = uid;
            list_add(&u->node, &users);
        }
    }
    if (u)
        user_get(u);
    spin_unlock(&users_lock);
    return u;
}

void user_get(struct user_struct *u)
{
    fetch_add_relaxed(&u->refcount, 1);
}

void user_put(struct user_struct *u)
{
    spin_lock(&users_lock);
    bool last = fetch_sub(&u->refcount, 1) == 1;
    if (last)
        list_del(&u->node);
    spin_unlock(&users_lock);
    if (last) {
        ASSERT(!u->nr_tasks && !u->nr_signals && !u->msg_bytes);
        kmem_cache_free(user_cache, u);
    }
}
