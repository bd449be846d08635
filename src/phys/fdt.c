/* SPDX-License-Identifier: MIT */
/*
 * fdt.c - opening a device tree: every claim that the blob makes is checked, once.
 *
 *      header  ->  reservation block  ->  the three blocks apart?  ->  the whole structure block
 *
 * Each check that fails names its reason and the offset in the blob, for whoever built the tree.
 * The structure is walked with a depth counter instead of recursion, and each step moves forward by
 * at least four bytes, so a blob of n bytes is judged in n/4 steps whatever it holds.
 *
 * Locks: none. Invariant after success: fdt_token() can fail at no offset that a walk reaches.
 * Linux's counterpart: fdt_check_header() and fdt_check_full() in libfdt.
 */
#include "phys/fdt.h"

#include "base/errno.h"
#include "base/string.h"
#include "phys/fdt_token.h"

/* Offsets in the header, in the order of the specification. */
enum {
    HEADER_MAGIC = 0,
    HEADER_TOTAL_SIZE = 4,
    HEADER_OFF_STRUCT = 8,
    HEADER_OFF_STRINGS = 12,
    HEADER_OFF_RSVMAP = 16,
    HEADER_VERSION = 20,
    HEADER_LAST_COMPATIBLE = 24,
    HEADER_BOOT_CPUID = 28,
    HEADER_SIZE_STRINGS = 32,
    HEADER_SIZE_STRUCT = 36, /* since version 17 */
    HEADER_SIZE_V16 = 36,
};

#define VERSION_MIN 16u /* node names without their path, as all trees have since 2005 */
#define VERSION_NOW 17u

#define RSV_ENTRY_SIZE 16u
#define RSV_ALIGN 8u
#define CELL_SIZE 4u

/* A block of the blob as the header claims it. */
struct block {
    uint32_t start;
    uint32_t end;
};

static int refuse(struct fdt *fdt, int error, uint32_t where, const char *reason)
{
    fdt->reason = reason;
    fdt->where = where;
    return error;
}

uint32_t fdt_claimed_size(const void *blob)
{
    const uint8_t *header = blob;

    if (!header || fdt_be32(header + HEADER_MAGIC) != FDT_MAGIC)
        return 0;
    uint32_t size = fdt_be32(header + HEADER_TOTAL_SIZE);
    return size < HEADER_SIZE_V16 || size > FDT_MAX_SIZE ? 0 : size;
}

void fdt_reservation(const struct fdt *fdt, uint32_t i, uint64_t *base, uint64_t *size)
{
    const uint8_t *entry = fdt->rsvmap + (size_t)i * RSV_ENTRY_SIZE;

    *base = fdt_be64(entry);
    *size = fdt_be64(entry + RSV_ENTRY_SIZE / 2);
}

static uint32_t header_end(const struct fdt *fdt)
{
    return fdt->version >= VERSION_NOW ? FDT_HEADER_SIZE : HEADER_SIZE_V16;
}

/* Magic, sizes and versions: after it all of the header may be read. */
static int check_header(struct fdt *fdt, size_t limit)
{
    const uint8_t *header = fdt->blob;

    if (!header || limit < HEADER_SIZE_V16)
        return refuse(fdt, -EINVAL, 0, "there is no room for a header");
    if (fdt_be32(header + HEADER_MAGIC) != FDT_MAGIC)
        return refuse(fdt, -EINVAL, HEADER_MAGIC, "it does not begin with the magic d00dfeed");
    fdt->total_size = fdt_be32(header + HEADER_TOTAL_SIZE);
    fdt->version = fdt_be32(header + HEADER_VERSION);
    if (fdt->version < VERSION_MIN)
        return refuse(fdt, -EOPNOTSUPP, HEADER_VERSION, "its version is below 16");
    if (fdt_be32(header + HEADER_LAST_COMPATIBLE) > VERSION_NOW)
        return refuse(fdt, -EOPNOTSUPP, HEADER_LAST_COMPATIBLE,
                      "only readers after 17 understand it");
    if (fdt_be32(header + HEADER_LAST_COMPATIBLE) > fdt->version)
        return refuse(fdt, -EINVAL, HEADER_LAST_COMPATIBLE,
                      "it is older than the oldest that understands it");
    if (fdt->total_size < header_end(fdt))
        return refuse(fdt, -EINVAL, HEADER_TOTAL_SIZE, "it claims to be smaller than its header");
    if (fdt->total_size > FDT_MAX_SIZE)
        return refuse(fdt, -E2BIG, HEADER_TOTAL_SIZE, "it claims to be larger than 2 MiB");
    if (fdt->total_size > limit)
        return refuse(fdt, -E2BIG, HEADER_TOTAL_SIZE, "it is cut off before the end it claims");
    fdt->boot_cpuid = fdt_be32(header + HEADER_BOOT_CPUID);
    return 0;
}

/* Count the reservations; as in Linux an entry of size 0 is the last. */
static int check_reservations(struct fdt *fdt, struct block *block)
{
    uint32_t at = fdt_be32(fdt->blob + HEADER_OFF_RSVMAP);

    if (!IS_ALIGNED(at, RSV_ALIGN))
        return refuse(fdt, -EINVAL, HEADER_OFF_RSVMAP, "its reservations are not 8-byte aligned");
    if (at < header_end(fdt) || at > fdt->total_size)
        return refuse(fdt, -EFAULT, HEADER_OFF_RSVMAP, "its reservations lie outside of it");
    block->start = at;
    fdt->rsvmap = fdt->blob + at;
    for (;; at += RSV_ENTRY_SIZE) {
        if (fdt->total_size - at < RSV_ENTRY_SIZE)
            return refuse(fdt, -EFAULT, at, "its reservations do not end");
        if (fdt_be64(fdt->blob + at + RSV_ENTRY_SIZE / 2) == 0)
            break;
        fdt->rsv_count++;
    }
    block->end = at + RSV_ENTRY_SIZE;
    return 0;
}

