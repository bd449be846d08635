/* SPDX-License-Identifier: MIT */
/*
 * timer.h - time, and things to do later.
 *
 *      now_ns()      since the machine's clock began, from rdtime; never goes back on a hart
 *      struct timer  one shot, kept in the tree of the hart that armed it, run on that hart
 *
 *      hart 0:  [ 1.2 ms ]--[ 3 ms ]--[ 40 ms ]        slice end: 2 ms
 *                   ^ first                              the hardware gets the earlier of the two
 *
 * There is no periodic tick. The hardware timer is programmed only for the first timer, or for the
 * end of a slice when more than one thread wants the hart.
 *
 * Locks: RANK_TIMER in each hart's base. Functions run in interrupt context: they do not block.
 * Linux's counterpart: hrtimer.
 */
#ifndef PAGODA_KERN_TIMER_H
#define PAGODA_KERN_TIMER_H

#include "arch/csr.h"
#include "base/rbtree.h"
#include "base/types.h"
#include "kern/clock_params.h"

#define NSEC_PER_USEC 1000UL
#define NSEC_PER_MSEC 1000000UL
#define NSEC_PER_SEC 1000000000UL

/** A time that does not come. */
#define TIMER_NEVER UINT64_MAX

struct timer {
    struct rb_node node;
    uint64_t expires; /* ticks */
    void (*fn)(struct timer *);
    uint32_t hart;  /* whose tree it is in */
    uint32_t armed; /* 1 while in the tree */
};

/** The clock's rate as the device tree tells it; before that now_ns() is 0. */
void timer_set_timebase(uint64_t hz);

/** Nanoseconds of the machine's clock. */
uint64_t now_ns(void);

/** Nanoseconds since 1970 by the clock on the wall; from the boot on, where none tells the date. */
uint64_t now_realtime_ns(void);

/** A time of that clock as one of now_ns(); 0 when it is past. */
uint64_t realtime_to_ns(uint64_t realtime);

/** Say what the date is now. Any context. */
void time_set_realtime(uint64_t ns);

/** Say here from now on how to tell the time from rdtime. Once, at boot; for the vdso. */
void time_publish(struct clock_params *to);

/** Raw ticks of rdtime; conversion to them rounds up. */
static inline uint64_t now_ticks(void)
{
    return rdtime();
}
uint64_t ns_to_ticks(uint64_t ns);
uint64_t ticks_to_ns(uint64_t ticks);

void timer_init(struct timer *t, void (*fn)(struct timer *));

/** Arm for `ns` from now, on this hart. An armed timer is moved. Any context. */
void timer_add(struct timer *t, uint64_t ns);

/** The same for a time in ticks. */
void timer_add_at(struct timer *t, uint64_t expires);

/**
 * Take it back. Returns true if it was armed and now will not run; false if it has run. Waits for
 * its function when that runs on another hart at this moment, so the timer may be freed after.
 */
bool timer_cancel(struct timer *t);

/** Sleep at least so long. Context: thread, no spinlock held. -EINTR when the thread was killed. */
int sleep_ns(uint64_t ns);

/** Spin so long. For devices only. */
void delay_ns(uint64_t ns);

/** Called once on each hart; and by the trap floor on each timer interrupt. */
void timer_init_hart(void);
void timer_interrupt(void);

/** For the scheduler: the running thread's slice may be over at `end` (ticks). Own hart only. */
void timer_arm_slice(uint64_t end);

#endif
