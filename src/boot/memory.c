/* SPDX-License-Identifier: MIT */
/*
 * memory.c - memblock is told what there is, and what is taken already.
 *
 *      RAM:   [ firmware | image | ............free............ | initrd | device tree ]
 *             `- reserved by the tree                              `- tree  `- by us
 *
 * The first who ask are the harts: pagesets and run queues are per hart, so each gets its struct
 * now, on its own node, long before it is started.
 *
 * Locks: none. Linux's counterpart: setup_bootmem(), setup_per_cpu_areas().
 */
#include "arch/layout.h"
#include "base/string.h"
#include "boot/boot.h"
#include "kern/harts.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "phys/bootargs.h"
#include "phys/machine.h"
#include "phys/memblock.h"

static void reserve(paddr_t start, paddr_t end, const char *what)
{
    uint64_t base = ALIGN_DOWN(start.v, PAGE_SIZE);
    int err = memblock_reserve(mk_paddr(base), ALIGN_UP(end.v, PAGE_SIZE) - base);
    if (err)
        panic("cannot reserve %s at 0x%lx: error %d", what, base, err);
}

static void *hart_memory(size_t size, size_t align, int nid)
{
    return memblock_alloc(size, align, nid);
}

static void add_harts(void)
{
    for (uint32_t i = 1; i < machine.nr_harts; i++) {
        const struct machine_hart *h = &machine.harts[i];
        int err = hart_add(i, h->hartid, h->nid, hart_memory);
        if (err) {
            pr_warn("hart %u (id %lu) and those after it are left out: error %d", i, h->hartid,
                    err);
            return;
        }
    }
}

/* memblock=debug, as in Linux: both arrays, as they are when memblock has all that it gets. */
static void log_memblock(void)
{
    const char *arg = bootarg_get("memblock");
    struct log_sink sink;

    if (!arg || strcmp(arg, "debug") != 0)
        return;
    log_sink_init(&sink, LOG_INFO);
    memblock_dump(&sink.sink);
    log_sink_flush(&sink);
}

void boot_take_memory(void)
{
    int err = memblock_from_machine(&machine, bootarg_size("mem", 0));
    if (err)
        panic("memblock does not take the machine's memory: error %d", err);
    reserve(virt_to_phys(image_start), virt_to_phys(image_end), "the image");
    reserve(boot_dtb, mk_paddr(boot_dtb.v + boot_dtb_size), "the device tree");
    add_harts();
    log_memblock();
    pr_info("memory: %lu KiB, %lu KiB reserved", memblock.memory.total >> 10,
            memblock.reserved.total >> 10);
}
