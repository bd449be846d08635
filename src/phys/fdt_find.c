/* SPDX-License-Identifier: MIT */
/*
 * fdt_find.c - finding a node by path, alias or phandle, and a property by name.
 *
 *      /soc/serial@10000000        a path: from the root, name by name
 *      /soc/serial                 the unit address may be missing
 *      serial0                     an alias: a property of /aliases that holds a path
 *      <0x0a>                      a phandle: the number that a node gives itself
 *
 * An alias that names an alias is not followed: only a path may stand there, so no circle can be
 * built. Of two nodes or properties with one name, and of two nodes with one phandle, the first
 * counts, as in Linux.
 *
 * Locks: none.
 * Linux's counterpart: fdt_path_offset(), fdt_node_offset_by_phandle() in libfdt.
 */
#include "base/string.h"
#include "phys/fdt.h"
#include "phys/fdt_token.h"

#define PHANDLE_NONE 0u
#define PHANDLE_INVALID 0xffffffffu

/* Equal, or equal up to the '@' of `full` if `name` has none. */
static bool name_matches(const char *full, const char *name, size_t len)
{
    if (strncmp(full, name, len) != 0)
        return false;
    if (full[len] == '\0')
        return true;
    return full[len] == '@' && !memchr(name, '@', len);
}

bool fdt_name_is(const struct fdt *fdt, fdt_node_t node, const char *base)
{
    return name_matches(fdt_name(fdt, node), base, strlen(base));
}

bool fdt_prop(const struct fdt *fdt, fdt_node_t node, const char *name, struct fdt_prop *out)
{
    *out = (struct fdt_prop){0};
    while (fdt_next_prop(fdt, node, out))
        if (strcmp(out->name, name) == 0)
            return true;
    return false;
}

static fdt_node_t child_named(const struct fdt *fdt, fdt_node_t parent, const char *name,
                              size_t len)
{
    fdt_for_each_child(fdt, parent, child)
        if (name_matches(fdt_name(fdt, child), name, len))
            return child;
    return FDT_NO_NODE;
}

fdt_node_t fdt_child(const struct fdt *fdt, fdt_node_t parent, const char *name)
{
    return child_named(fdt, parent, name, strlen(name));
}

/* Go down from `node` by the names in path; slashes separate, several count as one. */
static fdt_node_t descend(const struct fdt *fdt, fdt_node_t node, const char *path, size_t len)
{
    size_t at = 0;

    while (fdt_valid(node)) {
        while (at < len && path[at] == '/')
            at++;
        if (at == len)
            break;
        size_t start = at;
        while (at < len && path[at] != '/')
            at++;
        node = child_named(fdt, node, path + start, at - start);
    }
    return node;
}

fdt_node_t fdt_path(const struct fdt *fdt, const char *path, size_t len)
{
    if (len == 0 || path[0] != '/')
        return FDT_NO_NODE;
    return descend(fdt, fdt_root(fdt), path, len);
}

fdt_node_t fdt_alias_path(const struct fdt *fdt, const char *path, size_t len)
{
    if (len == 0 || path[0] == '/')
        return fdt_path(fdt, path, len);

    fdt_node_t aliases = fdt_path(fdt, "/aliases", strlen("/aliases"));
    const char *slash = memchr(path, '/', len);
    size_t first = slash ? (size_t)(slash - path) : len;
    struct fdt_prop prop = {0};

    while (fdt_next_prop(fdt, aliases, &prop)) {
        if (strncmp(prop.name, path, first) != 0 || prop.name[first] != '\0')
            continue;
        const char *target = (const char *)prop.value;
        fdt_node_t node = fdt_path(fdt, target, strnlen(target, prop.len));
        return descend(fdt, node, path + first, len - first);
    }
    return FDT_NO_NODE;
}

/* One pass over the tokens: properties come before children, so they are the last BEGIN's. */
fdt_node_t fdt_phandle(const struct fdt *fdt, uint32_t phandle)
{
    fdt_node_t node = FDT_NO_NODE;
    struct fdt_token token;

    if (phandle == PHANDLE_NONE || phandle == PHANDLE_INVALID)
        return FDT_NO_NODE;
    for (uint32_t at = 0; !fdt_token(fdt, at, &token) && token.tag != FDT_END; at = token.next) {
        if (token.tag == FDT_BEGIN_NODE)
            node.at = (int32_t)token.at;
        else if (token.tag == FDT_PROP && token.len == sizeof(phandle) &&
                 fdt_be32(token.value) == phandle && strcmp(token.name, "phandle") == 0)
            return node;
    }
    return FDT_NO_NODE;
}

bool fdt_compatible(const struct fdt *fdt, fdt_node_t node, const char *what)
{
    struct fdt_prop prop;
    size_t wanted = strlen(what);

    if (!fdt_prop(fdt, node, "compatible", &prop))
        return false;
    for (uint32_t at = 0; at < prop.len;) {
        const char *word = (const char *)prop.value + at;
        size_t len = strnlen(word, prop.len - at);
        if (len == wanted && memcmp(word, what, len) == 0)
            return true;
        at += (uint32_t)len + 1;
    }
    return false;
}

bool fdt_enabled(const struct fdt *fdt, fdt_node_t node)
{
    struct fdt_prop prop;

    if (!fdt_prop(fdt, node, "status", &prop))
        return true;
    const char *status = fdt_string(fdt, node, "status");
    return status && (strcmp(status, "okay") == 0 || strcmp(status, "ok") == 0);
}
