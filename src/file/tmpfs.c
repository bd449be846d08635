/* SPDX-License-Identifier: MIT */
/*
 * tmpfs.c - a file system in memory.
 *
 *      superblock --root--> inode "/" --entry "bin"--> inode --entry "hello"--> inode --> pages
 *          `-- quota: pages that all of its files have together
 *
 * nlink counts names; a directory has one for itself and one for each directory in it. What has
 * neither a name nor a user is gone, with its pages.
 *
 * Locks: namespace_lock for writing. Linux's counterpart: mm/shmem.c, fs/ramfs.
 */
#include "file/tmpfs.h"

#include "base/errno.h"
#include "base/string.h"
#include "fault/shmem.h"
#include "file/dir.h"
#include "file/path.h"
#include "phys/node.h"
#include "phys/vmstat.h"
#include "slab/kmalloc.h"

struct superblock *root_fs;

/* --- operations ------------------------------------------------------------------------------- */

static struct inode *lookup(struct inode *dir, const char *name, size_t n, int *err)
{
    struct dir_entry *entry = dir_find(dir, name, n);
    *err = entry ? 0 : -ENOENT;
    return entry ? inode_get(entry->inode) : NULL;
}

static pagoda_ssize_t readlink(struct inode *link, char *buf, size_t n)
{
    n = MIN(n, strlen(link->text));
    memcpy(buf, link->text, n);
    return (pagoda_ssize_t)n;
}

/* A whole tree may go at once: what is in a directory below moves up, so nothing recurs deeply. */
static void evict(struct inode *inode)
{
    while (!list_empty(&inode->order)) {
        struct dir_entry *entry = list_first_entry(&inode->order, struct dir_entry, list);
        struct inode *child = entry->inode;
        list_del(&entry->list);
        kfree(entry);
        child->entry = NULL;
        if (load_relaxed(&child->refcount) == 1)
            list_splice_tail_init(&child->order, &inode->order);
        inode_put(child);
    }
}

static const struct inode_ops ops = {
    .lookup = lookup,
    .list = dir_list,
    .readlink = readlink,
    .evict = evict,
};

bool tmpfs_owns(const struct inode *inode)
{
    return inode->ops == &ops;
}

/* --- making ----------------------------------------------------------------------------------- */

struct inode *tmpfs_make_unnamed(struct superblock *sb, const struct tmpfs_new *what)
{
    struct inode *inode = inode_alloc(sb, &ops, what->mode);
    if (!inode)
        return NULL;
    inode->rdev = what->rdev;
    if (what->cred) {
        inode->uid = what->cred->uid;
        inode->gid = what->cred->gid;
    }
    if (what->target) {
        size_t size = strlen(what->target) + 1;
        inode->text = kmalloc(size, GFP_KERNEL);
        if (!inode->text) {
            inode_put(inode);
            return NULL;
        }
        memcpy(inode->text, what->target, size);
        store_relaxed(&inode->mapping.size, size - 1);
    }
    return inode;
}

struct superblock *tmpfs_create(uint64_t max_pages)
{
    static uint32_t next_dev = 0x14; /* minor numbers of file systems without a device */
    static const struct tmpfs_new root = {.mode = S_IFDIR | 0755};
    struct superblock *sb = kzalloc(sizeof(*sb), GFP_KERNEL);
    struct shmem_quota *quota = kzalloc(sizeof(*quota), GFP_KERNEL);
    if (sb && quota) {
        *sb = (struct superblock){.type = "tmpfs",
                                  .magic = TMPFS_MAGIC,
                                  .dev = fetch_add_relaxed(&next_dev, 1),
                                  .next_ino = 1,
                                  .quota = quota};
        quota->max = max_pages;
        sb->root = tmpfs_make_unnamed(sb, &root);
        if (sb->root) {
            sb->root->nlink = 2;
            return sb;
        }
    }
    kfree(sb);
    kfree(quota);
    return NULL;
}

void tmpfs_boot(void)
{
    root_fs = tmpfs_create(nr_managed_pages() / 2);
    BUG_ON(!root_fs);
    root_fs->mount_id = ROOT_MOUNT_ID;
}

/* The directory's own times, and the links that directories are to it. */
static void dir_changed(struct inode *dir, int links)
{
    dir->nlink += (uint32_t)links;
    dir->mtime = dir->ctime = inode_now();
}

int tmpfs_make(struct inode *dir, const char *name, size_t n, const struct tmpfs_new *what,
               struct inode **out)
{
    bool is_dir = (what->mode & S_IFMT) == S_IFDIR;
    if (!dir->nlink) /* removed while somebody was in it */
        return -ENOENT;
    struct inode *inode = tmpfs_make_unnamed(dir->sb, what);
    if (!inode)
        return -ENOMEM;
    if (dir->mode & S_ISGID) { /* its group is inherited */
        inode->gid = dir->gid;
        inode->mode |= is_dir ? S_ISGID : 0;
    }
    int err = dir_add(dir, name, n, inode);
    if (!err) {
        inode->nlink = is_dir ? 2 : 1;
        dir_changed(dir, is_dir);
    }
    if (err || !out)
        inode_put(inode);
    else
        *out = inode;
    return err;
}

