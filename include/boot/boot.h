/* SPDX-License-Identifier: MIT */
/*
 * boot.h - the stages of the boot that join facts of the machine to a floor's init.
 *
 *      machine ----.
 *      bootargs ---+--> boot_STAGE() --> X_init() of floors
 *
 * Each stage is one file of src/boot. They run once, in main.c's order, on the boot hart.
 *
 * Locks: none. Linux's counterpart: setup_arch() and the initcalls.
 */
#ifndef PAGODA_BOOT_BOOT_H
#define PAGODA_BOOT_BOOT_H

#include "base/types.h"

/** Serial output through the firmware: from here on the log can be seen. */
void boot_serial_firmware(void);

/** Where the device tree lies. */
extern paddr_t boot_dtb;
extern uint64_t boot_dtb_size;

/** The device tree becomes `machine`; boot arguments, log level, clock. Panics if it is no use. */
void boot_read_machine(uint64_t hartid, paddr_t dtb);

/** memblock knows all RAM, and what of it is taken; a struct for each hart. */
void boot_take_memory(void);

/** The PLICs, and the UART of stdout-path; without one the firmware's console stays. */
void boot_devices(void);

/** The other harts. */
void boot_harts(void);

/** What address-space randomisation and getrandom() start from. */
void boot_seed(void);

#endif