static int check_strings(struct fdt *fdt, struct block *block)
{
    uint32_t at = fdt_be32(fdt->blob + HEADER_OFF_STRINGS);
    uint32_t size = fdt_be32(fdt->blob + HEADER_SIZE_STRINGS);

    if (at < header_end(fdt) || at > fdt->total_size || size > fdt->total_size - at)
        return refuse(fdt, -EFAULT, HEADER_OFF_STRINGS, "its strings lie outside of it");
    if (size && fdt->blob[at + size - 1] != '\0')
        return refuse(fdt, -EINVAL, at + size - 1, "its last string does not end");
    fdt->strings = (const char *)fdt->blob + at;
    fdt->strings_size = size;
    *block = (struct block){at, at + size};
    return 0;
}

/* Version 16 does not tell the size of the structure: the blob's end bounds it for now. */
static int check_struct(struct fdt *fdt, struct block *block)
{
    uint32_t at = fdt_be32(fdt->blob + HEADER_OFF_STRUCT);

    if (!IS_ALIGNED(at, CELL_SIZE))
        return refuse(fdt, -EINVAL, HEADER_OFF_STRUCT, "its structure is not 4-byte aligned");
    if (at < header_end(fdt) || at > fdt->total_size)
        return refuse(fdt, -EFAULT, HEADER_OFF_STRUCT, "its structure lies outside of it");
    uint32_t size = fdt->total_size - at;
    if (fdt->version >= VERSION_NOW) {
        uint32_t claimed = fdt_be32(fdt->blob + HEADER_SIZE_STRUCT);
        if (claimed > size)
            return refuse(fdt, -EFAULT, HEADER_SIZE_STRUCT, "its structure is longer than it is");
        size = claimed;
    }
    fdt->structs = fdt->blob + at;
    fdt->struct_size = size;
    *block = (struct block){at, at + size};
    return 0;
}

static bool overlap(const struct block *a, const struct block *b)
{
    return a->start < b->end && b->start < a->end;
}

/* Names reach the console: nothing but visible characters, and no '/' to confuse paths. */
static bool good_name(const char *name, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (name[i] <= ' ' || name[i] > '~' || name[i] == '/')
            return false;
    return true;
}

/* Where a walk stands: how deep, and whether properties may still come. */
struct nesting {
    uint32_t depth;
    bool children; /* a child of the open node has been seen */
};

/* One token in its place: NULL, or why it may not stand here. */
static const char *nest(struct nesting *n, const struct fdt_token *token, bool first)
{
    switch (token->tag) {
    case FDT_BEGIN_NODE:
        if (n->depth == 0 && !first)
            return "there is a second root";
        if ((n->depth == 0) != (token->name_len == 0))
            return "the root, and the root alone, has no name";
        if (n->depth == FDT_MAX_DEPTH)
            return "its nodes are nested too deeply";
        if (!good_name(token->name, token->name_len))
            return "the name of a node has characters that no name may have";
        n->depth++;
        n->children = false;
        return NULL;
    case FDT_END_NODE:
        if (n->depth == 0)
            return "a node ends that never began";
        n->depth--;
        n->children = true;
        return NULL;
    case FDT_PROP:
        if (n->depth == 0)
            return "there is a property outside of all nodes";
        return n->children ? "there is a property behind a child node" : NULL;
    default: /* FDT_END */
        if (first)
            return "there is no root";
        return n->depth ? "it ends inside a node" : NULL;
    }
}

/* Walk all of the structure; on success struct_size is its true size. */
static int check_tree(struct fdt *fdt)
{
    struct nesting nesting = {0};
    struct fdt_token token = {0};
    uint32_t base = (uint32_t)(fdt->structs - fdt->blob);
    uint32_t at = 0;

    for (bool first = true;; first = false) {
        const char *wrong = fdt_token(fdt, at, &token);
        if (!wrong)
            wrong = nest(&nesting, &token, first);
        if (wrong)
            return refuse(fdt, -EINVAL, base + at, wrong);
        fdt->nr_nodes += token.tag == FDT_BEGIN_NODE;
        at = token.next;
        if (token.tag == FDT_END)
            break;
    }
    fdt->struct_size = at;
    return 0;
}

int fdt_open(const void *blob, size_t limit, struct fdt *out)
{
    struct block rsvmap, strings, structs;
    int error;

    *out = (struct fdt){.blob = blob};
    if ((error = check_header(out, limit)) != 0)
        return error;
    if ((error = check_reservations(out, &rsvmap)) != 0)
        return error;
    if ((error = check_strings(out, &strings)) != 0)
        return error;
    if ((error = check_struct(out, &structs)) != 0)
        return error;
    if ((error = check_tree(out)) != 0)
        return error;
    if (out->version < VERSION_NOW) /* its size was not told; now it is known */
        structs.end = structs.start + out->struct_size;
    if (overlap(&rsvmap, &strings) || overlap(&rsvmap, &structs) || overlap(&strings, &structs))
        return refuse(out, -EINVAL, structs.start, "its blocks overlap");
    return 0;
}
