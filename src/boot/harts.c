/* SPDX-License-Identifier: MIT */
/*
 * harts.c - from one hart to all.
 *
 *      boot hart:  timer, interrupts --> reaper --> harts_start()
 *
 * Locks: from here on they are needed. Linux's counterpart: smp_init().
 */
#include "kern/harts.h"

#include "boot/boot.h"
#include "kern/irq.h"
#include "kern/log.h"
#include "kern/thread.h"
#include "kern/timer.h"

void boot_harts(void)
{
    timer_init_hart();
    irq_enable_hart();
    thread_init_late();
    uint32_t online = harts_start();
    pr_info("harts: %u of %u online", online, nr_harts);
}
