/* SPDX-License-Identifier: MIT */
/*
 * mount.c - one tree out of several file systems.
 *
 *      directory --mounted--> root of the other          walking down: path.c steps over
 *      directory <--covers--- root of the other          walking up: and back
 *
 * What is unmounted goes when nobody uses a file of it any more.
 *
 * Locks: namespace_lock. Linux's counterpart: fs/namespace.c.
 */
#include "base/errno.h"
#include "file/path.h"
#include "slab/kmalloc.h"

static LIST_HEAD(mounts);
static uint32_t last_id = ROOT_MOUNT_ID;

int mount_on(struct superblock *sb, struct inode *dir)
{
    char *where = kmalloc(PATH_LEN_MAX, GFP_KERNEL);
    if (!where)
        return -ENOMEM;
    int n = inode_path(dir, where, PATH_LEN_MAX);
    if (n >= 0 && !dir->mounted && !dir->covers)
        sb->where = kstrdup(where, GFP_KERNEL);
    kfree(where);
    if (dir->mounted || dir->covers)
        return -EBUSY;
    if (!sb->where)
        return n < 0 ? n : -ENOMEM;
    sb->mount_id = ++last_id;
    list_add_tail(&sb->mounts, &mounts);
    sb->root->covers = inode_get(dir);
    dir->mounted = inode_get(sb->root);
    return 0;
}

int unmount(struct inode *root, bool lazily)
{
    struct inode *dir = root->covers;
    if (!dir || dir->mounted != root)
        return -EINVAL;
    /* the caller, the mount, and the superblock's own: anyone else is in it */
    if (!lazily && (load_relaxed(&root->refcount) > 3 || load_relaxed(&root->sb->users)))
        return -EBUSY;
    list_del(&root->sb->mounts);
    dir->mounted = NULL;
    root->covers = NULL;
    inode_put(dir);
    inode_put(root); /* the mount's */
    inode_put(root); /* the superblock's own, which made it live */
    return 0;
}

void mount_each(void (*fn)(const struct superblock *sb, void *arg), void *arg)
{
    struct superblock *sb;
    list_for_each_entry(sb, &mounts, mounts)
        fn(sb, arg);
}
