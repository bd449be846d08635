/* SPDX-License-Identifier: MIT */
/*
 * sys_sync.c - calls about bytes on their way to a disk, memfd_create, sendfile.
 *
 * No file here has a disk behind it, so what is written is as safe as it will be; the calls look
 * at their arguments as Linux does.
 *
 * Linux's counterpart: fs/sync.c, mm/fadvise.c, mm/memfd.c, fs/read_write.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "file/tmpfs.h"
#include "phys/alloc.h"
#include "slab/kmalloc.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/syscalls.h"

#define MFD_CLOEXEC 1u
#define MFD_ALLOW_SEALING 2u
#define MFD_HUGETLB 4u
#define MFD_NOEXEC_SEAL 8u
#define MFD_EXEC 16u
#define MEMFD_NAME_MAX 249

/* --- syncing ---------------------------------------------------------------------------------- */

int64_t sys_sync(struct task *t, const uint64_t *a)
{
    (void)t;
    (void)a;
    return 0;
}

/* The file is open and is one of bytes. */
static int64_t check_fd(struct task *t, uint64_t fd, int64_t otherwise)
{
    struct file *f = file_get(t->guest->files, fd);
    if (!f)
        return -EBADF;
    int64_t err = f->inode && f->ops->seek ? 0 : otherwise;
    file_put(f);
    return err;
}

int64_t sys_fsync(struct task *t, const uint64_t *a)
{
    return check_fd(t, a[0], -EINVAL);
}

int64_t sys_fdatasync(struct task *t, const uint64_t *a)
{
    return check_fd(t, a[0], -EINVAL);
}

int64_t sys_syncfs(struct task *t, const uint64_t *a)
{
    return check_fd(t, a[0], 0);
}

int64_t sys_fadvise64(struct task *t, const uint64_t *a)
{
    if (a[3] > 5)
        return -EINVAL;
    return check_fd(t, a[0], -ESPIPE);
}

int64_t sys_readahead(struct task *t, const uint64_t *a)
{
    return check_fd(t, a[0], -EINVAL);
}

int64_t sys_flock(struct task *t, const uint64_t *a)
{
    uint64_t op = a[1] & ~4UL; /* LOCK_NB */
    if (op != 1 && op != 2 && op != 8)
        return -EINVAL;
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    file_put(f);
    return 0;
}

/* --- memfd_create ----------------------------------------------------------------------------- */

static struct file *make_memfd(struct task *t, const char *name, uint32_t flags, int *err)
{
    struct cred cred = guest_cred(t->guest);
    struct tmpfs_new what = {.mode = S_IFREG | (flags & MFD_NOEXEC_SEAL ? 0666 : 0777),
                             .cred = &cred};
    struct inode *inode = tmpfs_make_unnamed(root_fs, &what);
    struct file *f = NULL;
    *err = -ENOMEM;
    if (!inode)
        return NULL;
    size_t size = strlen(name) + sizeof("/memfd: (deleted)");
    inode->text = kmalloc(size, GFP_KERNEL);
    if (inode->text) {
        snprintf(inode->text, size, "/memfd:%s (deleted)", name);
        inode->seals = flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL) ? 0 : F_SEAL_SEAL;
        f = file_open_inode(t->guest, inode, O_RDWR, true, err);
    }
    inode_put(inode);
    return f;
}

int64_t sys_memfd_create(struct task *t, const uint64_t *a)
{
    char name[MEMFD_NAME_MAX + 1];
    uint32_t flags = (uint32_t)a[1];
    int err;
    if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC))
        return -EINVAL;
    if ((flags & MFD_NOEXEC_SEAL) && (flags & MFD_EXEC))
        return -EINVAL;
    int64_t n = strncpy_from_user(name, mk_vaddr(a[0]), sizeof(name));
    if (n < 0)
        return n == -ENAMETOOLONG ? -EINVAL : n;
    struct file *f = make_memfd(t, name, flags, &err);
    if (!f)
        return err;
    int64_t fd = file_install(t->guest->files, f, 0, flags & MFD_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}
