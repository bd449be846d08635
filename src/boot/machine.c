/* SPDX-License-Identifier: MIT */
/*
 * machine.c - the device tree is read, once.
 *
 *      a1 --> blob in RAM --fdt_open--> struct fdt --machine_from_fdt--> struct machine
 *                                                        |-- bootargs --> log level, panic=
 *                                                        '-- timebase --> the clock
 *
 * The blob stays where the firmware put it, reserved, so that it can still be looked at.
 *
 * Locks: none. Linux's counterpart: setup_machine_fdt(), parse_early_param().
 */
#include "arch/layout.h"
#include "base/string.h"
#include "boot/boot.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/percpu.h"
#include "kern/timer.h"
#include "phys/bootargs.h"
#include "phys/fdt.h"
#include "phys/machine.h"
#include "sbi/sbi.h"

paddr_t boot_dtb;
uint64_t boot_dtb_size;

static void apply_log_args(void)
{
    log_set_level((int)bootarg_u64("loglevel", (uint64_t)log_get_level()));
    if (bootarg_flag("quiet"))
        log_set_level(LOG_WARN + 1);
    const char *panic_arg = bootarg_get("panic");
    panic_set_wait(panic_arg && strcmp(panic_arg, "wait") == 0);
}

static void log_firmware(void)
{
    const struct sbi_info *sbi = sbi_info();
    pr_info("sbi: %s, version 0x%lx, specification %lu.%lu", sbi_impl_name(sbi->impl_id),
            sbi->impl_version, sbi->spec_version >> 24, sbi->spec_version & 0xffffff);
}

/* What was found, for dmesg; what had to be repaired, for everybody. */
static void log_facts(void)
{
    struct log_sink sink;
    log_sink_init(&sink, LOG_DEBUG);
    machine_dump(&machine, &sink.sink);
    log_sink_flush(&sink);
    log_sink_init(&sink, LOG_WARN);
    sink.sink.write(&sink.sink, machine.warnings, machine.warnings_len);
    log_sink_flush(&sink);
}

void boot_read_machine(uint64_t hartid, paddr_t dtb)
{
    struct fdt fdt;
    const void *blob = phys_to_virt(dtb);

    log_firmware();
    if (fdt_open(blob, FDT_MAX_SIZE, &fdt) != 0)
        panic("the device tree at 0x%lx is no use: %s (at byte %u)", dtb.v, fdt.reason, fdt.where);
    boot_dtb = dtb;
    boot_dtb_size = fdt.total_size;
    if (machine_from_fdt(&machine, &fdt, hartid) != 0)
        panic("the device tree describes no machine to run on: %s", machine.reason);

    bootargs_init(machine.bootargs);
    const char *numa = bootarg_get("numa");
    if (numa && strcmp(numa, "off") == 0)
        machine_numa_off(&machine);
    timer_set_timebase(machine.timebase_hz);
    sbi_use_sstc(machine.harts[0].isa & ISA_SSTC);
    percpu_set_nid(this_hart(), machine.harts[0].nid);
    apply_log_args();

    pr_info("machine: %s; harts: %u, nodes: %u", machine.model, machine.nr_harts, machine.nr_nodes);
    pr_info("command line: %s", machine.bootargs);
    log_facts();
}
