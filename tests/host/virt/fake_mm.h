/* SPDX-License-Identifier: MIT */
/*
 * fake_mm.h - what the ranges of an address space lean on, replaced by as little as will do.
 *
 * Objects come from malloc(), so that the sanitizer sees who keeps or loses one; nothing is mapped
 * but what the test says; sleeping locks are free, because there is one thread.
 */
#ifndef FAKE_MM_H
#define FAKE_MM_H

#include <stdlib.h>

#include "fault/fault.h"
#include "fault/zap.h"
#include "kern/rwsem.h"
#include "phys/node.h"
#include "virt/fake_heap.h"
#include "virt/mm.h"
#include "virt/rmap.h"

struct mempolicy default_policy = {.count = 1};
void mpol_get(struct mempolicy *pol)
{
    pol->count++;
}
void mpol_put(struct mempolicy *pol)
{
    pol->count--;
}
bool mpol_equal(const struct mempolicy *a, const struct mempolicy *b)
{
    return a == b;
}

void rwsem_init(struct rwsem *s)
{
    (void)s;
}
void down_read(struct rwsem *s)
{
    (void)s;
}
void up_read(struct rwsem *s)
{
    (void)s;
}
void down_write(struct rwsem *s)
{
    (void)s;
}
void up_write(struct rwsem *s)
{
    (void)s;
}
void downgrade_write(struct rwsem *s)
{
    (void)s;
}

bool rwsem_is_write_locked(const struct rwsem *s)
{
    return s != NULL;
}

/* Where a test keeps its entries, if it has any. */
static pte_t *(*fake_walk)(struct mm_struct *mm, uint64_t addr);

pte_t *mm_walk(struct mm_struct *mm, uint64_t addr)
{
    return fake_walk ? fake_walk(mm, addr) : NULL;
}

pte_t *mm_walk_alloc(struct mm_struct *mm, uint64_t addr)
{
    return mm_walk(mm, addr);
}

void mm_free_tables(struct mm_struct *mm, const struct pt_gap *gap)
{
    (void)mm, (void)gap;
}

void mm_account_vma(struct mm_struct *mm, uint64_t flags, bool anonymous, int64_t pages)
{
    (void)flags, (void)anonymous;
    mm->total_vm += (uint64_t)pages;
}

void zap_page_range(struct vm_area_struct *vma, uint64_t start, uint64_t end)
{
    (void)vma, (void)start, (void)end;
}

void tlb_flush_range(struct tlb_space *space, vaddr_t start, vaddr_t end)
{
    (void)space, (void)start, (void)end;
}

int mm_populate(struct mm_struct *mm, uint64_t start, uint64_t end)
{
    (void)mm, (void)start, (void)end;
    return 0;
}

enum fault_result handle_mm_fault(struct vm_area_struct *vma, uint64_t addr, uint64_t access)
{
    (void)vma, (void)addr, (void)access;
    return FAULT_DONE;
}

bool anon_page_is_exclusive(struct page *page)
{
    return page == NULL;
}

/* A machine of one node with so many pages. */
static inline void fake_node(uint64_t pages)
{
    static pg_data_t node;
    node.node_present_pages = pages;
    node_data[0] = &node;
    node_states[N_ONLINE].bits = 1;
}

/* An empty address space with limits that do not matter. */
static struct mm_struct *fake_mm(void)
{
    struct mm_struct *mm = calloc(1, sizeof(*mm));
    INIT_LIST_HEAD(&mm->mmap);
    mm->policy = &default_policy;
    mm->mm_lock_seq = 1;
    spin_init(&mm->vma_lock, "vma tree", RANK_VMA);
    spin_init(&mm->page_table_lock, "page table", RANK_PAGE_TABLE);
    mm->stack_limit = mm->data_limit = mm->as_limit = UINT64_MAX;
    return mm;
}

/* Take all VMAs out and free the space. */
static inline void fake_mm_free(struct mm_struct *mm)
{
    struct vm_area_struct *vma, *next;
    list_for_each_entry_safe(vma, next, &mm->mmap, list) {
        vma_remove(mm, vma);
        vma_free(vma);
    }
    free(mm);
}

static void print_to_stderr(struct sink *self, const char *bytes, size_t n)
{
    (void)self;
    fwrite(bytes, 1, n, stderr);
}
static struct sink stderr_sink = {print_to_stderr};

#endif
