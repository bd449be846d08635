/* SPDX-License-Identifier: MIT */
/*
 * sys_xattr.c - extended attributes: setxattr and its kin, by path, by link, by open file.
 *
 *      user.NAME       who may read or write the file; plain files and directories
 *      trusted.NAME    who has CAP_SYS_ADMIN; others do not see them
 *      security.NAME   anyone reads, CAP_SYS_ADMIN writes
 *
 * Linux's counterpart: fs/xattr.c, shmem_xattr_handlers.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "file/tmpfs.h"
#include "file/xattr.h"
#include "slab/kmalloc.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/path_arg.h"
#include "task/syscalls.h"

#define TRUSTED "trusted."

/* --- which file ------------------------------------------------------------------------------- */

/* What a call does with it, and with its arguments behind the file. */
typedef int64_t attr_fn(struct task *t, struct inode *inode, const uint64_t *a);

static int64_t on_path(struct task *t, const uint64_t *a, uint64_t flags, attr_fn *fn)
{
    int err;
    struct inode *inode = path_arg_file(t, (uint64_t)AT_FDCWD, a[0], flags, &err);
    if (!inode)
        return err;
    int64_t result = fn(t, inode, a);
    inode_put(inode);
    return result;
}

static int64_t on_fd(struct task *t, const uint64_t *a, attr_fn *fn)
{
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    int64_t result = f->flags & O_PATH ? -EBADF : f->inode ? fn(t, f->inode, a) : -EOPNOTSUPP;
    file_put(f);
    return result;
}

/* --- may it be done --------------------------------------------------------------------------- */

static int take_name(char *name, uint64_t user)
{
    int64_t n = strncpy_from_user(name, mk_vaddr(user), XATTR_NAME_MAX + 1);
    if (n == 0 || n == -ENAMETOOLONG)
        return -ERANGE;
    return n < 0 ? (int)n : 0;
}

static bool begins(const char *name, const char *with)
{
    return !strncmp(name, with, strlen(with));
}

static int may_user(struct task *t, const struct inode *inode, uint32_t wanted)
{
    struct cred cred = guest_cred(t->guest);
    bool is_dir = inode_is(inode, S_IFDIR);
    if (!is_dir && !inode_is(inode, S_IFREG))
        return wanted == MAY_WRITE ? -EPERM : -ENODATA;
    if (is_dir && (inode->mode & S_ISVTX) && wanted == MAY_WRITE && cred.uid &&
        cred.uid != inode->uid)
        return -EPERM;
    return inode_permission(inode, &cred, wanted);
}

/* The kind of the name decides; only our own files have attributes. */
static int may(struct task *t, const struct inode *inode, const char *name, uint32_t wanted)
{
    bool admin = cred_capable(&t->guest->cred, CAP_SYS_ADMIN);
    int err = -EOPNOTSUPP;
    size_t prefix = 0;
    if (!tmpfs_owns(inode))
        return -EOPNOTSUPP;
    if (begins(name, "user.")) {
        err = may_user(t, inode, wanted);
        prefix = 5;
    } else if (begins(name, TRUSTED)) {
        err = admin ? 0 : wanted == MAY_WRITE ? -EPERM : -ENODATA;
        prefix = sizeof(TRUSTED) - 1;
    } else if (begins(name, "security.")) {
        err = wanted == MAY_READ || admin ? 0 : -EPERM;
        prefix = 9;
    }
    return !err && !name[prefix] ? -EINVAL : err;
}

/* --- set -------------------------------------------------------------------------------------- */

static int64_t set_attr(struct task *t, struct inode *inode, const uint64_t *a)
{
    char name[XATTR_NAME_MAX + 1];
    uint64_t size = a[3];
    uint32_t flags = (uint32_t)a[4];
    if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
        return -EINVAL;
    int err = take_name(name, a[1]);
    if (err)
        return err;
    if (size > XATTR_SIZE_MAX)
        return -E2BIG;
    char *value = kmalloc(MAX(size, 1UL), GFP_KERNEL);
    if (!value)
        return -ENOMEM;
    err = copy_from_user(value, mk_vaddr(a[2]), size) ? -EFAULT : may(t, inode, name, MAY_WRITE);
    if (!err)
        err = xattr_set(inode, name, value, size, flags);
    kfree(value);
    return err;
}

