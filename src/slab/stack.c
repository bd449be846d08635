/* SPDX-License-Identifier: MIT */
/*
 * stack.c - kernel stacks: vmalloc areas with a guard page below, kept for the next thread.
 *
 *      |guard| 16 KiB, grows down |guard|      spare: up to 16 of them, still mapped
 *
 * Making a stack is four pages and four mappings; taking one back costs a fence on every hart. So
 * some are kept, until memory is short. A spare of the wanted node is taken first.
 *
 * Locks: `lock`, never together with that of the areas, of the same rank.
 * Linux's counterpart: cached_stacks, kernel/fork.c.
 */
#include "base/list.h"
#include "kern/lock.h"
#include "kern/thread.h"
#include "phys/alloc.h"
#include "phys/pressure.h"
#include "slab/vmalloc_area.h"

#define MAX_SPARE 16

static struct spinlock lock = SPINLOCK_INIT("spare stacks", RANK_VMALLOC);
static struct vmalloc_area *spare[MAX_SPARE]; /* under lock */
static unsigned nr_spare;                     /* under lock */

static void account(const struct vmalloc_area *area, int64_t sign)
{
    for (uint32_t i = 0; i < area->nr_pages; i++)
        mod_node_state(page_pgdat(area->pages[i]), NR_KERNEL_STACK, sign);
}

static struct vmalloc_area *take_spare(int nid)
{
    struct vmalloc_area *area = NULL;
    spin_lock(&lock);
    if (nr_spare) {
        unsigned best = nr_spare - 1;
        for (unsigned i = 0; i < nr_spare; i++)
            if (nid >= 0 && spare[i]->pages[0]->nid == nid)
                best = i;
        area = spare[best];
        spare[best] = spare[--nr_spare];
    }
    spin_unlock(&lock);
    return area;
}

void *stack_alloc(int nid)
{
    struct vmalloc_area *area = take_spare(nid);
    if (!area) {
        area = vmalloc_area_create(THREAD_STACK_SIZE, VMALLOC_STACK, GFP_KERNEL);
        if (!area)
            return NULL;
        if (vmalloc_area_fill(area, GFP_KERNEL, nid)) {
            vmalloc_area_destroy(area);
            return NULL;
        }
    }
    account(area, 1);
    return (void *)area->start;
}

void stack_free(void *stack)
{
    struct vmalloc_area *area = vmalloc_area_find(stack);
    BUG_ON(!area);
    account(area, -1);
    spin_lock(&lock);
    bool kept = nr_spare < MAX_SPARE;
    if (kept)
        spare[nr_spare++] = area;
    spin_unlock(&lock);
    if (!kept)
        vmalloc_area_destroy(area);
}

/* --- relief ----------------------------------------------------------------------------------- */

static enum relief_result relieve(struct relief_request *request)
{
    enum relief_result result = RELIEF_NONE;
    (void)request;
    for (struct vmalloc_area *area = take_spare(-1); area; area = take_spare(-1)) {
        vmalloc_area_destroy(area);
        result = RELIEF_PROGRESS;
    }
    return result;
}

static struct relief shrink_stacks = {
    .name = "spare stacks", .rank = RELIEF_RANK_SHRINK, .relieve = relieve};

static const struct stack_ops stack_ops = {stack_alloc, stack_free};

void vmalloc_init(void)
{
    thread_set_stack_ops(&stack_ops);
    relief_register(&shrink_stacks);
}
