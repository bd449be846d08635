/* SPDX-License-Identifier: MIT */
/*
 * harts.c - from one hart to all.
 *
 *      boot hart:  stacks can be had --> timer, interrupts --> reaper --> harts_start()
 *
 * Locks: from here on they are needed. Linux's counterpart: smp_init().
 */
#include "kern/harts.h"

#include "boot/boot.h"
#include "kern/irq.h"
#include "kern/log.h"
#include "kern/thread.h"
#include "kern/timer.h"
#include "phys/alloc.h"

#define STACK_ORDER 2

static void *alloc_stack(int nid)
{
    struct page *pages = alloc_pages_node(nid, GFP_KERNEL, STACK_ORDER);
    return pages ? page_address(pages) : NULL;
}

static void free_stack(void *stack)
{
    free_pages(stack, STACK_ORDER);
}

void boot_harts(void)
{
    static const struct stack_ops stacks = {.alloc = alloc_stack, .free = free_stack};
    thread_set_stack_ops(&stacks);
    timer_init_hart();
    irq_enable_hart();
    thread_init_late();
    uint32_t online = harts_start();
    pr_info("harts: %u of %u online", online, nr_harts);
}
