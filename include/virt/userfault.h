/* SPDX-License-Identifier: MIT */
/*
 * userfault.h - somebody else than the monitor fills what is missing in a VMA.
 *
 *      vma->vm_userfault --> struct userfault, a part of what the task floor has (userfaultfd.h)
 *
 * Down here it is only counted: each VMA that is registered holds a reference.
 * Linux's counterpart: struct vm_userfaultfd_ctx.
 */
#ifndef PAGODA_VIRT_USERFAULT_H
#define PAGODA_VIRT_USERFAULT_H

#include "base/atomic.h"

struct userfault {
    uint32_t refcount;                    /* (a) */
    void (*release)(struct userfault *u); /* the last reference is gone; may hold mmap_lock */
};

static inline struct userfault *userfault_get(struct userfault *u)
{
    fetch_add_relaxed(&u->refcount, 1);
    return u;
}

static inline void userfault_put(struct userfault *u)
{
    if (fetch_sub(&u->refcount, 1) == 1)
        u->release(u);
}

#endif
