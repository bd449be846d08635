/* SPDX-License-Identifier: MIT */
/*
 * memfd.c - files without a name, to be mapped: memfd_create, memfd_secret.
 *
 *      memfd     a file of the tmpfs at / that no directory has; may be sealed
 *      secret    the same, but only who maps it sees its bytes: no read(), no write(), no look by
 *                another guest; its pages do not move, are not dumped, and are wiped when they go
 *
 * Linux takes the pages of the latter out of its linear map too, so that a stray pointer of the
 * kernel cannot read them. Here they stay in it: it is made of leaves of 2 MiB and 1 GiB.
 *
 * Linux's counterpart: mm/memfd.c, mm/secretmem.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "file/tmpfs.h"
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

/* A file of no directory; `name` is what maps shows. NULL when out of memory. */
static struct inode *make_inode(struct task *t, const char *name, uint32_t mode)
{
    struct cred cred = guest_cred(t->guest);
    struct tmpfs_new what = {.mode = S_IFREG | mode, .cred = &cred};
    struct inode *inode = tmpfs_make_unnamed(root_fs, &what);
    if (!inode)
        return NULL;
    size_t size = strlen(name) + sizeof("/ (deleted)");
    inode->text = kmalloc(size, GFP_KERNEL);
    if (!inode->text) {
        inode_put(inode);
        return NULL;
    }
    snprintf(inode->text, size, "/%s (deleted)", name);
    return inode;
}

/* Open it under a number of its own. The reference is used up. */
static int64_t open_inode(struct task *t, struct inode *inode, bool cloexec)
{
    int err;
    if (!inode)
        return -ENOMEM;
    struct file *f = file_open_inode(t->guest, inode, O_RDWR, true, &err);
    inode_put(inode);
    if (!f)
        return err;
    int64_t fd = file_install(t->guest->files, f, 0, cloexec);
    if (fd < 0)
        file_put(f);
    return fd;
}

int64_t sys_memfd_create(struct task *t, const uint64_t *a)
{
    char name[MEMFD_NAME_MAX + sizeof("memfd:")] = "memfd:";
    uint32_t flags = (uint32_t)a[1];
    if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC))
        return -EINVAL;
    if ((flags & MFD_NOEXEC_SEAL) && (flags & MFD_EXEC))
        return -EINVAL;
    int64_t n = strncpy_from_user(name + strlen("memfd:"), mk_vaddr(a[0]), MEMFD_NAME_MAX + 1);
    if (n < 0)
        return n == -ENAMETOOLONG ? -EINVAL : n;
    struct inode *inode = make_inode(t, name, flags & MFD_NOEXEC_SEAL ? 0666 : 0777);
    if (inode)
        inode->seals = flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL) ? 0 : F_SEAL_SEAL;
    return open_inode(t, inode, flags & MFD_CLOEXEC);
}

/* Neither read nor written: its bytes go through mappings alone. */
const struct file_ops secret_file_ops = {0};

int64_t sys_memfd_secret(struct task *t, const uint64_t *a)
{
    uint32_t flags = (uint32_t)a[0];
    if (flags & ~O_CLOEXEC)
        return -EINVAL;
    struct inode *inode = make_inode(t, "secretmem", 0600);
    if (inode)
        inode->mapping.secret = true;
    return open_inode(t, inode, flags & O_CLOEXEC);
}
