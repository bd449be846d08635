/* SPDX-License-Identifier: MIT */
/*
 * main.c - the boot, which is also the table of contents.
 *
 *      OpenSBI -> sbi/entry.S -> monitor_main -> ... each stage stands on those before it ...
 *
 * One call a stage, in the order of the floors. A stage that fails beyond repair panics with the
 * reason; everything else is logged, and the machine goes on with what there is.
 *
 * Locks: none are needed before boot_harts(). Linux's counterpart: init/main.c.
 */
#include "arch/csr.h"
#include "boot/boot.h"
#include "console/console.h"
#include "fault/fault.h"
#include "file/archive.h"
#include "file/root.h"
#include "kern/irq.h"
#include "kern/percpu.h"
#include "kern/selftest.h"
#include "kern/serial.h"
#include "kern/thread.h"
#include "phys/alloc.h"
#include "phys/machine.h"
#include "pressure/compaction.h"
#include "pressure/oom.h"
#include "sbi/sbi.h"
#include "slab/cache.h"
#include "slab/vmalloc.h"
#include "task/guest.h"
#include "virt/kernel_map.h"
#include "virt/mm.h"
#include "view/view.h"
#include "virt/tlb.h"

/* How vmalloc, a floor below page tables, has its pages mapped. */
static const struct vmalloc_ops kernel_areas = {
    .map = kernel_map_page,
    .mapped = kernel_mapped,
    .unmap = kernel_unmap_range,
};

void monitor_main(uint64_t hartid, uint64_t dtb)
{
    console_boot_began(csr_read(instret));

    /* kern: locks know their hart, and what is logged can be seen */
    percpu_init_boot_hart(hartid);
    boot_serial_firmware();

    /* phys: what machine is this, and what memory has it? memblock lends the first of it */
    boot_read_machine(hartid, mk_paddr(dtb));
    boot_take_memory();

    /* virt: leave the entry's rough map for the final one, in which nothing is both W and X */
    kernel_map_init();

    /* phys: nodes, zones and a struct page for each frame; then the buddy has all that is free */
    phys_set_vmemmap_map(kernel_map_vmemmap);
    phys_init(&machine);
    mem_init();
    kernel_map_use_pages();

    /* slab: objects smaller than a page, areas larger than one, stacks with guard pages */
    slab_init();
    vmalloc_set_ops(&kernel_areas);
    vmalloc_init();

    /* virt, fault: address spaces, who maps a page, and what a fault in them means */
    tlb_init();
    mm_init();
    fault_init();

    /* kern: interrupts, time, and this code becomes a thread; then all harts */
    irq_init();
    thread_init_boot();
    boot_harts();

    /* devices, for which all harts must be there: any of them may be the one to be interrupted */
    boot_devices();

    /* file: the tree of files; the programs in it come out of the archive */
    file_boot();
    archive_init(machine.initrd, machine.initrd_size);

    /* task: guests can be started */
    boot_seed();
    guest_init();

    /* pressure: who helps when memory is short registers with phys */
    compaction_init();
    oom_init();

    /* the first guest, there to be looked at as long as the machine runs */
    guest_start_init();

    /* view, console: what is known can be seen, and a person can drive */
    kern_selftests_register();
    view_init();
    console_init();
    console_start();

    thread_exit();
}
