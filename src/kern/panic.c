/* SPDX-License-Identifier: MIT */
/*
 * panic.c - the end, told as well as possible.
 *
 *      first hart:  claim ---> stop the others ---> message, registers, backtrace ---> power off
 *      others:              `-> stand still, by IPI, at a lock, or when they would panic too
 *
 * If telling it fails itself (a fault while the backtrace is walked), the hart comes here a second
 * time: then only the new message is printed; a third time nothing is.
 *
 * Locks: ignored from here on (kern/lock.c walks through them): the others do not move any more.
 * Linux's counterpart: kernel/panic.c.
 */
#include "kern/panic.h"

#include "arch/backtrace.h"
#include "arch/hart.h"
#include "arch/trap.h"
#include "base/atomic.h"
#include "base/format.h"
#include "kern/ipi.h"
#include "kern/log.h"
#include "kern/percpu.h"
#include "kern/serial.h"
#include "kern/thread.h"
#include "kern/timer.h"
#include "sbi/sbi.h"

/* How long the others get to stop before we speak. */
#define STOP_NS NSEC_PER_MSEC

static uint32_t panic_hart; /* index + 1 of the hart that panicked first */
static uint32_t panic_depth;
static bool wait_for_debugger;
static uint64_t warnings;

bool panicking(void)
{
    return load_relaxed(&panic_hart) != 0;
}

bool panic_is_mine(void)
{
    return load_relaxed(&panic_hart) == hart_index() + 1;
}

void panic_set_wait(bool wait)
{
    wait_for_debugger = wait;
}

void panic_stop_self(void)
{
    for (;;)
        wait_for_interrupt(); /* interrupts are off: nothing is taken any more */
}

noreturn static void power_off(void)
{
    serial_flush();
    if (!wait_for_debugger)
        sbi_system_reset(SBI_RESET_SHUTDOWN, SBI_RESET_FAILURE);
    panic_stop_self();
}

/* Claim the machine. Returns how often this hart has come here before. */
static uint32_t claim(void)
{
    uint32_t nobody = 0;
    if (cmpxchg(&panic_hart, &nobody, hart_index() + 1)) {
        ipi_stop_others();
        delay_ns(STOP_NS);
    } else if (!panic_is_mine()) {
        panic_stop_self();
    }
    return panic_depth++;
}

/* All that is known, apart from the message. */
static void print_details(const struct trap_frame *frame)
{
    const struct thread *t = thread_current();
    struct log_sink sink;

    pr_emerg("hart %u (id %lu, node %u), thread %s", hart_index(), this_hart()->arch.hartid,
             hart_nid(), t ? t->name : "none");
    log_sink_init(&sink, LOG_EMERG);
    if (frame) {
        trap_frame_print(&sink.sink, frame);
        backtrace_frame(&sink.sink, frame);
    } else {
        backtrace_print(&sink.sink, __builtin_frame_address(0));
    }
    log_sink_flush(&sink);
}

noreturn static void vpanic(const struct trap_frame *frame, const char *fmt, va_list args)
{
    char message[LOG_LINE_MAX];
    uint32_t depth = claim();

    if (depth == 0)
        serial_panic();
    if (depth <= 1) {
        (void)vsnprintf(message, sizeof(message), fmt, args);
        pr_emerg("Kernel panic - not syncing: %s", message);
    }
    if (depth == 0) {
        print_details(frame);
        pr_emerg("---[ end Kernel panic - not syncing: %s ]---", message);
    }
    power_off();
}

void panic(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vpanic(NULL, fmt, args);
}

void panic_frame(const struct trap_frame *frame, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vpanic(frame, fmt, args);
}

void panic_check(const char *what, const char *file, int line)
{
    panic("%s:%d: broken invariant: %s", file, line, what);
}

void warn_check(const char *what, const char *file, int line)
{
    (void)fetch_add_relaxed(&warnings, 1);
    pr_warn("WARNING: %s:%d: %s (hart %u, at %p)", file, line, what, hart_index(),
            __builtin_return_address(0));
}

uint64_t warn_count(void)
{
    return load_relaxed(&warnings);
}
