/* SPDX-License-Identifier: MIT */
/*
 * machine_device.c - the serial port that stdout-path names, and the virtio slots.
 *
 *      stdout-path = "serial0:115200n8"
 *                     alias  :options
 *
 * Locks: none.
 * Linux's counterpart: early_init_dt_scan_chosen_stdout(), of_serial.c, virtio_mmio.c.
 */
#include "base/errno.h"
#include "base/string.h"
#include "phys/machine_read.h"

#define UART_REGISTERS 8u
#define UART_MAX_SHIFT 4u

void machine_read_irq(struct machine *m, const struct fdt *fdt, fdt_node_t node, uint32_t *irq,
                      int32_t *plic)
{
    struct fdt_irq found;

    *irq = MACHINE_NO_IRQ;
    *plic = -1;
    int error = fdt_irq(fdt, node, 0, &found);
    if (error == -ENOENT)
        return; /* a device without interrupts */
    int index = error ? -1 : machine_plic_index(m, found.phandle);
    if (index < 0 || found.irq == 0 || found.irq > m->plics[index].nr_sources) {
        machine_warn(m, "%s: its interrupt leads nowhere", fdt_name(fdt, node));
        return;
    }
    *irq = found.irq;
    *plic = index;
}

static bool is_ns16550(const struct fdt *fdt, fdt_node_t node)
{
    return fdt_enabled(fdt, node) &&
           (fdt_compatible(fdt, node, "ns16550a") || fdt_compatible(fdt, node, "ns16550"));
}

/* The decimal digits that the options begin with. */
static uint32_t parse_baud(const char *options)
{
    enum { BAUD_MAX = 10000000 };
    uint32_t baud = 0;

    for (; *options >= '0' && *options <= '9'; options++) {
        baud = baud * 10 + (uint32_t)(*options - '0');
        if (baud > BAUD_MAX)
            return 0;
    }
    return baud;
}

static fdt_node_t first_ns16550(const struct fdt *fdt)
{
    fdt_for_each_node(fdt, node)
        if (is_ns16550(fdt, node))
            return node;
    return FDT_NO_NODE;
}

/* What stdout-path names if we can drive it, else the first port that we can. */
static fdt_node_t find_uart(struct machine *m, const struct fdt *fdt)
{
    fdt_node_t chosen = fdt_path(fdt, "/chosen", strlen("/chosen"));
    const char *path = fdt_string(fdt, chosen, "stdout-path");

    if (!path)
        path = fdt_string(fdt, chosen, "linux,stdout-path");
    if (path) {
        const char *colon = strchr(path, ':');
        size_t len = colon ? (size_t)(colon - path) : strlen(path);
        fdt_node_t node = fdt_alias_path(fdt, path, len);
        if (fdt_valid(node) && is_ns16550(fdt, node)) {
            m->uart.baud = colon ? parse_baud(colon + 1) : 0;
            return node;
        }
        machine_warn(m, "stdout-path names no ns16550");
    }
    return first_ns16550(fdt);
}

/* An optional one-cell property: `absent` if it is not there or malformed. */
static uint32_t cell_or(const struct fdt *fdt, fdt_node_t node, const char *name, uint32_t absent)
{
    uint32_t value;

    return fdt_u32(fdt, node, name, &value) ? absent : value;
}

void machine_read_uart(struct machine *m, const struct fdt *fdt)
{
    struct machine_uart *uart = &m->uart;
    fdt_node_t node = find_uart(m, fdt);
    uint64_t base;

    uart->plic = -1;
    if (!fdt_valid(node))
        return;
    uart->reg_shift = cell_or(fdt, node, "reg-shift", 0);
    uart->io_width = cell_or(fdt, node, "reg-io-width", 1);
    uart->clock_hz = cell_or(fdt, node, "clock-frequency", 0);
    bool good_width = uart->io_width == 1 || uart->io_width == 2 || uart->io_width == 4;
    if (fdt_reg(fdt, node, FDT_NO_NODE, 0, &base, &uart->size) || !good_width ||
        uart->reg_shift > UART_MAX_SHIFT || uart->size < UART_REGISTERS << uart->reg_shift) {
        machine_warn(m, "%s: unusable registers, left out", fdt_name(fdt, node));
        return;
    }
    uart->base = mk_paddr(base);
    uart->present = true;
    machine_read_irq(m, fdt, node, &uart->irq, &uart->plic);
}

#define RTC_REGISTERS 8

/* The clock that knows the date: QEMU's, which is Android's "goldfish". */
void machine_read_rtc(struct machine *m, const struct fdt *fdt)
{
    fdt_for_each_node(fdt, node) {
        uint64_t base, size;
        if (!fdt_compatible(fdt, node, "google,goldfish-rtc") || !fdt_enabled(fdt, node))
            continue;
        if (fdt_reg(fdt, node, FDT_NO_NODE, 0, &base, &size) || size < RTC_REGISTERS) {
            machine_warn(m, "%s: no usable reg, left out", fdt_name(fdt, node));
            return;
        }
        m->rtc = (struct machine_rtc){mk_paddr(base), size};
        return;
    }
}

static void read_virtio_slot(struct machine *m, const struct fdt *fdt, fdt_node_t node)
{
    struct machine_virtio *slot = &m->virtio[m->nr_virtio];
    uint64_t base, size;

    if (fdt_reg(fdt, node, FDT_NO_NODE, 0, &base, &size)) {
        machine_warn(m, "%s: no usable reg, left out", fdt_name(fdt, node));
        return;
    }
    *slot = (struct machine_virtio){.base = mk_paddr(base), .size = size};
    machine_read_irq(m, fdt, node, &slot->irq, &slot->plic);
    m->nr_virtio++;
}

/* Slots are counted whether usable or not: each costs walks of the tree. */
void machine_read_virtio(struct machine *m, const struct fdt *fdt)
{
    uint32_t slots = 0;

    fdt_for_each_node(fdt, node) {
        if (!fdt_compatible(fdt, node, "virtio,mmio") || !fdt_enabled(fdt, node))
            continue;
        if (slots++ == MACHINE_MAX_VIRTIO) {
            machine_warn(m, "%s: one virtio slot too many, the rest is left out",
                         fdt_name(fdt, node));
            return;
        }
        read_virtio_slot(m, fdt, node);
    }
}
