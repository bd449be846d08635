/* SPDX-License-Identifier: MIT */
/*
 * devices.c - the PLICs, and the UART of stdout-path.
 *
 *      machine.uart --> ioremap --> uart_init (polled) --> serial driver
 *      machine.plics[] --> plic_add --> plic_request(uart's source) --> uart_start_irq
 *                                                                           |
 *                                            serial_input() <--bytes--------'
 *
 * Whatever is missing or strange costs only comfort: without a UART the firmware's console stays,
 * without its interrupt it is polled.
 *
 * Locks: none. Linux's counterpart: irqchip_init(), 8250_of.c.
 */
#include "arch/plic.h"
#include "arch/uart.h"
#include "base/string.h"
#include "boot/boot.h"
#include "kern/ipi.h"
#include "kern/log.h"
#include "kern/percpu.h"
#include "kern/serial.h"
#include "kern/timer.h"
#include "phys/machine.h"
#include "slab/vmalloc.h"

static void open_plics_here(void *arg)
{
    (void)arg;
    plic_init_hart();
}

static void add_plics(void)
{
    for (uint32_t i = 0; i < machine.nr_plics; i++) {
        const struct machine_plic *plic = &machine.plics[i];
        struct plic_desc desc = {.regs = ioremap(plic->base, MIN(plic->size, PLIC_SIZE)),
                                 .nr_sources = plic->nr_sources};
        memcpy(desc.context, plic->context, sizeof(desc.context));
        /* plics[] and the drivers' numbers are the same only if none is left out. */
        if (!desc.regs || plic_add(&desc) != (int)i) {
            pr_warn("plic: the one at 0x%lx is left out, and those after it", plic->base.v);
            break;
        }
    }
    ipi_call(harts_online, open_plics_here, NULL, IPI_WAIT);
}

static bool take_uart(const struct machine_uart *uart)
{
    static const struct serial_driver driver = {
        .name = "ns16550",
        .write = uart_write,
        .flush = uart_flush,
        .poll = uart_poll,
        .panic = uart_set_polled,
    };
    if (!uart->present)
        return false;
    void *regs = ioremap(uart->base, uart->size);
    if (!regs || uart_init(regs, uart->reg_shift, uart->io_width) != 0)
        return false;
    serial_set_driver(&driver);
    return true;
}

static bool take_uart_irq(const struct machine_uart *uart)
{
    if (uart->irq == MACHINE_NO_IRQ || uart->plic < 0)
        return false;
    int hart = plic_request((uint32_t)uart->plic, uart->irq, uart_interrupt, NULL, hart_index(),
                            harts_online.bits);
    if (hart < 0)
        return false;
    uart_start_irq(serial_input);
    serial_set_irq_driven();
    pr_info("serial: ns16550 at 0x%lx, source %u of plic %d, served by hart %d", uart->base.v,
            uart->irq, uart->plic, hart);
    return true;
}

/* The low half first: reading it keeps the high half that belongs to it. */
static void read_clock(const struct machine_rtc *rtc)
{
    const volatile uint32_t *regs = rtc->size ? ioremap(rtc->base, rtc->size) : NULL;
    if (!regs)
        return;
    uint64_t low = regs[0], high = regs[1];
    time_set_realtime(high << 32 | low);
    iounmap((void *)(uintptr_t)regs);
}

void boot_devices(void)
{
    read_clock(&machine.rtc);
    add_plics();
    if (!take_uart(&machine.uart))
        pr_info("serial: no UART that we know at stdout-path; the firmware's console stays");
    else if (!take_uart_irq(&machine.uart))
        pr_info("serial: ns16550 at 0x%lx, polled", machine.uart.base.v);
}
