/* SPDX-License-Identifier: MIT */
/*
 * gfp.c - GFP flags to text and back.
 *
 *      GFP_KERNEL | __GFP_ZERO  <-->  "GFP_KERNEL|__GFP_ZERO"
 *
 * Compounds come first in the table, larger before smaller, and take their bits away, so that what
 * is printed is short. Locks: none.
 */
#include "phys/gfp.h"

#include "base/errno.h"
#include "base/format.h"
#include "base/string.h"

static const struct {
    const char *name;  /* as the source has it */
    const char *brief; /* as one types it */
    gfp_t bits;
} table[] = {
    {"GFP_HIGHUSER_MOVABLE", "movable", GFP_HIGHUSER_MOVABLE},
    {"GFP_USER", "user", GFP_USER},
    {"GFP_KERNEL", "kernel", GFP_KERNEL},
    {"GFP_NOFS", "nofs", GFP_NOFS},
    {"GFP_NOIO", "noio", GFP_NOIO},
    {"GFP_ATOMIC", "atomic", GFP_ATOMIC},
    {"GFP_NOWAIT", "nowait", GFP_NOWAIT},
    {"GFP_DMA32", "dma32", __GFP_DMA32},
    {"__GFP_MOVABLE", "__movable", __GFP_MOVABLE},
    {"__GFP_RECLAIMABLE", "reclaimable", __GFP_RECLAIMABLE},
    {"__GFP_HIGH", "high", __GFP_HIGH},
    {"__GFP_IO", "io", __GFP_IO},
    {"__GFP_FS", "fs", __GFP_FS},
    {"__GFP_ZERO", "zero", __GFP_ZERO},
    {"__GFP_DIRECT_RECLAIM", "direct", __GFP_DIRECT_RECLAIM},
    {"__GFP_KSWAPD_RECLAIM", "kswapd", __GFP_KSWAPD_RECLAIM},
    {"__GFP_NOWARN", "nowarn", __GFP_NOWARN},
    {"__GFP_RETRY_MAYFAIL", "retry", __GFP_RETRY_MAYFAIL},
    {"__GFP_NOFAIL", "nofail", __GFP_NOFAIL},
    {"__GFP_NORETRY", "noretry", __GFP_NORETRY},
    {"__GFP_MEMALLOC", "memalloc", __GFP_MEMALLOC},
    {"__GFP_COMP", "comp", __GFP_COMP},
    {"__GFP_NOMEMALLOC", "nomemalloc", __GFP_NOMEMALLOC},
    {"__GFP_HARDWALL", "hardwall", __GFP_HARDWALL},
    {"__GFP_THISNODE", "thisnode", __GFP_THISNODE},
    {"__GFP_ACCOUNT", "account", __GFP_ACCOUNT},
};

void gfp_print(struct sink *out, gfp_t gfp)
{
    const char *bar = "";
    if (!gfp)
        print(out, "0");
    for (unsigned i = 0; i < ARRAY_SIZE(table) && gfp; i++) {
        if ((gfp & table[i].bits) != table[i].bits)
            continue;
        print(out, "%s%s", bar, table[i].name);
        bar = "|";
        gfp &= ~table[i].bits;
    }
    if (gfp)
        print(out, "%s0x%x", bar, gfp);
}

static int parse_one(const char *word, size_t n, gfp_t *out)
{
    for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
        const char *names[] = {table[i].name, table[i].brief};
        for (unsigned k = 0; k < ARRAY_SIZE(names); k++) {
            if (strlen(names[k]) == n && strncmp(names[k], word, n) == 0) {
                *out |= table[i].bits;
                return 0;
            }
        }
    }
    return -EINVAL;
}

int gfp_parse(const char *text, gfp_t *out)
{
    gfp_t gfp = 0;
    for (;;) {
        const char *bar = strchr(text, '|');
        size_t n = bar ? (size_t)(bar - text) : strlen(text);
        if (parse_one(text, n, &gfp))
            return -EINVAL;
        if (!bar)
            break;
        text = bar + 1;
    }
    if ((gfp & __GFP_MOVABLE) && (gfp & __GFP_RECLAIMABLE))
        return -EINVAL; /* slab objects do not move */
    *out = gfp;
    return 0;
}
