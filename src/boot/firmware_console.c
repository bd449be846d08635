/* SPDX-License-Identifier: MIT */
/*
 * firmware_console.c - the serial line as the firmware lends it to us.
 *
 *      serial_write --> sbi_console_write --ecall--> M-mode --> UART
 *
 * A call into M-mode for every few bytes, but it works from the first instruction on.
 *
 * Locks: none. Linux's counterpart: earlycon=sbi.
 */
#include "boot/boot.h"
#include "kern/serial.h"
#include "sbi/sbi.h"

void boot_serial_firmware(void)
{
    static const struct serial_driver firmware = {
        .name = "sbi",
        .write = sbi_console_write,
        .poll = sbi_console_poll,
    };
    sbi_probe();
    serial_set_driver(&firmware);
}
