/* SPDX-License-Identifier: MIT */
/*
 * machine_chosen.c - /chosen: what the one who starts us wants to tell us.
 *
 *      bootargs = "mem=256M loglevel=7"
 *      linux,initrd-start, linux,initrd-end    one or two cells each
 *      rng-seed                                bytes for the first random numbers
 *
 * stdout-path is read with the serial port, in machine_device.c.
 *
 * Locks: none.
 * Linux's counterpart: early_init_dt_scan_chosen().
 */
#include "arch/layout.h"
#include "base/string.h"
#include "phys/machine_read.h"

static void read_bootargs(struct machine *m, const struct fdt *fdt, fdt_node_t chosen)
{
    struct fdt_prop prop;

    if (!fdt_prop(fdt, chosen, "bootargs", &prop))
        return;
    size_t len = strnlen((const char *)prop.value, prop.len);
    if (len >= sizeof(m->bootargs)) {
        len = sizeof(m->bootargs) - 1;
        machine_warn(m, "bootargs: cut to %zu bytes", len);
    }
    memcpy(m->bootargs, prop.value, len);
    m->bootargs[len] = '\0';
}

static void read_initrd(struct machine *m, const struct fdt *fdt, fdt_node_t chosen)
{
    struct fdt_prop prop;
    uint64_t start, end;

    if (!fdt_prop(fdt, chosen, "linux,initrd-start", &prop))
        return;
    if (fdt_u64(fdt, chosen, "linux,initrd-start", &start) ||
        fdt_u64(fdt, chosen, "linux,initrd-end", &end) || end < start) {
        machine_warn(m, "initrd: malformed bounds, ignored");
        return;
    }
    m->initrd = mk_paddr(start);
    m->initrd_size = end - start;
}

void machine_read_chosen(struct machine *m, const struct fdt *fdt)
{
    fdt_node_t chosen = fdt_path(fdt, "/chosen", strlen("/chosen"));
    struct fdt_prop seed;

    read_bootargs(m, fdt, chosen);
    read_initrd(m, fdt, chosen);
    if (fdt_prop(fdt, chosen, "rng-seed", &seed)) {
        m->rng_seed_len = MIN(seed.len, MACHINE_SEED_MAX);
        memcpy(m->rng_seed, seed.value, m->rng_seed_len);
    }
}

/* Why the initrd cannot be read, or NULL. */
static const char *initrd_fault(const struct machine *m, uint64_t at, uint64_t end)
{
    if (!paddr_is_linear(mk_paddr(at)) || !paddr_is_linear(mk_paddr(end - 1)))
        return "is not in the linear map";
    for (uint32_t i = 0; i < m->nr_reserved; i++) {
        const struct machine_reserved *r = &m->reserved[i];
        if (r->no_map && r->base.v < end && at < r->base.v + r->size)
            return "is in memory that must not be mapped";
    }
    /* memory[] is sorted, so one pass follows the initrd from range to range. */
    for (uint32_t i = 0; i < m->nr_memory && at < end; i++) {
        const struct machine_range *r = &m->memory[i];
        if (r->base.v <= at && at - r->base.v < r->size)
            at = r->base.v + r->size;
    }
    return at < end ? "is not all in memory" : NULL;
}

void machine_check_initrd(struct machine *m)
{
    uint64_t end = m->initrd.v + m->initrd_size;
    const char *fault = m->initrd_size ? initrd_fault(m, m->initrd.v, end) : NULL;

    if (!fault)
        return;
    machine_warn(m, "initrd: [0x%lx, 0x%lx) %s, ignored", m->initrd.v, end, fault);
    m->initrd = mk_paddr(0);
    m->initrd_size = 0;
}
