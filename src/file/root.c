/* SPDX-License-Identifier: MIT */
/*
 * root.c - what is in the tree before anyone puts something there.
 *
 *      /               tmpfs            /proc   views          /tmp      for all, sticky
 *      /dev/null ...   devices          /sys    views          /dev/shm  for shm_open()
 *      /dev/fd         open files
 *
 * Locks: none, boot only.
 */
#include "file/root.h"

#include "base/errno.h"
#include "base/string.h"
#include "file/path.h"
#include "file/tmpfs.h"
#include "file/viewfs.h"
#include "kern/panic.h"

static struct inode *make_any(struct inode *dir, const char *name, const struct tmpfs_new *what)
{
    struct inode *inode = NULL;
    if (tmpfs_make(dir, name, strlen(name), what, &inode))
        panic("no memory for /%s", name);
    inode_put(inode); /* its name keeps it */
    return inode;
}

static struct inode *make(struct inode *dir, const char *name, uint32_t mode, uint32_t rdev)
{
    return make_any(dir, name, &(struct tmpfs_new){.mode = mode, .rdev = rdev});
}

/* What a shell calls its open files. */
static void link_open_files(struct inode *dev)
{
    static const struct {
        const char *name, *target;
    } links[] = {
        {"fd", "/proc/self/fd"},
        {"stdin", "/proc/self/fd/0"},
        {"stdout", "/proc/self/fd/1"},
        {"stderr", "/proc/self/fd/2"},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(links); i++)
        make_any(dev, links[i].name,
                 &(struct tmpfs_new){.mode = S_IFLNK | 0777, .target = links[i].target});
}

void file_boot(void)
{
    static const struct {
        const char *name;
        uint32_t rdev;
    } devices[] = {
        {"null", DEV_NULL},       {"zero", DEV_ZERO}, {"full", DEV_FULL}, {"random", DEV_RANDOM},
        {"urandom", DEV_URANDOM}, {"kmsg", DEV_KMSG}, {"tty", DEV_TTY},   {"console", DEV_CONSOLE},
    };
    inode_init();
    tmpfs_boot();
    make(root_fs->root, "tmp", S_IFDIR | S_ISVTX | 0777, 0);
    struct inode *dev = make(root_fs->root, "dev", S_IFDIR | 0755, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(devices); i++)
        make(dev, devices[i].name, S_IFCHR | 0666, devices[i].rdev);
    link_open_files(dev);
    make(dev, "shm", S_IFDIR | S_ISVTX | 0777, 0);
    viewfs_boot();
}

/* --- for the monitor's own use ---------------------------------------------------------------- */

struct inode *file_find(const char *path, int *err)
{
    static const struct cred root;
    const struct path_base base = {root_fs->root, root_fs->root, &root, 0};
    return path_lookup(&base, path, PATH_FOLLOW, err);
}

static int make_file(const char *path)
{
    static const struct cred root;
    static const struct tmpfs_new what = {.mode = S_IFREG | 0644, .cred = &root};
    const struct path_base base = {root_fs->root, root_fs->root, &root, 0};
    struct path_parent at;
    down_write(&namespace_lock);
    int err = path_parent(&base, path, &at);
    if (!err)
        err = tmpfs_owns(at.dir) ? tmpfs_make(at.dir, at.name, at.len, &what, NULL) : -ENOENT;
    inode_put(at.dir);
    up_write(&namespace_lock);
    return err;
}

int file_store(const char *path, const char *text, size_t n)
{
    int err;
    struct inode *inode = file_find(path, &err);
    if (!inode && err == -ENOENT) {
        err = make_file(path);
        inode = err ? NULL : file_find(path, &err);
    }
    if (!inode)
        return err;
    if (viewfs_owns(inode)) {
        err = view_write(inode->text, text, n);
    } else if (!inode_is(inode, S_IFREG)) {
        err = inode_is(inode, S_IFDIR) ? -EISDIR : -EACCES;
    } else {
        down_write(&inode->rwsem);
        err = inode_truncate(inode, 0);
        pagoda_ssize_t put = err ? err : inode_write(inode, text, n, 0);
        up_write(&inode->rwsem);
        err = put < 0 ? (int)put : 0;
    }
    inode_put(inode);
    return err;
}

struct listing {
    void (*entry)(void *arg, const char *name, bool is_dir);
    void *arg;
};

static bool list_one(void *arg, const char *name, size_t n, uint64_t ino, uint32_t mode,
                     uint64_t next)
{
    char text[NAME_MAX + 1];
    const struct listing *l = arg;
    (void)ino;
    (void)next;
    memcpy(text, name, n);
    text[n] = '\0';
    l->entry(l->arg, text, (mode & S_IFMT) == S_IFDIR);
    return true;
}

int file_list(const char *dir, void (*entry)(void *arg, const char *name, bool is_dir), void *arg)
{
    struct listing l = {entry, arg};
    int err;
    struct inode *inode = file_find(dir, &err);
    if (!inode)
        return err;
    down_read(&namespace_lock);
    err = inode->ops->list && inode_is(inode, S_IFDIR) ? inode->ops->list(inode, 0, list_one, &l)
                                                       : -ENOTDIR;
    up_read(&namespace_lock);
    inode_put(inode);
    return err;
}
