/* SPDX-License-Identifier: MIT */
/*
 * unix_name.c - how sockets are called.
 *
 *      "/tmp/s"      an inode of type S_IFSOCK; its private is the socket, while that is open
 *      "\0words"     abstract: known among sockets of one type, gone with its socket
 *      ""            bind() chooses an abstract one: five digits
 *
 * Locks: unix_lock; namespace_lock while a path is walked. Linux's counterpart: unix_bind().
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "task/path_arg.h"
#include "task/unix.h"

#define FAMILY_SIZE sizeof(uint16_t)
#define STORAGE_SIZE 128u /* the longest address of any family */
#define AUTOMATIC 0x100000u

static LIST_HEAD(named);

/* --- addresses -------------------------------------------------------------------------------- */

int unix_address_take(struct unix_address *out, uint64_t user, uint64_t size)
{
    struct {
        uint16_t family;
        char path[UNIX_PATH_MAX];
    } raw = {0};
    if ((int32_t)size < 0 || size > STORAGE_SIZE)
        return -EINVAL;
    if (copy_from_user(&raw, mk_vaddr(user), MIN(size, sizeof(raw))))
        return -EFAULT;
    *out = (struct unix_address){.size = (uint32_t)size, .family = raw.family};
    memcpy(out->path, raw.path, sizeof(raw.path));
    return 0;
}

int unix_address_give(const struct unix_address *from, uint64_t user, uint64_t size_user)
{
    uint32_t room;
    struct {
        uint16_t family;
        char path[UNIX_PATH_MAX + 1];
    } raw = {.family = from->family};
    if (get_user_u32(&room, mk_vaddr(size_user)))
        return -EFAULT;
    if ((int32_t)room < 0)
        return -EINVAL;
    memcpy(raw.path, from->path, sizeof(raw.path));
    if (copy_to_user(mk_vaddr(user), &raw, MIN(room, from->size)) ||
        put_user_u32(from->size, mk_vaddr(size_user)))
        return -EFAULT;
    return 0;
}

/* Is it one of ours? A path ends with its first NUL. */
static int tidy(struct unix_address *a)
{
    if (a->size <= FAMILY_SIZE || a->size > FAMILY_SIZE + UNIX_PATH_MAX || a->family != AF_UNIX)
        return -EINVAL;
    if (a->path[0]) {
        a->path[a->size - FAMILY_SIZE] = '\0';
        a->size = (uint32_t)(FAMILY_SIZE + strlen(a->path) + 1);
    }
    return 0;
}

/* --- finding ---------------------------------------------------------------------------------- */

static struct unix_sock *find_abstract_locked(const struct unix_address *a, uint32_t type)
{
    struct unix_sock *s;
    list_for_each_entry(s, &named, named) {
        if (s->type == type && s->address.size == a->size &&
            !memcmp(s->address.path, a->path, a->size - FAMILY_SIZE))
            return s;
    }
    return NULL;
}

static struct unix_sock *find_path(struct task *t, const char *path, int *err)
{
    struct path_hold hold;
    struct unix_sock *s = NULL;
    path_hold(t->guest, &hold);
    struct inode *inode = path_lookup(&hold.base, path, PATH_FOLLOW, err);
    if (inode)
        *err = inode_permission(inode, &hold.cred, MAY_WRITE);
    if (inode && !*err) {
        *err = -ECONNREFUSED;
        spin_lock(&unix_lock);
        s = inode_is(inode, S_IFSOCK) ? inode->private : NULL;
        if (s)
            unix_get(s);
        spin_unlock(&unix_lock);
    }
    inode_put(inode);
    path_release(&hold);
    return s;
}

struct unix_sock *unix_find(struct task *t, const struct unix_address *to, uint32_t type, int *err)
{
    struct unix_address a = *to;
    struct unix_sock *s;
    *err = tidy(&a);
    if (*err)
        return NULL;
    if (a.path[0]) {
        s = find_path(t, a.path, err);
    } else {
        *err = -ECONNREFUSED;
        spin_lock(&unix_lock);
        s = find_abstract_locked(&a, type);
        if (s)
            unix_get(s);
        spin_unlock(&unix_lock);
    }
    if (!s)
        return NULL;
    *err = s->type == type ? 0 : -EPROTOTYPE;
    if (*err) {
        unix_put(s);
        s = NULL;
    }
    return s;
}

/* --- binding ---------------------------------------------------------------------------------- */

static int enter_locked(struct unix_sock *s, const struct unix_address *a, struct inode *inode)
{
    if (s->address.size > FAMILY_SIZE)
        return -EINVAL;
    if (!inode && find_abstract_locked(a, s->type))
        return -EADDRINUSE;
    s->address = *a;
    s->inode = inode;
    if (inode)
        inode->private = s;
    list_add_tail(&s->named, &named);
    return 0;
}

static int bind_path(struct task *t, struct unix_sock *s, const struct unix_address *a)
{
    struct tmpfs_new what = {.mode = S_IFSOCK | (0777 & ~t->guest->umask)};
    struct inode *inode = NULL;
    int err = path_make(t, a->path, &what, &inode);
    if (err)
        return err == -EEXIST ? -EADDRINUSE : err;
    spin_lock(&unix_lock);
    err = enter_locked(s, a, inode);
    spin_unlock(&unix_lock);
    if (err) /* two threads bind one socket: the name that is left is nobody's */
        inode_put(inode);
    return err;
}

static int bind_abstract(struct unix_sock *s, const struct unix_address *a)
{
    spin_lock(&unix_lock);
    int err = enter_locked(s, a, NULL);
    spin_unlock(&unix_lock);
    return err;
}

static int bind_automatically(struct unix_sock *s)
{
    static uint32_t next = 1;
    struct unix_address a = {.family = AF_UNIX, .size = FAMILY_SIZE + 6};
    int err = -EADDRINUSE;
    if (s->address.size > FAMILY_SIZE)
        return 0;
    for (uint32_t i = 0; err == -EADDRINUSE && i < AUTOMATIC; i++) {
        (void)snprintf(a.path + 1, 6, "%05x", fetch_add_relaxed(&next, 1) % AUTOMATIC);
        err = bind_abstract(s, &a);
    }
    return err == -EADDRINUSE ? -ENOSPC : err;
}

int unix_bind(struct task *t, struct unix_sock *s, const struct unix_address *to)
{
    struct unix_address a = *to;
    if (a.size == FAMILY_SIZE && a.family == AF_UNIX)
        return bind_automatically(s);
    int err = tidy(&a);
    if (err)
        return err;
    if (s->address.size > FAMILY_SIZE)
        return -EINVAL;
    return a.path[0] ? bind_path(t, s, &a) : bind_abstract(s, &a);
}

void unix_unname_locked(struct unix_sock *s)
{
    assert_locked(&unix_lock);
    if (!list_empty(&s->named))
        list_del_init(&s->named);
    if (s->inode)
        s->inode->private = NULL;
}
