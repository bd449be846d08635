/* SPDX-License-Identifier: MIT */
/*
 * backtrace.h - who called us, by frame pointers.
 *
 *      s0 --> +------------------+
 *        -8   | return address   |
 *        -16  | caller's s0 -----+--> +------------------+
 *             +------------------+    | ...              |
 *
 * Only debug builds keep frame pointers; a release build prints the one address it has. Nothing
 * is believed: a frame must lie higher than the last one, in the same stack, and be aligned.
 * scripts/symbolize adds files and lines.
 *
 * Locks: none. Linux's counterpart: arch/riscv/kernel/stacktrace.c.
 */
#ifndef PAGODA_ARCH_BACKTRACE_H
#define PAGODA_ARCH_BACKTRACE_H

#include "arch/trap.h"
#include "base/format.h"
#include "base/types.h"

#define BACKTRACE_MAX 32

/** Return addresses of the caller's callers, innermost first. Returns how many, at most max. */
size_t backtrace_capture(uint64_t *pcs, size_t max);

/** The same from a frame pointer into the stack of this hart's current thread. */
size_t backtrace_from(uint64_t fp, uint64_t *pcs, size_t max);

/** Print addresses, one a line: "  #2 0xffffffff80203f10 schedule+0x4c". */
void backtrace_print_pcs(struct sink *out, const uint64_t *pcs, size_t n);

/** Print from a frame pointer (__builtin_frame_address(0)), or what a trap interrupted. */
void backtrace_print(struct sink *out, const void *fp);
void backtrace_frame(struct sink *out, const struct trap_frame *frame);

#endif