/* --- get -------------------------------------------------------------------------------------- */

static int64_t get_attr(struct task *t, struct inode *inode, const uint64_t *a)
{
    char name[XATTR_NAME_MAX + 1];
    size_t size = MIN(a[3], (uint64_t)XATTR_SIZE_MAX);
    int err = take_name(name, a[1]);
    if (!err)
        err = may(t, inode, name, MAY_READ);
    if (err)
        return err;
    char *value = kmalloc(MAX(size, 1UL), GFP_KERNEL);
    if (!value)
        return -ENOMEM;
    int64_t n = xattr_get(inode, name, value, size);
    if (n > 0 && size && copy_to_user(mk_vaddr(a[2]), value, (size_t)n))
        n = -EFAULT;
    kfree(value);
    return n;
}

/* --- list ------------------------------------------------------------------------------------- */

static int64_t list_attrs(struct task *t, struct inode *inode, const uint64_t *a)
{
    const char *hidden = cred_capable(&t->guest->cred, CAP_SYS_ADMIN) ? NULL : TRUSTED;
    uint64_t size = MIN(a[2], (uint64_t)XATTR_SIZE_MAX);
    if (!tmpfs_owns(inode))
        return 0;
    char *buf = kmalloc(MAX(size, 1UL), GFP_KERNEL);
    if (!buf)
        return -ENOMEM;
    int64_t n = xattr_list(inode, hidden, buf, size);
    if (n > 0 && size && copy_to_user(mk_vaddr(a[1]), buf, (size_t)n))
        n = -EFAULT;
    kfree(buf);
    return n;
}

/* --- remove ----------------------------------------------------------------------------------- */

static int64_t remove_attr(struct task *t, struct inode *inode, const uint64_t *a)
{
    char name[XATTR_NAME_MAX + 1];
    int err = take_name(name, a[1]);
    if (!err)
        err = may(t, inode, name, MAY_WRITE);
    return err ? err : xattr_remove(inode, name);
}

/* --- the calls -------------------------------------------------------------------------------- */

int64_t sys_setxattr(struct task *t, const uint64_t *a)
{
    return on_path(t, a, 0, set_attr);
}

int64_t sys_lsetxattr(struct task *t, const uint64_t *a)
{
    return on_path(t, a, AT_SYMLINK_NOFOLLOW, set_attr);
}

int64_t sys_fsetxattr(struct task *t, const uint64_t *a)
{
    return on_fd(t, a, set_attr);
}

int64_t sys_getxattr(struct task *t, const uint64_t *a)
{
    return on_path(t, a, 0, get_attr);
}

int64_t sys_lgetxattr(struct task *t, const uint64_t *a)
{
    return on_path(t, a, AT_SYMLINK_NOFOLLOW, get_attr);
}

int64_t sys_fgetxattr(struct task *t, const uint64_t *a)
{
    return on_fd(t, a, get_attr);
}

int64_t sys_listxattr(struct task *t, const uint64_t *a)
{
    return on_path(t, a, 0, list_attrs);
}

int64_t sys_llistxattr(struct task *t, const uint64_t *a)
{
    return on_path(t, a, AT_SYMLINK_NOFOLLOW, list_attrs);
}

int64_t sys_flistxattr(struct task *t, const uint64_t *a)
{
    return on_fd(t, a, list_attrs);
}

int64_t sys_removexattr(struct task *t, const uint64_t *a)
{
    return on_path(t, a, 0, remove_attr);
}

int64_t sys_lremovexattr(struct task *t, const uint64_t *a)
{
    return on_path(t, a, AT_SYMLINK_NOFOLLOW, remove_attr);
}

int64_t sys_fremovexattr(struct task *t, const uint64_t *a)
{
    return on_fd(t, a, remove_attr);
}
