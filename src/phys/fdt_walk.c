/* SPDX-License-Identifier: MIT */
/*
 * fdt_walk.c - from node to node of an opened tree.
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
 * Locks: none.
 * Linux's counterpart: fdt_next_node() and its neighbours in libfdt.
 */
#include "base/string.h"
#include "phys/fdt.h"
#include "phys/fdt_token.h"

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
}

fdt_node_t fdt_parent(const struct fdt *fdt, fdt_node_t node)
{
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
