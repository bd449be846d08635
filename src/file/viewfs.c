/* SPDX-License-Identifier: MIT */
/*
 * viewfs.c - directories, files and links out of the registry of views.
 *
 *      inode(text "/proc/7") --lookup "maps"--> "/proc/7/maps": which view is that?
 *                                               inode(text "/proc/7/maps")
 *
 * An inode is made at each look and goes with its last user; its number is a hash of its path, so
 * that it is the same each time.
 *
 * Locks: none of its own; the registry never changes. Linux's counterpart: fs/proc/generic.c.
 */
#include "file/viewfs.h"

#include "base/errno.h"
#include "base/hash.h"
#include "base/string.h"
#include "file/dir.h"
#include "file/path.h"
#include "file/tmpfs.h"
#include "slab/kmalloc.h"

static const struct inode_ops ops;

bool viewfs_owns(const struct inode *inode)
{
    return inode->ops == &ops;
}

static uint64_t number_of(const char *path)
{
    uint64_t h = 0xcbf29ce484222325UL; /* FNV-1a */
    for (; *path; path++)
        h = (h ^ (uint8_t)*path) * 0x100000001b3UL;
    return (h >> 32 ^ h) & 0xffffffffu;
}

static uint32_t mode_of(const struct view *view)
{
    if (view->link)
        return S_IFLNK | 0777;
    bool writable = view->store || view->write_at;
    return S_IFREG | (view->mode ? view->mode : 0444u | (writable ? 0200u : 0));
}

static struct inode *make(struct superblock *sb, const char *path, uint32_t mode)
{
    struct inode *inode = inode_alloc(sb, &ops, mode);
    if (!inode)
        return NULL;
    inode->text = kstrdup(path, GFP_KERNEL);
    if (!inode->text) {
        inode_put(inode);
        return NULL;
    }
    inode->ino = number_of(path);
    inode->nlink = inode_is(inode, S_IFDIR) ? 2 : 1;
    return inode;
}

/* "/proc/7" and "maps", or its directory for "..". */
static int join(const struct inode *dir, const char *name, size_t n, char *path)
{
    if (n == 2 && name[0] == '.' && name[1] == '.') {
        strlcpy(path, dir->text, VIEW_PATH);
        *strrchr(path, '/') = '\0';
        return 0;
    }
    int len = snprintf(path, VIEW_PATH, "%s/%.*s", dir->text, (int)n, name);
    return len < VIEW_PATH ? 0 : -ENOENT;
}

static struct inode *lookup(struct inode *dir, const char *name, size_t n, int *err)
{
    char path[VIEW_PATH];
    struct view_args args;
    *err = join(dir, name, n, path);
    if (*err)
        return NULL;
    bool is_dir;
    const struct view *view = view_resolve(path, &args, &is_dir);
    *err = -ENOENT;
    if (!view && !is_dir)
        return NULL;
    struct inode *inode = make(dir->sb, path, view ? mode_of(view) : S_IFDIR | 0555);
    *err = inode ? 0 : -ENOMEM;
    return inode;
}

struct listing {
    struct inode *dir;
    uint64_t at, from;
    dir_emit *emit;
    void *arg;
    bool full;
};

static void list_one(void *arg, const char *name, bool is_dir)
{
    struct listing *l = arg;
    char path[VIEW_PATH];
    struct view_args args;
    size_t n = strlen(name);
    if (l->at++ < l->from || l->full || join(l->dir, name, n, path))
        return;
    const struct view *view = is_dir ? NULL : view_find(path, &args);
    uint32_t mode = view ? mode_of(view) : S_IFDIR;
    l->full = !l->emit(l->arg, name, n, number_of(path), mode, l->at);
}

static int list(struct inode *dir, uint64_t pos, dir_emit *emit, void *arg)
{
    struct listing l = {.dir = dir, .from = pos, .emit = emit, .arg = arg};
    return view_list(dir->text, list_one, &l);
}

static pagoda_ssize_t readlink(struct inode *link, char *buf, size_t n)
{
    struct view_args args;
    struct buffer_sink out;
    const struct view *view = view_find(link->text, &args);
    if (!view || !view->link)
        return -ENOENT;
    buffer_sink_init(&out, buf, n);
    int err = view->link(&out.sink, &args);
    return err ? err : (pagoda_ssize_t)MIN(out.len, n - 1);
}

static struct inode *follow(struct inode *link, int *err)
{
    struct view_args args;
    const struct view *view = view_find(link->text, &args);
    *err = view ? 0 : -ENOENT;
    return view && view->follow ? view->follow(&args, err) : NULL;
}

static const struct inode_ops ops = {
    .lookup = lookup,
    .list = list,
    .readlink = readlink,
    .follow = follow,
};

static void mount_views(const char *name, const char *type, uint32_t magic, uint32_t dev)
{
    static const struct tmpfs_new what = {.mode = S_IFDIR | 0555};
    char path[16];
    struct superblock *sb = kzalloc(sizeof(*sb), GFP_KERNEL);
    struct dir_entry *there = dir_find(root_fs->root, name, strlen(name));
    struct inode *on = there ? inode_get(there->inode) : NULL;
    BUG_ON(!sb || (!on && tmpfs_make(root_fs->root, name, strlen(name), &what, &on)));
    *sb = (struct superblock){.type = type, .magic = magic, .dev = dev};
    snprintf(path, sizeof(path), "/%s", name);
    sb->root = make(sb, path, S_IFDIR | 0555);
    BUG_ON(!sb->root);
    BUG_ON(mount_on(sb, on));
    inode_put(on);
}

void viewfs_boot(void)
{
    mount_views("proc", "proc", PROC_MAGIC, 0x12);
    mount_views("sys", "sysfs", SYSFS_MAGIC, 0x13);
}
