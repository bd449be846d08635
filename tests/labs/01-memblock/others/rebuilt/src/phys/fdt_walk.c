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

/* What may still be read. */
struct span {
    const uint8_t *at;
    uint32_t left;
};

/* Take n bytes; NULL if there are not as many. */
static const uint8_t *take(struct span *span, uint32_t n)
{
    const uint8_t *taken = span->at;
    if (n > span->left)
        return NULL;
    span->at += n;
    span->left -= n;
    return taken;
}

const char *fdt_token(const struct fdt *fdt, uint32_t at, struct fdt_token *out)
{
    const struct span all = {fdt->structs, fdt->struct_size};
    struct span rest = all;
    const uint8_t *cell;

    if (at % CELL_SIZE || !take(&rest, at))
        return "there is no token outside of the structure";
    do {
        cell = take(&rest, CELL_SIZE);
        if (!cell)
            return "where is the token";
    } while (fdt_be32(cell) == FDT_NOP);
    out->tag = fdt_be32(cell);
    out->at = (uint32_t)(cell - fdt->structs);
    switch (out->tag) {
    case FDT_BEGIN_NODE:
        out->name = (const char *)rest.at;
        const uint8_t *nul = memchr(rest.at, '\0', MIN(rest.left, FDT_NAME_MAX));
        if (!nul)
            return "a name without end";
        out->name_len = (uint32_t)(nul - rest.at);
        take(&rest, out->name_len + 1);
        break;
    case FDT_PROP: {
        const uint8_t *head = take(&rest, 2 * CELL_SIZE);
        if (!head || fdt_be32(head + CELL_SIZE) >= fdt->strings_size)
            return "a property without a name";
        out->len = fdt_be32(head);
        out->name = fdt->strings + fdt_be32(head + CELL_SIZE);
        out->value = take(&rest, out->len);
        if (!out->value)
            return "a property that is too long";
        break;
    }
    case FDT_END_NODE:
    case FDT_END:
        break;
    default:
        return "no such token";
    }
    uint32_t used = all.left - rest.left;
    out->next = used + (CELL_SIZE - used % CELL_SIZE) % CELL_SIZE;
    return NULL;
}

/* Where the token behind the whole node is: behind its properties, its children, its END. */
static bool behind(const struct fdt *fdt, uint32_t at, uint32_t *out)
{
    struct fdt_token token;
    int open = 0;

    for (;; at = token.next) {
        if (fdt_token(fdt, at, &token) || token.tag == FDT_END)
            return false;
        if (token.tag == FDT_BEGIN_NODE)
            open++;
        else if (token.tag == FDT_END_NODE && --open <= 0)
            break;
    }
    *out = token.next;
    return true;
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
    struct fdt_token token;
    uint32_t at;

    if (!fdt_valid(node) || !behind(fdt, (uint32_t)node.at, &at) || fdt_token(fdt, at, &token) ||
        token.tag != FDT_BEGIN_NODE)
        return FDT_NO_NODE;
    return node_at(token.at);
}

fdt_node_t fdt_parent(const struct fdt *fdt, fdt_node_t node)
{
    fdt_node_t above = FDT_NO_NODE, child = fdt_root(fdt);

    /* down from the root: of the children, the last that does not begin behind the node */
    while (fdt_valid(child) && child.at < node.at) {
        fdt_node_t next = fdt_next_sibling(fdt, child);
        if (fdt_valid(next) && next.at <= node.at) {
            child = next;
            continue;
        }
        above = child;
        child = fdt_first_child(fdt, child);
    }
    return child.at == node.at ? above : FDT_NO_NODE;
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
