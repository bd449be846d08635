/* SPDX-License-Identifier: MIT */
/*
 * space.h - whole address spaces on this host: VMAs, page tables, pages, faults, all of them real.
 *
 *      test: store(mm, addr, value)  --entry does not allow it-->  user_fault()    src/fault
 *                  |                                                src/virt, src/phys
 *                  `-- entry --> page in the host's RAM
 *
 * The test is the hart: it walks the page table as hardware would and faults where hardware would.
 * Not there are the TLB (every access walks, unless the test brings one and says SPACE_HAS_TLB) and
 * the slab floor (see fake_heap.h).
 */
#ifndef SPACE_H
#define SPACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "virt/fake_heap.h"

#include "base/errno.h"
#include "fault/fault.h"
#include "fault/mmap.h"
#include "fault/shmem.h"
#include "phys/alloc.h"
#include "support/fake_machine.h"
#include "support/host.h"
#include "virt/commit.h"
#include "virt/kernel_map.h"
#include "virt/lru.h"
#include "virt/mm.h"
#include "virt/rmap.h"
#ifndef SPACE_HAS_TLB
#include "virt/no_tlb.h"
#endif

/* --- what lies below or beside ---------------------------------------------------------------- */

struct pgtable kernel_pgtable;

bool thread_wake(struct thread *t, uint32_t states)
{
    (void)t, (void)states;
    return true;
}

static void print_to_stderr(struct sink *self, const char *bytes, size_t n)
{
    (void)self;
    fwrite(bytes, 1, n, stderr);
}
static struct sink stderr_sink = {print_to_stderr};

/** The machine and the floors, once a program: nodes of 64 MiB, and harts, all on the first. */
static inline void space_boot_nodes(unsigned nr_of_nodes, unsigned nr)
{
    static pte_t root[PT_ENTRIES];
    fake_begin();
    for (unsigned i = 0; i < nr_of_nodes; i++)
        fake_memory(i, i * MIB(64), MIB(64));
    for (unsigned i = 0; i < nr; i++)
        fake_hart(0);
    fake_boot("");
    kernel_pgtable.root = root;
    mm_init();
    fault_init();
    sysctl_overcommit_memory = OVERCOMMIT_ALWAYS;
}

/** The same with one node. */
static inline void space_boot(unsigned nr)
{
    space_boot_nodes(1, nr);
}

/** An empty space whose mmap area ends at `top`. */
static inline struct mm_struct *space_new(uint64_t top)
{
    struct mm_struct *mm = mm_alloc();
    assert_non_null(mm);
    mm->mmap_base = top;
    return mm;
}

/* --- the hart --------------------------------------------------------------------------------- */

/** The word at addr, as hardware finds it for this access, or NULL and *result says why not. */
static inline uint64_t *space_word(struct mm_struct *mm, uint64_t addr, uint64_t access,
                                   enum fault_result *result)
{
    *result = FAULT_DONE;
    for (unsigned tries = 0; *result <= FAULT_MAJOR; tries++) {
        struct pt_mapping m;
        if (pt_lookup(&mm->pgt, mk_vaddr(addr), &m) && (m.pte.v & access))
            return (uint64_t *)((char *)phys_to_virt(pfn_to_paddr(pte_pfn(m.pte))) +
                                (addr & (PAGE_SIZE - 1)));
        if (tries == 8)
            return NULL; /* DONE, and still not there: a fault that leads nowhere */
        *result = user_fault(mm, addr, access);
    }
    return NULL;
}

static inline enum fault_result space_store(struct mm_struct *mm, uint64_t addr, uint64_t value)
{
    enum fault_result result;
    uint64_t *word = space_word(mm, addr, PTE_W, &result);
    if (word)
        *word = value;
    return result;
}

static inline enum fault_result space_load(struct mm_struct *mm, uint64_t addr, uint64_t *value)
{
    enum fault_result result;
    uint64_t *word = space_word(mm, addr, PTE_R, &result);
    if (word)
        *value = *word;
    return result;
}

#endif
