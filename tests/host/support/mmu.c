/* SPDX-License-Identifier: MIT */
/*
 * mmu.c - satp and a TLB for each hart. mmu.h has the picture.
 *
 * Stands for the hardware, kern/fence.c and the firmware's remote fences.
 */
#include "support/mmu.h"

#include <stdlib.h>
#include <string.h>

#include "arch/barrier.h"
#include "arch/layout.h"
#include "base/limits.h"
#include "kern/fence.h"
#include "kern/percpu.h"

#define TLB_ENTRIES 128

struct translation {
    uint64_t page, asid;
    pte_t leaf; /* 0: this place is free */
};

static struct mmu {
    uint64_t satp;
    unsigned next; /* to be replaced when all are in use */
    struct translation tlb[TLB_ENTRIES];
} mmus[MAX_HARTS];
static uint64_t asid_mask;
struct mmu_counts mmu_counts;
uint64_t boot_satp;

static struct mmu *my_mmu(void)
{
    return &mmus[hart_index()];
}

void mmu_reset(unsigned asid_bits)
{
    memset(mmus, 0, sizeof(mmus));
    memset(&mmu_counts, 0, sizeof(mmu_counts));
    asid_mask = (1UL << asid_bits) - 1;
}

uint64_t host_read_satp(void)
{
    return my_mmu()->satp;
}

void host_write_satp(uint64_t satp)
{
    my_mmu()->satp = satp & ~((SATP_ASID_MASK & ~asid_mask) << SATP_ASID_SHIFT);
}

uint64_t mmu_asid(void)
{
    return satp_asid(my_mmu()->satp);
}

/* --- forgetting ------------------------------------------------------------------------------- */

/* Global translations, as of the monitor's map, do not go with an ASID. */
static bool is_meant(const struct translation *t, uint64_t va, uint64_t size, uint64_t asid)
{
    bool there = va == HOST_ANY || t->page - (va & ~(PAGE_SIZE - 1)) < size;
    return there && (asid == HOST_ANY || (t->asid == asid && !(t->leaf.v & PTE_G)));
}

static void forget(struct mmu *mmu, uint64_t va, uint64_t size, uint64_t asid)
{
    for (unsigned i = 0; i < TLB_ENTRIES; i++)
        if (is_meant(&mmu->tlb[i], va, size, asid))
            mmu->tlb[i].leaf.v = 0;
}

void host_sfence(uint64_t va, uint64_t asid)
{
    if (va == HOST_ANY)
        mmu_counts.spaces++;
    else
        mmu_counts.pages++;
    forget(my_mmu(), va, PAGE_SIZE, asid);
}

void fence_harts(hartmask_t mask, uint64_t asid, vaddr_t start, uint64_t size)
{
    mmu_counts.remote++;
    mmu_counts.remote_harts = mask.bits;
    mmu_counts.remote_asid = asid;
    for (uint32_t i = 0; i < nr_harts; i++)
        if (mask.bits >> i & 1)
            forget(&mmus[i], size == UINT64_MAX ? HOST_ANY : start.v, size, asid ? asid : HOST_ANY);
}

/* --- translating ------------------------------------------------------------------------------ */

static pte_t walk(uint64_t satp, uint64_t va)
{
    uint64_t table = (satp & ((1UL << 44) - 1)) << 12;
    for (int shift = 30; shift >= 12; shift -= 9) {
        const uint64_t *entries = phys_to_virt(mk_paddr(table));
        uint64_t e = entries[va >> shift & 511];
        if (!(e & PTE_V))
            return mk_pte(0);
        if (e & (PTE_R | PTE_W | PTE_X))
            return mk_pte(e);
        table = e >> 10 << 12;
    }
    abort(); /* an entry of the last level that points to a table: reserved */
}

pte_t mmu_access(uint64_t va)
{
    struct mmu *mmu = my_mmu();
    uint64_t page = va & ~(PAGE_SIZE - 1), asid = mmu_asid();
    struct translation *place = NULL;
    for (unsigned i = 0; i < TLB_ENTRIES; i++) {
        struct translation *t = &mmu->tlb[i];
        if (!t->leaf.v)
            place = t;
        else if (t->page == page && (t->asid == asid || (t->leaf.v & PTE_G)))
            return t->leaf;
    }
    mmu_counts.walks++;
    pte_t leaf = walk(mmu->satp, va);
    if (!place)
        place = &mmu->tlb[mmu->next++ % TLB_ENTRIES];
    if (leaf.v)
        *place = (struct translation){page, asid, leaf};
    return leaf;
}
