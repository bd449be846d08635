/* SPDX-License-Identifier: MIT */
/*
 * fdt_decode.c - what the bytes of a property mean.
 *
 * How many cells an address has is told by the node *above*: a `reg` is written in the language of
 * its bus, and `ranges` of a bus is its dictionary into the language of the next bus up.
 *
 *      /          #address-cells = <2>                                       CPU's addresses
 *        soc      #address-cells = <1>   ranges = <0x0   0x0 0x10000000  0x1000000>
 *          uart   reg = <0x100 0x20>               bus 0x100 --> 0x10000100
 *
 * Interrupts are told by the controller: its #interrupt-cells, its own numbers.
 *
 * Locks: none. Contents are untrusted: each length is compared with what is about to be read.
 * Linux's counterpart: of_address.c, of_irq_parse_one().
 */
#include "base/errno.h"
#include "base/string.h"
#include "phys/fdt.h"

#define CELL_SIZE 4u
#define DEFAULT_ADDRESS_CELLS 2u
#define DEFAULT_SIZE_CELLS 1u

int fdt_cells(const uint8_t *p, uint32_t cells, uint64_t *out)
{
    uint64_t value = 0;

    if (cells > FDT_MAX_CELLS)
        return -EINVAL;
    for (uint32_t i = 0; i < cells; i++) {
        if (value >> 32)
            return -ERANGE;
        value = value << 32 | fdt_be32(p + i * CELL_SIZE);
    }
    *out = value;
    return 0;
}

int fdt_u32(const struct fdt *fdt, fdt_node_t node, const char *name, uint32_t *out)
{
    struct fdt_prop prop;

    if (!fdt_prop(fdt, node, name, &prop))
        return -ENOENT;
    if (prop.len != CELL_SIZE)
        return -EINVAL;
    *out = fdt_be32(prop.value);
    return 0;
}

int fdt_u64(const struct fdt *fdt, fdt_node_t node, const char *name, uint64_t *out)
{
    struct fdt_prop prop;

    if (!fdt_prop(fdt, node, name, &prop))
        return -ENOENT;
    if (prop.len != CELL_SIZE && prop.len != 2 * CELL_SIZE)
        return -EINVAL;
    return fdt_cells(prop.value, prop.len / CELL_SIZE, out);
}

const char *fdt_string(const struct fdt *fdt, fdt_node_t node, const char *name)
{
    struct fdt_prop prop;

    if (!fdt_prop(fdt, node, name, &prop))
        return NULL;
    return memchr(prop.value, '\0', prop.len) ? (const char *)prop.value : NULL;
}

/* A count of cells: its default if absent, -EINVAL if malformed or absurd. */
static int cell_count(const struct fdt *fdt, fdt_node_t node, const char *name, uint32_t absent,
                      uint32_t *out)
{
    int error = fdt_u32(fdt, node, name, out);

    if (error == -ENOENT)
        *out = absent;
    else if (error)
        return error;
    return *out > FDT_MAX_CELLS ? -EINVAL : 0;
}

int fdt_cell_counts(const struct fdt *fdt, fdt_node_t parent, uint32_t *address, uint32_t *size)
{
    int error = cell_count(fdt, parent, "#address-cells", DEFAULT_ADDRESS_CELLS, address);

    return error ? error : cell_count(fdt, parent, "#size-cells", DEFAULT_SIZE_CELLS, size);
}

int fdt_bus_reg(const struct fdt *fdt, fdt_node_t node, fdt_node_t parent, uint32_t index,
                uint64_t *base, uint64_t *size)
{
    struct fdt_prop prop;
    uint32_t address_cells, size_cells;
    int error = fdt_cell_counts(fdt, parent, &address_cells, &size_cells);

    if (error)
        return error;
    if (!fdt_prop(fdt, node, "reg", &prop))
        return -ENOENT;
    uint32_t entry = (address_cells + size_cells) * CELL_SIZE;
    uint64_t at = (uint64_t)index * entry;
    if (entry == 0)
        return -EINVAL;
    if (at >= prop.len)
        return -ENOENT;
    if (prop.len - at < entry)
        return -EINVAL;
    const uint8_t *p = prop.value + at;
    if (fdt_cells(p, address_cells, base) ||
        fdt_cells(p + address_cells * CELL_SIZE, size_cells, size))
        return -ERANGE;
    return *base + *size < *base ? -ERANGE : 0;
}

/* One entry of `ranges`: if it passes [*base, +size) on, *base becomes the parent's address. */
static bool range_translates(const uint8_t *entry, uint32_t child_cells, uint32_t parent_cells,
                             uint32_t size_cells, uint64_t *base, uint64_t size)
{
    uint64_t child, parent, length;
    const uint8_t *parent_at = entry + child_cells * CELL_SIZE;
    const uint8_t *length_at = parent_at + parent_cells * CELL_SIZE;

    if (fdt_cells(entry, child_cells, &child) || fdt_cells(parent_at, parent_cells, &parent) ||
        fdt_cells(length_at, size_cells, &length))
        return false; /* PCI's three cells with flags: not for us */
    if (*base < child || *base - child >= length || size > length - (*base - child))
        return false;
    uint64_t translated = parent + (*base - child);
    if (translated < parent || translated + size < translated)
        return false;
    *base = translated;
    return true;
}

