/* SPDX-License-Identifier: MIT */
/*
 * panic.h - what to do when an invariant of the monitor itself is broken.
 *
 *      ASSERT(x)    debug builds only: a condition that costs something to check
 *      BUG_ON(x)    all builds: going on would destroy memory
 *      WARN_ON(x)   counted and logged, the monitor goes on; the value is the condition
 *      panic(...)   the words are printed, the other harts stop, the machine powers off as failed
 *
 * None of them may be reachable by what a guest does: a guest's errors are the guest's.
 *
 * Locks: none are needed; the first hart to panic wins, the others stop where they are.
 * Linux's counterpart: panic(), BUG_ON(), WARN_ON().
 */
#ifndef PAGODA_KERN_PANIC_H
#define PAGODA_KERN_PANIC_H

#include "base/types.h"

#ifndef CONFIG_DEBUG
#define CONFIG_DEBUG 1
#endif

struct trap_frame;

/** Print message, hart and backtrace, stop all harts, shut down with the failure code. */
noreturn void panic(const char *fmt, ...) format_printf(1, 2);

/** The same for a trap taken by the monitor itself: prints the registers of `frame` too. */
noreturn void panic_frame(const struct trap_frame *frame, const char *fmt, ...) format_printf(2, 3);

/** Where ASSERT and BUG_ON end. Not called by hand. */
noreturn void panic_check(const char *what, const char *file, int line);

/** Where WARN_ON ends: counts the warning and logs the site. Not called by hand. */
void warn_check(const char *what, const char *file, int line);

/** Warnings since boot; `check` and the boot tests expect 0. */
uint64_t warn_count(void);

/** True as soon as any hart has panicked: locks are no longer honoured, output is polled. */
bool panicking(void);

/** Is this the hart that panicked first, the one that still may go on? */
bool panic_is_mine(void);

/** After a panic wait for a debugger instead of powering off (`panic=wait`). */
void panic_set_wait(bool wait);

/** Called by the IPI path on a hart that must stop for a panic elsewhere. */
noreturn void panic_stop_self(void);

#define BUG_ON(x)                                \
    do {                                         \
        if (unlikely(x))                         \
            panic_check(#x, __FILE__, __LINE__); \
    } while (0)

/* In a release build the condition is still compiled, so that it cannot rot, but never run. */
#define ASSERT(x)                                         \
    do {                                                  \
        if (CONFIG_DEBUG && unlikely(!(x)))               \
            panic_check("!(" #x ")", __FILE__, __LINE__); \
    } while (0)

#define WARN_ON(x)                              \
    ({                                          \
        bool warn_on_ = !!(x);                  \
        if (unlikely(warn_on_))                 \
            warn_check(#x, __FILE__, __LINE__); \
        warn_on_;                               \
    })

#endif
