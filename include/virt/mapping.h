/* SPDX-License-Identifier: MIT */
/*
 * mapping.h - something that has pages by number, and can be mapped: a file, later shared memory.
 *
 *      struct address_space                       VMAs that map it
 *      +-----------------+     i_mmap     [vma A: pages 0..7 ]   in guest 3
 *      | ops, host, size | -------------> [vma B: pages 4..9 ]   in guest 5
 *      +-----------------+                     ...
 *              | ops->get_page(index)
 *              v
 *         struct page, PAGE_FILE: mapping = this, index = its number
 *
 * So the floors of virt and fault know files only as "pages by number", and the file floor, above
 * them, need not be called by name. page->mapping and page->index lead back from a page to all its
 * page-table entries, through i_mmap.
 *
 * Locks: i_mmap_lock (RANK_RMAP) for i_mmap. The rest is the host's.
 * Linux's counterpart: struct address_space and address_space_operations.
 */
#ifndef PAGODA_VIRT_MAPPING_H
#define PAGODA_VIRT_MAPPING_H

#include "base/format.h"
#include "base/rbtree.h"
#include "base/types.h"
#include "kern/lock.h"
#include "virt/page_tree.h"

struct page;
struct address_space;
struct shmem_quota;

struct address_space_ops {
    /**
     * The page of this number, which is below the object's size, up to date and with a reference
     * for the caller. NULL with *err -EIO, -ENOSPC or -ENOMEM. May block; no page lock is held.
     * It may have left the object again before the caller looks: page->mapping tells, under the
     * page lock.
     */
    struct page *(*get_page)(struct address_space *m, uint64_t index, int *err);
    /**
     * Migration: put `new` (locked, contents copied) where `old` (locked, unmapped) was. The
     * reference that the object held moves along. -EBUSY: someone else still uses the old page.
     * NULL: the object's pages cannot be moved.
     */
    int (*replace_page)(struct address_space *m, struct page *old, struct page *new);
    /** Free the pages from `first` to before `end`; they read as zeros then. NULL: -EINVAL. */
    int (*drop_range)(struct address_space *m, uint64_t first, uint64_t end);
    /** Each VMA counts as one attachment: neighbours are not joined. */
    bool counts_vmas;
    /** One more, one less VMA or open file refers to the object. NULL: it lives for ever. */
    void (*get)(struct address_space *m);
    void (*put)(struct address_space *m);
    /** Its path, for /proc/PID/maps. */
    void (*print_name)(const struct address_space *m, struct sink *out);
};

struct address_space {
    const struct address_space_ops *ops;
    void *host;    /* whose pages they are: an inode */
    uint64_t size; /* in bytes; faults past its last page are SIGBUS */
    uint32_t dev;  /* for /proc/PID/maps: major << 8 | minor */
    uint64_t ino;
    struct page_tree pages;    /* those that are in memory */
    struct shmem_quota *quota; /* whom they are counted to, or NULL; see fault/shmem.h */
    bool secret;               /* (b) nobody but who maps them may see them */
    struct spinlock i_mmap_lock;
    struct rb_root i_mmap; /* (i_mmap_lock) vm_area_struct.i_mmap_rb, an interval tree */
};

/** An object without VMAs. */
void address_space_init(struct address_space *m, const struct address_space_ops *ops, void *host,
                        uint64_t size);

/** Is it mapped shared anywhere so that it could be written to? */
bool mapping_is_writable(struct address_space *m);

static inline void mapping_get(struct address_space *m)
{
    if (m->ops->get)
        m->ops->get(m);
}

static inline void mapping_put(struct address_space *m)
{
    if (m->ops->put)
        m->ops->put(m);
}

/** How many pages the object has. */
static inline uint64_t mapping_pages(const struct address_space *m)
{
    return (m->size + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

#endif
