/* SPDX-License-Identifier: MIT */
/*
 * timers.h - a guest's alarms: setitimer() and timer_create().
 *
 *      guest->timers --> real, virtual, prof       and up to 32 of timer_create()
 *                          `-- struct timer of the monitor; when it is up, a signal
 *
 * Time that is counted only while the guest runs is looked at when it could be up at the earliest,
 * and again until it is.
 *
 * Locks: guest->lock for what is set; a timer's function runs in interrupts and takes it too.
 * Linux's counterpart: kernel/time/itimer.c, posix-timers.c.
 */
#ifndef PAGODA_TASK_TIMERS_H
#define PAGODA_TASK_TIMERS_H

#include "kern/timer.h"
#include "task/guest.h"

#define POSIX_TIMERS 32

enum alarm_clock { ALARM_REAL, ALARM_RUN };

struct alarm {
    struct timer timer;
    struct guest *guest; /* no reference: timers end before their guest does */
    enum alarm_clock clock;
    uint64_t expires;       /* (g) ns of that clock; 0: not set */
    uint64_t interval;      /* (g) ns; 0: once */
    uint64_t patience;      /* (g) ns that the next time is at least away, see timers.c */
    bool sent;              /* (g) its signal was pending when it was last up */
    uint32_t tid;           /* the signal is for this task; 0: for the guest */
    struct sigqueue signal; /* (g) what it sends; info.signo 0: nothing */
    bool used;
    bool wall; /* absolute times are of the clock on the wall */
};

struct guest_timers {
    struct alarm itimers[3];
    struct alarm posix[POSIX_TIMERS];
};

/** An interval may be shorter than what it sets off; the program must get on all the same. */
#define SHORTEST_WAIT (50 * NSEC_PER_USEC)
#define LONGEST_WAIT (20 * NSEC_PER_MSEC)

struct timer_setting {
    uint64_t value, interval; /* ns; value 0: not set */
};

/**
 * From and to a guest's struct itimerval or itimerspec: interval and value, each seconds and parts
 * of a second (so many make one). 0, -EFAULT, -EINVAL.
 */
int timer_setting_take(struct timer_setting *s, uint64_t user, uint64_t parts) must_check;
int timer_setting_put(const struct timer_setting *s, uint64_t user, uint64_t parts) must_check;

/** exec takes the timers of timer_create(), the end of a guest all. Thread context. */
void timers_end(struct guest *g, bool all);

#endif
