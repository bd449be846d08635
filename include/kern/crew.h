/* SPDX-License-Identifier: MIT */
/*
 * crew.h - the same function in several threads at once, for selftests.
 *
 *      crew_run(4, fn, arg):   thread 0 on hart 0: fn(arg, 0)
 *                              thread 1 on hart 1: fn(arg, 1)     ... returns when all have
 *
 * Locks: none; call from a thread. Linux's counterpart: kthread_create_on_cpu() in torture tests.
 */
#ifndef PAGODA_KERN_CREW_H
#define PAGODA_KERN_CREW_H

#include "base/types.h"

#define CREW_MAX 16

/**
 * Run fn(arg, 0), .. fn(arg, n-1) in n <= CREW_MAX threads, spread over the online harts, and wait
 * for them. 0, or -ENOMEM when not all could be made (those that could have run).
 */
must_check int crew_run(uint32_t n, void (*fn)(void *arg, uint32_t who), void *arg);

#endif
