/* SPDX-License-Identifier: MIT */
/*
 * harts.c - from one hart to all.
 *
 *      boot hart:  timer, interrupts, online --> helpers --> harts_start()
 *
 * Locks: from here on they are needed. Linux's counterpart: smp_init().
 */
#include "kern/harts.h"

#include "boot/boot.h"
#include "kern/irq.h"
#include "kern/log.h"
#include "kern/thread.h"
#include "kern/timer.h"
#include "phys/memblock.h"

static void *boot_stack_alloc(int nid)
{
    return memblock_alloc(THREAD_STACK_SIZE, PAGE_SIZE, nid);
}

static void boot_stack_free(void *stack)
{
    (void)stack;
}

void boot_harts(void)
{
    static const struct stack_ops stacks = {boot_stack_alloc, boot_stack_free};
    thread_set_stack_ops(&stacks);
    timer_init_hart();
    irq_enable_hart();
    thread_init_late();
    uint32_t online = harts_start();
    pr_info("harts: %u of %u online", online, nr_harts);
}
