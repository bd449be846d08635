/* SPDX-License-Identifier: MIT */
/*
 * timerfd.h - clocks that can be waited for.
 */
#ifndef PAGODA_TASK_TIMERFD_H
#define PAGODA_TASK_TIMERFD_H

/** Someone has set the date: timers that wait for one wait anew, or are cancelled. */
void timerfd_clock_was_set(void);

#endif
