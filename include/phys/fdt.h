/* SPDX-License-Identifier: MIT */
/*
 * fdt.h - the flattened device tree: how the firmware tells us what machine this is.
 *
 * Before us runs OpenSBI; it leaves in a1 the address of one blob of bytes, all numbers in it
 * big-endian:
 *
 *      +--------------------+ 0
 *      | header             |  magic, total size, where each block begins, versions
 *      +--------------------+ off_mem_rsvmap      (8-byte aligned)
 *      | reservation block  |  { u64 base, u64 size } ... ended by { 0, 0 }
 *      +--------------------+ off_dt_struct       (4-byte aligned)
 *      | structure block    |  BEGIN "soc" PROP PROP BEGIN "uart@0" PROP END END ... END_OF_TREE
 *      +--------------------+ off_dt_strings
 *      | strings block      |  "reg\0compatible\0..." - the names of the properties
 *      +--------------------+ total size
 *
 * Nothing in it is believed. fdt_open() walks the whole blob once with every length and offset
 * checked and refuses it with a reason; after that the walk functions rely on what was proved,
 * while the *contents* of properties stay untrusted for ever: whoever decodes one checks its
 * length.
 *
 * A node is named by the offset of its BEGIN token (fdt_node_t), a property by a struct fdt_prop
 * that points into the blob. Nothing is copied, nothing allocated, nothing written.
 *
 * Locks: none; the blob is constant while we read it.
 * Linux's counterpart: drivers/of/fdt.c and scripts/dtc/libfdt.
 */
#ifndef PAGODA_PHYS_FDT_H
#define PAGODA_PHYS_FDT_H

#include "base/types.h"

#define FDT_MAGIC 0xd00dfeedu
#define FDT_MAX_DEPTH 16u    /* QEMU's trees are 5 deep */
#define FDT_MAX_SIZE MIB(2)  /* Linux's limit, and the size of its fixmap slot */
#define FDT_HEADER_SIZE 40u  /* of versions 16 (36 bytes used) and 17 */
#define FDT_MAX_CELLS 4u     /* #address-cells and #size-cells above this are refused */
#define FDT_NAME_MAX 64u     /* longest node name we accept, NUL included */
#define FDT_MAX_ENTRIES 256u /* of one reg that are read: each costs a look at the node */

/** A node: offset of its BEGIN token in the structure block; negative means "no such node". */
typedef struct {
    int32_t at;
} fdt_node_t;

#define FDT_NO_NODE ((fdt_node_t){-1})
static inline bool fdt_valid(fdt_node_t node)
{
    return node.at >= 0;
}

/** An opened tree. Read the fields freely, write none. */
struct fdt {
    const uint8_t *blob;
    const uint8_t *structs; /* structure block */
    const char *strings;    /* strings block */
    const uint8_t *rsvmap;  /* reservation block */
    uint32_t total_size;
    uint32_t struct_size; /* up to and with the END_OF_TREE token */
    uint32_t strings_size;
    uint32_t rsv_count; /* entries, without the final {0,0} */
    uint32_t nr_nodes;
    uint32_t version;
    uint32_t boot_cpuid;
    const char *reason; /* why fdt_open() refused, or NULL */
    uint32_t where;     /* blob offset at which it noticed */
};

/** One property. `value` points into the blob and may be unaligned; `name` is NUL-terminated. */
struct fdt_prop {
    const char *name;
    const uint8_t *value;
    uint32_t len;
};

/* --- opening --------------------------------------------------------------------------------- */

/**
 * Check the blob of at most `limit` readable bytes and describe it in *out.
 * 0, or -EINVAL (malformed), -EFAULT (offsets outside the blob), -E2BIG (larger than `limit`),
 * -EOPNOTSUPP (version), with out->reason and out->where set.
 */
int fdt_open(const void *blob, size_t limit, struct fdt *out) must_check;

/** Total size that a blob claims, or 0 if it does not start with a plausible header. */
uint32_t fdt_claimed_size(const void *blob);

/** Entry `i` of the reservation block; i < fdt->rsv_count. */
void fdt_reservation(const struct fdt *fdt, uint32_t i, uint64_t *base, uint64_t *size);

/* --- walking: FDT_NO_NODE where there is no such node; sibling, parent: or `node` is none ----- */

fdt_node_t fdt_root(const struct fdt *fdt);

/** Next node in the order of the blob (children directly after their parent); all depths. */
fdt_node_t fdt_next(const struct fdt *fdt, fdt_node_t node);

fdt_node_t fdt_first_child(const struct fdt *fdt, fdt_node_t parent);
fdt_node_t fdt_next_sibling(const struct fdt *fdt, fdt_node_t node);
fdt_node_t fdt_parent(const struct fdt *fdt, fdt_node_t node);

