/* SPDX-License-Identifier: MIT */
/*
 * ipi.h - one hart asks another to do something now.
 *
 *      caller (hart 2)                          target (hart 0)
 *      call slot: fn, arg, left = 1
 *      pending |= 1 << 2  ------------------->  pending = ....0100
 *      SBI send_ipi       ------------------->  xchg(pending, 0), run harts[2]->call.fn(arg)
 *      wait: left == 0?   <-------------------  left -= 1, and an interrupt if the caller sleeps
 *
 * Each hart has one call slot, so a mailbox is one word with a bit for each possible sender, and
 * nothing is ever allocated. A sender whose last call is still out waits for it first.
 *
 * Rules: no spinlock is held while calling with wait; functions run with interrupts off, do not
 * block and do not call ipi_call() themselves. A hart that waits serves its own mailbox, so two
 * harts that call each other do not deadlock: per-hart data must be whole around ipi_call().
 *
 * Linux's counterpart: smp_call_function_many(), smp_send_reschedule().
 */
#ifndef PAGODA_KERN_IPI_H
#define PAGODA_KERN_IPI_H

#include "base/bitmap.h"
#include "base/types.h"

enum ipi_wait { IPI_NO_WAIT = 0, IPI_WAIT = 1 };

/**
 * Run fn(arg) on each online hart of the mask (this hart included, if it is in it: directly).
 * With IPI_WAIT returns when all have run it. Context: any thread, no spinlock held.
 */
void ipi_call(hartmask_t mask, void (*fn)(void *), void *arg, enum ipi_wait wait);

/** The same on all online harts but this one. */
void ipi_call_others(void (*fn)(void *), void *arg, enum ipi_wait wait);

/** Serve this hart's mailbox now. For loops that wait for another hart outside of any lock. */
void ipi_poll(void);

/** Interrupt the hart, or each of a mask, for nothing else than that. */
void ipi_kick(uint32_t hart);
void ipi_kick_all(hartmask_t mask);

/** Let the hart look at its run queue: sets need_resched there and interrupts it. Any context. */
void ipi_resched(uint32_t hart);

/**
 * One round of waiting for another hart: pauses, and every so often lets the machine run someone
 * else. Under -icount QEMU runs the harts in turn on one thread, and a hart that merely spins
 * keeps the others from doing what it waits for until its whole slice is gone.
 * `round` counts the caller's turns. Does not look at the mailbox, but runs fences asked of us.
 */
void spin_wait(uint32_t round);

/** Stop all other harts for good; the panic path. Takes no lock. */
void ipi_stop_others(void);

#endif
