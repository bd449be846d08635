/* SPDX-License-Identifier: MIT */
/*
 * sys_sync.c - calls about bytes on their way between a disk and memory.
 *
 * No file here has a disk behind it, so what is written is as safe as it will be, and what can be
 * read is in memory; the calls look at their arguments as Linux does.
 *
 * Linux's counterpart: fs/sync.c, mm/fadvise.c, mm/readahead.c, cachestat() of mm/filemap.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "kern/thread.h"
#include "phys/alloc.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/syscalls.h"

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
    struct file *f = file_get(t->guest->files, a[0]);
    if (!f)
        return -EBADF;
    bool readable = !(f->flags & O_PATH) && (f->flags & O_ACCMODE) != O_WRONLY;
    int64_t err = !readable ? -EBADF : f->ops == &regular_file_ops ? 0 : -EINVAL;
    file_put(f);
    return err;
}

/* --- cachestat -------------------------------------------------------------------------------- */

struct cachestat_abi {
    uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

static uint64_t count_pages(struct address_space *m, uint64_t first, uint64_t end)
{
    uint64_t n = 0;
    for (struct page *page; !kill_pending(); n++, first++) {
        page = page_tree_next(&m->pages, &first, end);
        if (!page)
            break;
        put_page(page);
        cond_resched();
    }
    return n;
}

/* How much of a file is in memory: the pages that there are. None waits to be written. */
int64_t sys_cachestat(struct task *t, const uint64_t *a)
{
    uint64_t range[2]; /* offset, length; 0: to the end */
    struct cachestat_abi stat = {0};
    struct file *f = file_get(t->guest->files, a[0]);
    int64_t err = f && !(f->flags & O_PATH) ? 0 : -EBADF;
    if (!err && copy_from_user(range, mk_vaddr(a[1]), sizeof(range)))
        err = -EFAULT;
    else if (!err && a[3])
        err = -EINVAL;
    if (!err && f->inode) {
        uint64_t last = (range[0] + range[1] - 1) >> PAGE_SHIFT;
        stat.cached = count_pages(&f->inode->mapping, range[0] >> PAGE_SHIFT,
                                  range[1] ? last + 1 : UINT64_MAX);
    }
    if (f)
        file_put(f);
    return err ? err : copy_to_user(mk_vaddr(a[2]), &stat, sizeof(stat)) ? -EFAULT : 0;
}
