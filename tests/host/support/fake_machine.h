/* SPDX-License-Identifier: MIT */
/*
 * fake_machine.h - any machine, in a few words, with its physical memory managed.
 *
 *      fake_begin();
 *      fake_memory(0, MIB(0), MIB(64));       node 0: offsets from MEMORY_BASE
 *      fake_memory(1, MIB(128), MIB(32));     a hole before node 1
 *      fake_hart(0);  fake_hart(2);           node 2 has a hart and no memory
 *      fake_boot("dma32=64M");                memblock, nodes, zones, mem_map, buddy
 *
 * A test may begin a new machine at any time: everything of the old one is forgotten.
 */
#ifndef HOST_FAKE_MACHINE_H
#define HOST_FAKE_MACHINE_H

#include "base/types.h"
#include "kern/thread.h"
#include "phys/alloc.h"

/** An empty machine: no memory, no hart; distances 10 and 20. */
void fake_begin(void);

/** RAM of a node, at an offset from MEMORY_BASE. */
void fake_memory(uint32_t nid, uint64_t offset, uint64_t size);

/** RAM that firmware keeps. */
void fake_reserved(uint64_t offset, uint64_t size);

/** One more hart, on this node. The first is hart 0. */
void fake_hart(uint32_t nid);

/** Distance of two nodes, both ways. */
void fake_distance(uint32_t a, uint32_t b, uint8_t distance);

/** Up to memblock; then nodes, zones and pagesets; then the freelists. fake_boot(): all three. */
void fake_memblock(const char *bootargs);
void fake_phys_init(void);
void fake_boot(const char *bootargs);

/** One node, one hart, this much memory, booted. */
void fake_simple(uint64_t memory);

/** The thread that the calling hart runs, for its flags. */
struct thread *fake_thread(void);

/** Audit; fails the test with the findings unless there are none. */
void fake_check(void);

/** The page at an offset from MEMORY_BASE. */
struct page *fake_page(uint64_t offset);

#endif
