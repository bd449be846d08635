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
    uint32_t high = 0, low = 0;

    if (cells > FDT_MAX_CELLS)
        return -EINVAL;
    while (cells-- > 0) {
        if (high)
            return -ERANGE;
        high = low;
        low = (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
        p += CELL_SIZE;
    }
    *out = (uint64_t)high << 32 | low;
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
    uint32_t cells[2];
    int error = fdt_cell_counts(fdt, parent, &cells[0], &cells[1]);

    if (error)
        return error;
    if (!fdt_prop(fdt, node, "reg", &prop))
        return -ENOENT;
    uint32_t bytes = CELL_SIZE * (cells[0] + cells[1]);
    if (!bytes)
        return -EINVAL;
    uint32_t whole = prop.len / bytes;
    if (index > whole || (index == whole && prop.len % bytes == 0))
        return -ENOENT;
    if (index == whole || index >= FDT_MAX_ENTRIES)
        return -EINVAL;
    const uint8_t *entry = prop.value + bytes * index;
    error = fdt_cells(entry, cells[0], base);
    if (!error)
        error = fdt_cells(entry + CELL_SIZE * cells[0], cells[1], size);
    if (!error && *size > UINT64_MAX - *base)
        error = -ERANGE;
    return error;
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

/* The controller `phandle`, and how many cells each of its interrupts takes. */
static int find_controller(const struct fdt *fdt, uint32_t phandle, struct fdt_irq *out,
                           uint32_t *cells)
{
    out->phandle = phandle;
    out->controller = fdt_phandle(fdt, phandle);
    if (!fdt_valid(out->controller) || fdt_u32(fdt, out->controller, "#interrupt-cells", cells))
        return -EINVAL;
    return *cells == 0 || *cells > FDT_MAX_CELLS ? -EINVAL : 0;
}

/* The first cell of the specifier at `at`, if all of its cells are there. */
static int read_specifier(const struct fdt_prop *list, uint64_t at, uint32_t cells, uint32_t *irq)
{
    if (at >= list->len)
        return -ENOENT;
    if (list->len - at < cells * CELL_SIZE)
        return -EINVAL;
    *irq = fdt_be32(list->value + at);
    return 0;
}

/* <&controller cells...> <&other cells...>: the lengths differ, so it is read from the start. */
static int extended_irq(const struct fdt *fdt, const struct fdt_prop *list, uint32_t index,
                        struct fdt_irq *out)
{
    uint32_t phandle, cells;
    uint32_t at = 0;

    for (uint32_t i = 0;; i++) {
        int error = read_specifier(list, at, 1, &phandle);
        if (error || (error = find_controller(fdt, phandle, out, &cells)) != 0)
            return error;
        at += CELL_SIZE;
        if (read_specifier(list, at, cells, &out->irq))
            return -EINVAL;
        if (i == index)
            return 0;
        at += cells * CELL_SIZE;
    }
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
    uint32_t phandle, cells;

    if (fdt_prop(fdt, node, "interrupts-extended", &list))
        return extended_irq(fdt, &list, index, out);
    if (!fdt_prop(fdt, node, "interrupts", &list))
        return -ENOENT;
    if (interrupt_parent(fdt, node, &phandle) || find_controller(fdt, phandle, out, &cells))
        return -EINVAL;
    return read_specifier(&list, (uint64_t)index * cells * CELL_SIZE, cells, &out->irq);
}