int tmpfs_link(struct inode *inode, struct inode *dir, const char *name, size_t n)
{
    if (inode_is(inode, S_IFDIR))
        return -EPERM;
    if (inode->sb != dir->sb)
        return -EXDEV;
    if (!dir->nlink)
        return -ENOENT;
    int err = dir_add(dir, name, n, inode);
    if (!err) {
        inode->nlink++;
        inode->ctime = inode_now();
        dir_changed(dir, 0);
    }
    return err;
}

/* --- removing --------------------------------------------------------------------------------- */

/* May this be removed? */
static int check_victim(const struct inode *victim, bool directory)
{
    if (victim->mounted)
        return -EBUSY;
    if (directory && !inode_is(victim, S_IFDIR))
        return -ENOTDIR;
    if (!directory && inode_is(victim, S_IFDIR))
        return -EISDIR;
    return directory && !dir_is_empty(victim) ? -ENOTEMPTY : 0;
}

/* The last name of a file that is still in use: what maps and /proc/PID/fd say from now on. */
static void remember_name(struct inode *inode)
{
    static const char behind[] = " (deleted)";
    char *text = kmalloc(PATH_LEN_MAX + sizeof(behind), GFP_KERNEL);
    int n = text ? inode_path(inode, text, PATH_LEN_MAX) : -ENOMEM;
    if (n < 0) {
        kfree(text);
        return;
    }
    memcpy(text + n, behind, sizeof(behind));
    inode->text = kstrdup(text, GFP_KERNEL);
    kfree(text);
}

static void remove_entry(struct dir_entry *entry)
{
    struct inode *dir = entry->dir, *victim = entry->inode;
    bool is_dir = inode_is(victim, S_IFDIR), last = victim->nlink == (is_dir ? 2 : 1);
    if (last && !victim->text && load_relaxed(&victim->refcount) > 1)
        remember_name(victim);
    (void)dir_remove(entry);
    victim->nlink -= is_dir ? 2 : 1;
    victim->ctime = inode_now();
    dir_changed(dir, -is_dir);
    inode_put(victim);
}

int tmpfs_unlink(struct inode *dir, const char *name, size_t n, bool directory)
{
    struct dir_entry *entry = dir_find(dir, name, n);
    int err = entry ? check_victim(entry->inode, directory) : -ENOENT;
    if (!err)
        remove_entry(entry);
    return err;
}

/* --- renaming --------------------------------------------------------------------------------- */

/* Is `inode` the directory `dir`, or one above it? */
static bool holds(const struct inode *inode, const struct inode *dir)
{
    while (dir != inode && dir->entry)
        dir = dir->entry->dir;
    return dir == inode;
}

static int check_rename(const struct dir_entry *from, const struct tmpfs_name *to,
                        const struct dir_entry *there, uint32_t flags)
{
    bool is_dir = inode_is(from->inode, S_IFDIR);
    if (from->dir->sb != to->dir->sb)
        return -EXDEV;
    if (!to->dir->nlink)
        return -ENOENT;
    if (is_dir && holds(from->inode, to->dir))
        return -EINVAL;
    if (from->inode->mounted)
        return -EBUSY;
    if (flags & RENAME_EXCHANGE) {
        if (!there)
            return -ENOENT;
        return inode_is(there->inode, S_IFDIR) && holds(there->inode, from->dir) ? -EINVAL : 0;
    }
    if (!there)
        return 0;
    if (flags & RENAME_NOREPLACE)
        return -EEXIST;
    if (is_dir != inode_is(there->inode, S_IFDIR))
        return is_dir ? -ENOTDIR : -EISDIR;
    return check_victim(there->inode, is_dir);
}

/* Two names change their files. */
static void exchange(struct dir_entry *a, struct dir_entry *b)
{
    struct inode *x = a->inode, *y = b->inode;
    int moved = (int)inode_is(y, S_IFDIR) - (int)inode_is(x, S_IFDIR);
    a->inode = y;
    b->inode = x;
    x->entry = b;
    y->entry = a;
    x->ctime = y->ctime = inode_now();
    dir_changed(a->dir, moved);
    dir_changed(b->dir, -moved);
}

int tmpfs_rename(const struct tmpfs_name *from, const struct tmpfs_name *to, uint32_t flags)
{
    struct dir_entry *old = dir_find(from->dir, from->name, from->len);
    struct dir_entry *there = dir_find(to->dir, to->name, to->len);
    int err = old ? check_rename(old, to, there, flags) : -ENOENT;
    if (err)
        return err;
    if (there && there->inode == old->inode)
        return 0; /* two names of one file: both stay, as POSIX wants */
    if (flags & RENAME_EXCHANGE) {
        exchange(old, there);
        return 0;
    }
    struct inode *inode = old->inode;
    bool is_dir = inode_is(inode, S_IFDIR);
    struct dir_entry *new = dir_entry_new(to->name, to->len);
    if (!new)
        return -ENOMEM;
    if (there)
        remove_entry(there);
    dir_insert(to->dir, new, inode);
    inode_put(dir_remove(old)); /* the new name has a reference of its own */
    inode->ctime = inode_now();
    dir_changed(from->dir, -is_dir);
    dir_changed(to->dir, is_dir);
    return 0;
}
