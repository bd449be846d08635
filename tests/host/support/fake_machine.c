/* SPDX-License-Identifier: MIT */
/*
 * fake_machine.c - a struct machine without a device tree, and phys_init() on it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "phys/bootargs.h"
#include "phys/check.h"
#include "phys/memblock.h"
#include "phys/zone_init.h"
#include "support/fake_machine.h"
#include "support/host.h"

static struct thread threads[MAX_HARTS];

static uint32_t nid_of_hart(uint32_t hart)
{
    return machine.harts[hart].nid;
}

void fake_begin(void)
{
    memset(&machine, 0, sizeof(machine));
    for (unsigned a = 0; a < MAX_NODES; a++)
        for (unsigned b = 0; b < MAX_NODES; b++)
            machine.distance[a][b] = a == b ? LOCAL_DISTANCE : REMOTE_DISTANCE;
    memset(node_data, 0, sizeof(node_data));
    memset(node_states, 0, sizeof(node_states));
    nr_zones = 0;
    memblock_init();
    host_ram_clear();
    watermark_scale_factor = 10;
}

void fake_memory(uint32_t nid, uint64_t offset, uint64_t size)
{
    mask_set(&machine.nodes, nid);
    if (size)
        machine.memory[machine.nr_memory++] =
            (struct machine_range){mk_paddr(MEMORY_BASE + offset), size, nid};
}

void fake_reserved(uint64_t offset, uint64_t size)
{
    machine.reserved[machine.nr_reserved++] =
        (struct machine_reserved){.base = mk_paddr(MEMORY_BASE + offset), .size = size};
}

void fake_hart(uint32_t nid)
{
    mask_set(&machine.nodes, nid);
    machine.harts[machine.nr_harts++].nid = (uint8_t)nid;
}

void fake_distance(uint32_t a, uint32_t b, uint8_t distance)
{
    machine.distance[a][b] = machine.distance[b][a] = distance;
}

void fake_memblock(const char *bootargs)
{
    machine.nr_nodes = (uint32_t)mask_weight(&machine.nodes);
    bootargs_init(bootargs);
    host_harts(machine.nr_harts, nid_of_hart);
    memset(threads, 0, sizeof(threads));
    for (uint32_t i = 0; i < nr_harts; i++) {
        harts[i]->current = &threads[i];
        strcpy(threads[i].name, "test");
    }
    assert_int_equal(memblock_from_machine(&machine, bootarg_size("mem", 0)), 0);
}

void fake_phys_init(void)
{
    phys_init(&machine);
}

void fake_boot(const char *bootargs)
{
    fake_memblock(bootargs);
    fake_phys_init();
    mem_init();
}

void fake_simple(uint64_t memory)
{
    fake_begin();
    fake_memory(0, 0, memory);
    fake_hart(0);
    fake_boot("");
}

struct thread *fake_thread(void)
{
    return thread_current();
}

void fake_check(void)
{
    static char text[4096];
    struct buffer_sink out;
    buffer_sink_init(&out, text, sizeof(text));
    if (phys_check(&out.sink))
        fail_msg("%s", text);
}

struct page *fake_page(uint64_t offset)
{
    return pfn_to_page(mk_pfn((MEMORY_BASE + offset) >> PAGE_SHIFT));
}
