/* SPDX-License-Identifier: MIT */
/*
 * machine.c - the facts about the machine: read once, in one order, and then only asked for.
 *
 * Who refuses and who repairs: without memory, without a clock or without the hart we run on there
 * is nothing to go on with, so these are refused. All else is repaired, and the repair leaves a
 * line in m->warnings.
 *
 * Locks: none; the boot hart is alone.
 * Linux's counterpart: setup_arch() of arch/riscv, where it reads the tree.
 */
#include "phys/machine.h"

#include "base/errno.h"
#include "base/string.h"
#include "phys/machine_read.h"

struct machine machine;

void machine_warn(struct machine *m, const char *fmt, ...)
{
    size_t room = sizeof(m->warnings) - m->warnings_len;
    char *line = m->warnings + m->warnings_len;
    va_list args;

    va_start(args, fmt);
    int len = vsnprintf(line, room, fmt, args);
    va_end(args);
    m->nr_warnings++;
    if (len < 0 || (size_t)len + 2 > room) { /* newline and NUL */
        line[0] = '\0';
        return;
    }
    line[len] = '\n';
    line[len + 1] = '\0';
    m->warnings_len += (uint32_t)len + 1;
}

void machine_copy_text(char *to, const char *from, size_t size)
{
    strlcpy(to, from, size);
    for (; *to; to++)
        if (*to < ' ' || *to > '~')
            *to = '?';
}

int machine_hart_index(const struct machine *m, uint64_t hartid)
{
    for (uint32_t i = 0; i < m->nr_harts; i++)
        if (m->harts[i].hartid == hartid)
            return (int)i;
    return -1;
}

int machine_plic_index(const struct machine *m, uint32_t phandle)
{
    for (uint32_t i = 0; i < m->nr_plics; i++)
        if (m->plics[i].phandle == phandle)
            return (int)i;
    return -1;
}

int machine_from_fdt(struct machine *m, const struct fdt *fdt, uint64_t boot_hartid)
{
    const char *model = fdt_string(fdt, fdt_root(fdt), "model");
    int error;

    memset(m, 0, sizeof(*m));
    machine_copy_text(m->model, model ? model : "unknown", sizeof(m->model));
    m->boot_hartid = boot_hartid;

    machine_read_chosen(m, fdt);
    if ((error = machine_read_harts(m, fdt)) != 0)
        return error;
    if ((error = machine_read_memory(m, fdt)) != 0)
        return error;
    if ((error = machine_read_reserved(m, fdt)) != 0)
        return error;
    machine_check_initrd(m);
    m->nr_nodes = mask_weight(&m->nodes);
    machine_read_distances(m, fdt);
    machine_read_plics(m, fdt);
    machine_read_uart(m, fdt);
    machine_read_rtc(m, fdt);
    machine_read_virtio(m, fdt);
    return 0;
}
