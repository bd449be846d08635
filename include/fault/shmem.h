/* SPDX-License-Identifier: MIT */
/*
 * shmem.h - memory that several address spaces share: pages by number that no disk keeps.
 *
 * Two kinds of objects have such pages: what mmap(MAP_SHARED | MAP_ANONYMOUS) makes, which is here
 * whole, and files of a tmpfs, whose inodes are of the file floor and use the operations.
 */
#ifndef PAGODA_FAULT_SHMEM_H
#define PAGODA_FAULT_SHMEM_H

#include "virt/mapping.h"

/**
 * An object of `size` bytes, all zero, with one reference (mapping_put() drops it). Its pages are
 * made when they are touched and live as long as it does. `account`: it counts as promised memory.
 * NULL when out of memory, or when no more may be promised.
 */
struct address_space *shmem_create(uint64_t size, bool account);

/* --- operations for whoever has an address_space with such pages ------------------------------ */

/** How many pages all files of a tmpfs may have together. */
struct shmem_quota {
    uint64_t used; /* (a) pages */
    uint64_t max;
};

/** address_space_ops.get_page: a hole gets a page of zeros. -ENOSPC when the quota is used up. */
struct page *shmem_get_page(struct address_space *m, uint64_t index, int *err);

/** Fill a hole with a page of bytes (NULL: zeros). 0, -EEXIST, -EFAULT (past its end), -ENOSPC,
 * -ENOMEM. */
int shmem_fill_page(struct address_space *m, uint64_t index, const void *from) must_check;

/** The page with a reference, NULL for a hole. */
struct page *shmem_find_page(struct address_space *m, uint64_t index);

/** address_space_ops.replace_page. */
int shmem_replace_page(struct address_space *m, struct page *old, struct page *new);

/**
 * Free the pages from `first` to before `end`; who has them mapped loses them. The caller keeps
 * others from changing the size meanwhile. May block.
 */
void shmem_drop_pages(struct address_space *m, uint64_t first, uint64_t end);

/** The same, as address_space_ops.drop_range. */
int shmem_drop_range(struct address_space *m, uint64_t first, uint64_t end);

/** Enter a page that holds a file's bytes already (boot). Takes over the reference. 0, -ENOMEM. */
int shmem_adopt_page(struct address_space *m, uint64_t index, struct page *page) must_check;

#endif
