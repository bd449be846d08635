/* SPDX-License-Identifier: MIT */
/*
 * harts.h - waking the other harts.
 *
 *      boot hart                               hart n
 *      struct hart, idle stack on its node
 *      SBI hart_start(id, entry, ...)  ----->  satp, tp, sp, trap vector
 *      wait for online, bounded        <-----  online, timer and IPI on, idle loop
 *
 * A hart that firmware will not start, or that does not report within a second, is named in the
 * log and left out; the machine goes on without it.
 *
 * Locks: none; boot only, from the boot thread.
 * Linux's counterpart: smp_prepare_cpus(), __cpu_up().
 */
#ifndef PAGODA_KERN_HARTS_H
#define PAGODA_KERN_HARTS_H

#include "base/types.h"
#include "kern/percpu.h"

/** What harts_start needs: zeroed memory on a node, never freed. NULL when there is none. */
typedef void *(*hart_memory_fn)(size_t size, size_t align, int nid);

/** Make the struct of a further hart, not started yet. -ENOMEM, -ENOSPC beyond MAX_HARTS. */
must_check int hart_add(uint32_t index, uint64_t hartid, uint32_t nid, hart_memory_fn memory);

/** This hart now schedules and answers IPIs. */
void harts_set_online(struct hart *h);

/** Start each hart that was added. Returns how many are online, the boot hart included. */
uint32_t harts_start(void);

#endif
