/* SPDX-License-Identifier: MIT */
/*
 * rmap_lock.h - the locks of families of anon_vmas, between the files of rmap.
 */
#ifndef PAGODA_VIRT_RMAP_LOCK_H
#define PAGODA_VIRT_RMAP_LOCK_H

#include "kern/lock.h"
#include "virt/rmap.h"

/** The lock of the family that has this root. The root need not be alive any more. */
struct spinlock *anon_vma_family_lock(const struct anon_vma *root);

/** What rmap_walk does, for pages whose anon_vma the caller keeps though nothing maps them. */
void rmap_walk_held(struct page *page, rmap_fn *fn, void *arg);

#endif