/* From an address on `bus` to one on the bus above. */
static int translate(const struct fdt *fdt, fdt_node_t bus, fdt_node_t above, uint64_t *base,
                     uint64_t size)
{
    struct fdt_prop ranges;
    uint32_t child_cells, size_cells, parent_cells, unused_cells;

    if (!fdt_prop(fdt, bus, "ranges", &ranges))
        return -ERANGE; /* by the specification nothing passes this bus */
    if (ranges.len == 0)
        return 0; /* the two buses speak the same addresses */
    if (fdt_cell_counts(fdt, bus, &child_cells, &size_cells) ||
        fdt_cell_counts(fdt, above, &parent_cells, &unused_cells))
        return -EINVAL;
    uint32_t entry = (child_cells + parent_cells + size_cells) * CELL_SIZE;
    if (entry == 0 || ranges.len % entry)
        return -EINVAL;
    for (uint32_t at = 0; at < ranges.len; at += entry)
        if (range_translates(ranges.value + at, child_cells, parent_cells, size_cells, base, size))
            return 0;
    return -ERANGE;
}

int fdt_reg(const struct fdt *fdt, fdt_node_t node, fdt_node_t parent, uint32_t index,
            uint64_t *base, uint64_t *size)
{
    fdt_node_t bus = fdt_valid(parent) ? parent : fdt_parent(fdt, node);
    int error = fdt_bus_reg(fdt, node, bus, index, base, size);
    fdt_node_t root = fdt_root(fdt);

    while (!error && bus.at != root.at) {
        fdt_node_t above = fdt_parent(fdt, bus);
        error = translate(fdt, bus, above, base, *size);
        bus = above;
    }
    return error;
}

/* The specifier at `at` of a list, for the controller `phandle`: fill *out, return its cells. */
static int specifier(const struct fdt *fdt, const struct fdt_prop *list, uint32_t at,
                     uint32_t phandle, struct fdt_irq *out)
{
    uint32_t cells;

    out->phandle = phandle;
    out->controller = fdt_phandle(fdt, phandle);
    if (!fdt_valid(out->controller))
        return -EINVAL;
    if (fdt_u32(fdt, out->controller, "#interrupt-cells", &cells) || cells == 0 ||
        cells > FDT_MAX_CELLS)
        return -EINVAL;
    if (list->len - at < cells * CELL_SIZE)
        return -EINVAL;
    out->irq = fdt_be32(list->value + at);
    return (int)cells;
}

/* <&controller cells...> <&other cells...>: the lengths differ, so it is read from the start. */
static int extended_irq(const struct fdt *fdt, const struct fdt_prop *list, uint32_t index,
                        struct fdt_irq *out)
{
    uint32_t at = 0;

    for (uint32_t i = 0; at < list->len; i++) {
        if (list->len - at < CELL_SIZE)
            return -EINVAL;
        uint32_t phandle = fdt_be32(list->value + at);
        at += CELL_SIZE;
        int cells = specifier(fdt, list, at, phandle, out);
        if (cells < 0 || i == index)
            return cells < 0 ? cells : 0;
        at += (uint32_t)cells * CELL_SIZE;
    }
    return -ENOENT;
}

/* The interrupt-parent of the node or of its nearest ancestor that has one. */
static int interrupt_parent(const struct fdt *fdt, fdt_node_t node, uint32_t *phandle)
{
    for (; fdt_valid(node); node = fdt_parent(fdt, node)) {
        int error = fdt_u32(fdt, node, "interrupt-parent", phandle);
        if (error != -ENOENT)
            return error;
    }
    return -EINVAL;
}

int fdt_irq(const struct fdt *fdt, fdt_node_t node, uint32_t index, struct fdt_irq *out)
{
    struct fdt_prop list;
    uint32_t phandle;

    if (fdt_prop(fdt, node, "interrupts-extended", &list))
        return extended_irq(fdt, &list, index, out);
    if (!fdt_prop(fdt, node, "interrupts", &list))
        return -ENOENT;
    if (interrupt_parent(fdt, node, &phandle))
        return -EINVAL;

    int cells = specifier(fdt, &list, 0, phandle, out);
    if (cells < 0)
        return cells;
    uint64_t at = (uint64_t)index * (uint32_t)cells * CELL_SIZE;
    if (at >= list.len)
        return -ENOENT;
    cells = specifier(fdt, &list, (uint32_t)at, phandle, out);
    return cells < 0 ? cells : 0;
}
