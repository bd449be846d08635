/* SPDX-License-Identifier: MIT */
/*
 * plant.h - trees of VMAs that nothing under test has made, and how many of them are looked at.
 *
 *      bed:   [ vma 0 ..... ][ vma 1 ..... ][ vma 2 ..... ] ...      a page of this host for each
 *
 * Each VMA lies in a page of its own. Before a call is measured all of these pages are closed; the
 * first look at one faults, is counted, and opens it.
 */
#ifndef LABS_PLANT_H
#define LABS_PLANT_H

#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "labs/wire/expect.h"

#include "virt/fake_mm.h"

#include "base/random.h"

#define MOST 4096u
#define HOST_PAGE 4096u
#define BASE 0x100000UL

static char *bed;
static unsigned planted;
static volatile unsigned long looks;
static struct sigaction before;

static uint64_t addr_of(unsigned page)
{
    return BASE + page * PAGE_SIZE;
}

static void look(int number, siginfo_t *info, void *context)
{
    char *at = info->si_addr;
    (void)context;
    if (bed && at >= bed && at < bed + MOST * HOST_PAGE) {
        looks++;
        mprotect(bed + (size_t)(at - bed) / HOST_PAGE * HOST_PAGE, HOST_PAGE,
                 PROT_READ | PROT_WRITE);
        return;
    }
    sigaction(number, &before, NULL); /* somebody else's: it comes again */
}

/* From here on each VMA that is looked at counts once. */
static void looks_begin(void)
{
    struct sigaction action = {.sa_sigaction = look, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, &before);
    looks = 0;
    mprotect(bed, MOST * HOST_PAGE, PROT_NONE);
}

static unsigned long looks_end(void)
{
    mprotect(bed, MOST * HOST_PAGE, PROT_READ | PROT_WRITE);
    sigaction(SIGSEGV, &before, NULL);
    return looks;
}

/* A path down a tree of n nodes and up again, with all children and neighbours on it. */
static unsigned long paths(unsigned n, unsigned times)
{
    unsigned depth = 0;
    while (n >> depth)
        depth++;
    return times * 4 * depth;
}

/* A zeroed VMA in the bed, in no tree. */
static struct vm_area_struct *seed_vma(struct mm_struct *mm, uint64_t start, uint64_t end,
                                       uint64_t flags)
{
    if (!bed)
        bed = mmap(NULL, MOST * HOST_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                   0);
    expect_true(bed != MAP_FAILED && planted < MOST, "there is room for one more VMA in the test");
    struct vm_area_struct *vma = (struct vm_area_struct *)(bed + planted++ * HOST_PAGE);
    memset(vma, 0, sizeof(*vma));
    vma->vm_mm = mm;
    vma->vm_start = start;
    vma->vm_end = end;
    vma->vm_flags = flags;
    vma->vm_pgoff = start >> PAGE_SHIFT;
    INIT_LIST_HEAD(&vma->anon_vma_chain);
    return vma;
}

/* Into list and tree, behind all that there are; settle() makes the gaps right. */
static struct vm_area_struct *plant(struct mm_struct *mm, unsigned first, unsigned n,
                                    uint64_t flags)
{
    struct vm_area_struct *vma = seed_vma(mm, addr_of(first), addr_of(first + n), flags);
    struct rb_node *last = rb_last(&mm->mm_rb);
    rb_link_node(&vma->rb, last, last ? &last->right : &mm->mm_rb.node);
    rb_insert_color(&vma->rb, &mm->mm_rb);
    list_add_tail(&vma->list, &mm->mmap);
    mm->map_count++;
    return vma;
}

static uint64_t settle_below(struct rb_node *node)
{
    if (!node)
        return 0;
    struct vm_area_struct *vma = rb_entry(node, struct vm_area_struct, rb);
    uint64_t left = settle_below(node->left), right = settle_below(node->right);
    vma->subtree_gap = MAX(left, right);
    vma->subtree_gap = MAX(vma->subtree_gap, vma->gap);
    return vma->subtree_gap;
}

static void settle(struct mm_struct *mm)
{
    struct vm_area_struct *vma;
    uint64_t end = 0;
    for_each_vma(mm, vma) {
        vma->gap = vma->vm_start - end;
        end = vma->vm_end;
    }
    settle_below(mm->mm_rb.node);
    expect_equal(vma_check(mm, &stderr_sink), 0, "the test's own tree is whole");
}

/* An empty space and an empty bed; those of the call before are gone. */
static struct mm_struct *garden(void)
{
    static struct mm_struct *mm;
    planted = 0;
    free(mm);
    return mm = fake_mm();
}

/* At random: up to @most VMAs of up to 4 pages, up to 4 pages apart, of @pages pages. */
static void plant_at_random(struct mm_struct *mm, struct rng *rng, unsigned most, unsigned pages)
{
    unsigned at = (unsigned)rng_below(rng, 5);
    for (unsigned i = 0; i < most; i++) {
        unsigned n = 1 + (unsigned)rng_below(rng, 4);
        if (at + n > pages)
            break;
        plant(mm, at, n, VM_READ);
        at += n + (unsigned)rng_below(rng, 5);
    }
    settle(mm);
}

#endif
