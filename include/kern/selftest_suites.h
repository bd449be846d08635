/* SPDX-License-Identifier: MIT */
/*
 * selftest_suites.h - the suites of this floor, one file each: src/kern/selftest_NAME.c.
 *
 * Locks: none. Linux's counterpart: the kunit_test_suites() of each subsystem.
 */
#ifndef PAGODA_KERN_SELFTEST_SUITES_H
#define PAGODA_KERN_SELFTEST_SUITES_H

#include "kern/selftest.h"

extern struct selftest_suite selftest_arch;
extern struct selftest_suite selftest_lock;
extern struct selftest_suite selftest_wait;
extern struct selftest_suite selftest_timer;
extern struct selftest_suite selftest_ipi;
extern struct selftest_suite selftest_thread;

#endif
