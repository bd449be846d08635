/* SPDX-License-Identifier: MIT */
/*
 * host.h - what stands below the floors that run on this host: RAM, harts, panics.
 *
 *      test ----> src/phys, src/slab, src/base   unchanged, natively compiled, under sanitizers
 *                        |
 *                 tests/host/support             in place of arch, kern, sbi
 *
 * A hart is a thread. The test's own thread is hart 0 and may act as others by host_become(); a
 * thread of a concurrent test calls host_run_as() and is then that hart for good.
 */
#ifndef HOST_SUPPORT_H
#define HOST_SUPPORT_H

#include <setjmp.h>

#include "base/types.h"

/** There are this many harts from now on, hart i on node nid(i). All offline but 0 .. n-1. */
void host_harts(uint32_t n, uint32_t (*nid)(uint32_t hart));

/** The calling thread acts as this hart, which no other thread is. */
void host_become(uint32_t hart);

/** The same for a thread that serves its mailbox by host_poll(): others' calls wait for it. */
void host_run_as(uint32_t hart);

/** Back to a hart that is served by its callers. */
void host_leave(void);

/** Run what other harts asked this one to. Often, in each thread of a concurrent test. */
void host_poll(void);

/** How often anyone was woken. Nobody sleeps here: who waits looks again and again. */
extern uint64_t host_wakeups;

/**
 * What a thread does that waits: called with the nanoseconds that it sleeps, or 0 when it waits for
 * an event. A test with one thread ends a wait from here. NULL: nothing.
 */
extern void (*host_waiting)(uint64_t ns);

/** Forget all RAM and mem_map: zeros again. */
void host_ram_clear(void);

/** The text of the last panic. */
extern char host_panic_text[512];

/*
 * Did the statement panic?  assert_true(PANICS(free_twice(page)));
 * What it had locked stays locked: end the test or set up anew.
 */
extern jmp_buf *host_panic_expected;
#define PANICS(statement)               \
    ({                                  \
        jmp_buf here_;                  \
        volatile bool panicked_ = true; \
        host_panic_expected = &here_;   \
        if (!setjmp(here_)) {           \
            statement;                  \
            panicked_ = false;          \
        }                               \
        host_panic_expected = NULL;     \
        host_panic_over();              \
        panicked_;                      \
    })

/** Harts hold no locks any more, as far as the order check knows. */
void host_panic_over(void);

#endif
