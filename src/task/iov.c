/* SPDX-License-Identifier: MIT */
/*
 * iov.c - a guest's buffers, one after the other. iov.h has the picture.
 *
 * Locks: none. Linux's counterpart: lib/iov_iter.c.
 */
#include "task/iov.h"

#include "arch/uaccess.h"
#include "base/errno.h"
#include "slab/kmalloc.h"

#define BYTES_MAX 0x7ffff000UL /* as Linux: a call moves at most so many */

void iov_init(struct iov_iter *it, uint64_t base, uint64_t len)
{
    *it = (struct iov_iter){.one = {base, MIN(len, BYTES_MAX)}, .n = 1};
    it->left = it->one.len;
    it->iov = &it->one;
}

int iov_take(struct iov_iter *it, uint64_t user, uint64_t n)
{
    *it = (struct iov_iter){.n = (uint32_t)n};
    if (n > IOV_MAX)
        return -EINVAL;
    it->iov = n > 1 ? kmalloc(n * sizeof(*it->iov), GFP_KERNEL) : &it->one;
    if (!it->iov)
        return -ENOMEM;
    int err = copy_from_user(it->iov, mk_vaddr(user), n * sizeof(*it->iov)) ? -EFAULT : 0;
    for (uint32_t i = 0; !err && i < n; i++) {
        if ((int64_t)it->iov[i].len < 0)
            err = -EINVAL;
        it->iov[i].len = MIN(it->iov[i].len, BYTES_MAX - it->left);
        it->left += it->iov[i].len;
    }
    if (err)
        iov_drop(it);
    return err;
}

void iov_drop(struct iov_iter *it)
{
    if (it->iov != &it->one)
        kfree(it->iov);
    it->iov = NULL;
}

/* The next piece of at most n bytes: where it lies in the guest. */
static vaddr_t piece(struct iov_iter *it, size_t *n)
{
    while (it->offset == it->iov[it->at].len) {
        it->at++;
        it->offset = 0;
    }
    const struct iov *v = &it->iov[it->at];
    *n = MIN(*n, v->len - it->offset);
    return mk_vaddr(v->base + it->offset);
}

static void advance(struct iov_iter *it, size_t n)
{
    it->offset += n;
    it->left -= n;
}

int iov_copy_from(struct iov_iter *it, void *to, size_t n)
{
    for (size_t done = 0, part; done < n; done += part) {
        part = n - done;
        vaddr_t from = piece(it, &part);
        if (copy_from_user((char *)to + done, from, part))
            return -EFAULT;
        advance(it, part);
    }
    return 0;
}

int iov_copy_to(struct iov_iter *it, const void *from, size_t n)
{
    for (size_t done = 0, part; done < n; done += part) {
        part = n - done;
        vaddr_t to = piece(it, &part);
        if (copy_to_user(to, (const char *)from + done, part))
            return -EFAULT;
        advance(it, part);
    }
    return 0;
}
