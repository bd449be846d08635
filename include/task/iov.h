/* SPDX-License-Identifier: MIT */
/*
 * iov.h - a guest's buffers, one after the other, as if they were one.
 *
 *      readv(fd, iov, 3)     [ base, len ][ base, len ][ base, len ]
 *                                              ^ at, offset: so far we have come
 *
 * Linux's counterpart: struct iov_iter.
 */
#ifndef PAGODA_TASK_IOV_H
#define PAGODA_TASK_IOV_H

#include "base/types.h"

#define IOV_MAX 1024u

struct iov {
    uint64_t base, len;
};

struct iov_iter {
    struct iov *iov; /* kmalloc, or &one */
    struct iov one;
    uint32_t n, at;
    uint64_t offset, left; /* left: bytes in all, from here */
};

/** One buffer. */
void iov_init(struct iov_iter *it, uint64_t base, uint64_t len);

/** An array of a guest's. 0, -EINVAL, -EFAULT, -ENOMEM; then iov_drop(). */
int iov_take(struct iov_iter *it, uint64_t user, uint64_t n) must_check;
void iov_drop(struct iov_iter *it);

/** Move n <= it->left bytes along. 0 or -EFAULT. May fault: no spinlock. */
int iov_copy_from(struct iov_iter *it, void *to, size_t n) must_check;
int iov_copy_to(struct iov_iter *it, const void *from, size_t n) must_check;

#endif
