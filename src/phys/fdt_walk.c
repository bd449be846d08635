/* SPDX-License-Identifier: MIT */
/*
 * fdt_walk.c - from token to token, and from node to node.
 *
 * The structure block is one long line; up, down and sideways are all found by counting BEGINs
 * against ENDs:
 *
 *      BEGIN / BEGIN cpus BEGIN cpu@0 PROP END BEGIN cpu@1 PROP END END BEGIN soc ... END END
 *            |      |           |                    |                        |
 *            0      1           2                    2                        1      depth
 *
 * So the next node is cheap, a sibling costs the subtree between, and a parent costs a walk from
 * the root: where speed matters the callers carry the parent along.
 *
 * fdt_token() is the only function that reads a token. It serves the first walk, which believes
 * nothing (fdt.c), and all later ones.
 *
 * Locks: none. Invariant: it reads no byte outside of the structure block, whatever stands there.
 * Linux's counterpart: fdt_next_node() and its neighbours in libfdt.
 */
#include "base/string.h"
#include "phys/fdt.h"
#include "phys/fdt_token.h"

#define CELL_SIZE 4u

const char *fdt_token(const struct fdt *fdt, uint32_t at, struct fdt_token *out)
{
    /* lab memblock: begin 1 */
    uint32_t size = fdt->struct_size;

    do {
        if (at > size || size - at < CELL_SIZE)
            return "the structure runs out before it ends";
        out->at = at;
        out->tag = fdt_be32(fdt->structs + at);
        at += CELL_SIZE;
    } while (out->tag == FDT_NOP);

    if (out->tag == FDT_BEGIN_NODE) {
        size_t room = MIN(size - at, FDT_NAME_MAX);
        out->name = (const char *)fdt->structs + at;
        out->name_len = (uint32_t)strnlen(out->name, room);
        if (out->name_len == room)
            return "the name of a node does not end";
        at += out->name_len + 1;
    } else if (out->tag == FDT_PROP) {
        if (size - at < 2 * CELL_SIZE)
            return "the structure runs out inside a property";
        out->len = fdt_be32(fdt->structs + at);
        uint32_t name = fdt_be32(fdt->structs + at + CELL_SIZE);
        at += 2 * CELL_SIZE;
        if (out->len > size - at)
            return "a property is longer than what is left";
        if (name >= fdt->strings_size)
            return "the name of a property lies outside the strings";
        out->name = fdt->strings + name;
        out->value = fdt->structs + at;
        at += out->len;
    } else if (out->tag != FDT_END_NODE && out->tag != FDT_END) {
        return "there is a token that does not exist";
    }
    out->next = ALIGN_UP(at, CELL_SIZE);
    return NULL;
    /* lab memblock: stub lab_missing("memblock", 1, fdt, at, out); */
    /* lab memblock: end */
}

static fdt_node_t node_at(uint32_t at)
{
    return (fdt_node_t){(int32_t)at};
}

fdt_node_t fdt_root(const struct fdt *fdt)
{
    struct fdt_token token;

    return fdt_token(fdt, 0, &token) ? FDT_NO_NODE : node_at(token.at);
}

fdt_node_t fdt_next(const struct fdt *fdt, fdt_node_t node)
{
    struct fdt_token token;

    if (!fdt_valid(node) || fdt_token(fdt, (uint32_t)node.at, &token))
        return FDT_NO_NODE;
    do {
        if (fdt_token(fdt, token.next, &token) || token.tag == FDT_END)
            return FDT_NO_NODE;
    } while (token.tag != FDT_BEGIN_NODE);
    return node_at(token.at);
}

fdt_node_t fdt_first_child(const struct fdt *fdt, fdt_node_t parent)
{
    struct fdt_token token;

    if (!fdt_valid(parent) || fdt_token(fdt, (uint32_t)parent.at, &token))
        return FDT_NO_NODE;
    do {
        if (fdt_token(fdt, token.next, &token))
            return FDT_NO_NODE;
    } while (token.tag == FDT_PROP);
    return token.tag == FDT_BEGIN_NODE ? node_at(token.at) : FDT_NO_NODE;
}

fdt_node_t fdt_next_sibling(const struct fdt *fdt, fdt_node_t node)
{
    /* lab memblock: begin 2 */
    struct fdt_token token;
    uint32_t depth = 0;

    if (!fdt_valid(node) || fdt_token(fdt, (uint32_t)node.at, &token))
        return FDT_NO_NODE;
    do { /* to the END_NODE of this node */
        depth += token.tag == FDT_BEGIN_NODE;
        depth -= token.tag == FDT_END_NODE;
        if (fdt_token(fdt, token.next, &token))
            return FDT_NO_NODE;
    } while (depth > 0);
    return token.tag == FDT_BEGIN_NODE ? node_at(token.at) : FDT_NO_NODE;
    /* lab memblock: stub lab_missing("memblock", 2, fdt, node, node_at); */
    /* lab memblock: end */
}

fdt_node_t fdt_parent(const struct fdt *fdt, fdt_node_t node)
{
    /* lab memblock: begin 2 */
    uint32_t open[FDT_MAX_DEPTH];
    struct fdt_token token;
    uint32_t depth = 0;

    for (uint32_t at = 0; !fdt_token(fdt, at, &token) && token.tag != FDT_END; at = token.next) {
        if (token.tag == FDT_END_NODE)
            depth--;
        if (token.tag != FDT_BEGIN_NODE)
            continue;
        if ((int64_t)token.at >= node.at)
            return (int64_t)token.at == node.at && depth ? node_at(open[depth - 1]) : FDT_NO_NODE;
        open[depth++] = token.at;
    }
    return FDT_NO_NODE;
    /* lab memblock: stub lab_missing("memblock", 2, fdt, node, node_at); */
    /* lab memblock: end */
}

const char *fdt_name(const struct fdt *fdt, fdt_node_t node)
{
    struct fdt_token token;

    if (!fdt_valid(node) || fdt_token(fdt, (uint32_t)node.at, &token))
        return "";
    return token.name;
}

bool fdt_next_prop(const struct fdt *fdt, fdt_node_t node, struct fdt_prop *prop)
{
    struct fdt_token token;
    uint32_t at;

    if (!fdt_valid(node))
        return false;
    if (!prop->name) { /* the first: behind the BEGIN token */
        if (fdt_token(fdt, (uint32_t)node.at, &token))
            return false;
        at = token.next;
    } else {
        at = ALIGN_UP((uint32_t)(prop->value - fdt->structs) + prop->len, 4u);
    }
    if (fdt_token(fdt, at, &token) || token.tag != FDT_PROP)
        return false;
    *prop = (struct fdt_prop){.name = token.name, .value = token.value, .len = token.len};
    return true;
}