#define fdt_for_each_child(fdt, parent, child)                                  \
    for (fdt_node_t child = fdt_first_child((fdt), (parent)); fdt_valid(child); \
         child = fdt_next_sibling((fdt), child))

#define fdt_for_each_node(fdt, node) \
    for (fdt_node_t node = fdt_root(fdt); fdt_valid(node); node = fdt_next((fdt), node))

/** "memory@80000000"; "" for the root. */
const char *fdt_name(const struct fdt *fdt, fdt_node_t node);

/** Does the name without its unit address ("memory") equal `base`? */
bool fdt_name_is(const struct fdt *fdt, fdt_node_t node, const char *base);

/** Properties of a node in order: start with *prop zeroed; false at the end. */
bool fdt_next_prop(const struct fdt *fdt, fdt_node_t node, struct fdt_prop *prop);

/* --- looking up ------------------------------------------------------------------------------ */

/** The property `name` of the node; false if it has none. */
bool fdt_prop(const struct fdt *fdt, fdt_node_t node, const char *name, struct fdt_prop *out);

/** "/soc/serial@10000000", or "/soc/serial" if that names one; `len` bytes of path. */
fdt_node_t fdt_path(const struct fdt *fdt, const char *path, size_t len);

/** As fdt_path(), and a path that does not begin with '/' begins with an alias. */
fdt_node_t fdt_alias_path(const struct fdt *fdt, const char *path, size_t len);

/** The child of `parent` whose name, or name without unit address, is `name`. */
fdt_node_t fdt_child(const struct fdt *fdt, fdt_node_t parent, const char *name);

/** The node with this phandle (0 and ~0 are never one). */
fdt_node_t fdt_phandle(const struct fdt *fdt, uint32_t phandle);

/** Does one of the strings of `compatible` equal `what`? */
bool fdt_compatible(const struct fdt *fdt, fdt_node_t node, const char *what);

/** No `status`, or "okay" or "ok". */
bool fdt_enabled(const struct fdt *fdt, fdt_node_t node);

/* --- decoding (property contents are untrusted: -EINVAL, or false, if they do not fit) -------- */

/** Big-endian loads at any alignment. */
static inline uint32_t fdt_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline uint64_t fdt_be64(const uint8_t *p)
{
    return (uint64_t)fdt_be32(p) << 32 | fdt_be32(p + 4);
}

/**
 * A number of 0 to FDT_MAX_CELLS cells at `p`, the first the most significant; none are 0.
 * -EINVAL for more cells, -ERANGE if the number needs more than 64 bits.
 */
int fdt_cells(const uint8_t *p, uint32_t cells, uint64_t *out) must_check;

/** A property of exactly one cell. */
int fdt_u32(const struct fdt *fdt, fdt_node_t node, const char *name, uint32_t *out) must_check;

/** A property of one or two cells. */
int fdt_u64(const struct fdt *fdt, fdt_node_t node, const char *name, uint64_t *out) must_check;

/** A property that is one NUL-terminated string; NULL if absent or not terminated. */
const char *fdt_string(const struct fdt *fdt, fdt_node_t node, const char *name);

/**
 * How a *child's* `reg` is written, from the parent's #address-cells and #size-cells.
 * Absent ones have the specification's defaults, 2 and 1; above FDT_MAX_CELLS is -EINVAL.
 */
int fdt_cell_counts(const struct fdt *fdt, fdt_node_t parent, uint32_t *address,
                    uint32_t *size) must_check;

/**
 * Entry `index` of `reg` of `node` as it is written, on the bus of `parent`.
 * -ENOENT past the last entry or without a reg, -EINVAL if the rest is shorter than an entry, if it
 * is one of too many or the cell counts make no sense, -ERANGE if this entry does not fit 64 bits
 * or ends past them (the next may do).
 */
int fdt_bus_reg(const struct fdt *fdt, fdt_node_t node, fdt_node_t parent, uint32_t index,
                uint64_t *base, uint64_t *size) must_check;

/**
 * The same, translated through the `ranges` of each bus above it to a physical address.
 * -ERANGE also if a bus does not pass the range on.
 */
int fdt_reg(const struct fdt *fdt, fdt_node_t node, fdt_node_t parent, uint32_t index,
            uint64_t *base, uint64_t *size) must_check;

/** One interrupt of a device: the controller, and the first cell of its specifier. */
struct fdt_irq {
    fdt_node_t controller;
    uint32_t phandle;
    uint32_t irq;
};

/**
 * Interrupt `index` of a node, from `interrupts-extended`, or from `interrupts` with the
 * `interrupt-parent` of the node or of the nearest ancestor that has one.
 * -ENOENT if there is none.
 */
int fdt_irq(const struct fdt *fdt, fdt_node_t node, uint32_t index, struct fdt_irq *out) must_check;

#endif
