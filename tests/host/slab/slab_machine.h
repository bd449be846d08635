/* SPDX-License-Identifier: MIT */
/*
 * slab_machine.h - the machine of the slab suites, booted once a program.
 *
 *      node 0: 32 MiB, harts 0 1      node 1: 32 MiB, hart 2      node 2: no memory, hart 3
 *
 * Caches live for ever, so unlike the suites of phys these do not begin a new machine each test.
 */
#ifndef HOST_SLAB_MACHINE_H
#define HOST_SLAB_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "slab/kmalloc.h"
#include "slab/slab_page.h"
#include "support/fake_machine.h"
#include "support/host.h"

#define MEMORYLESS 2

static inline int slab_machine(void **state)
{
    (void)state;
    fake_begin();
    fake_memory(0, MIB(0), MIB(32));
    fake_memory(1, MIB(32), MIB(32));
    fake_hart(0);
    fake_hart(0);
    fake_hart(1);
    fake_hart(MEMORYLESS);
    fake_distance(0, MEMORYLESS, 30);
    fake_distance(1, MEMORYLESS, 15);
    fake_boot("");
    slab_init();
    return 0;
}

/** Audit slab and phys; fails the test with the findings. */
static inline void slab_audit(void)
{
    static char text[4096];
    struct buffer_sink out;
    buffer_sink_init(&out, text, sizeof(text));
    if (slab_check(&out.sink))
        fail_msg("%s", text);
    fake_check();
}

/** How many faults the audit finds now. */
static inline unsigned slab_faults(void)
{
    static char text[4096];
    struct buffer_sink out;
    buffer_sink_init(&out, text, sizeof(text));
    return slab_check(&out.sink);
}

static inline uint64_t slabs_of(const struct kmem_cache *cache)
{
    struct slabinfo info;
    slabinfo_get(cache, &info);
    return info.num_slabs;
}

static inline uint64_t objects_out(const struct kmem_cache *cache)
{
    struct slabinfo info;
    slabinfo_get(cache, &info);
    return info.active_objs;
}

#endif
