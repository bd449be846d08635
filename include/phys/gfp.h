/* SPDX-License-Identifier: MIT */
/*
 * gfp.h - "get free pages": where an allocation may look, and how hard it may try.
 *
 *      bits   2 DMA32 | 3 MOVABLE | 4 RECLAIMABLE | 5 HIGH | 6 IO | 7 FS | 8 ZERO | ...
 *             \____ which zone ___/
 *                     \___ which migratetype ____/
 *
 * The two middle bits are laid out so that a shift makes the migratetype.
 * Linux's counterpart: include/linux/gfp_types.h; names and meaning are its own.
 */
#ifndef PAGODA_PHYS_GFP_H
#define PAGODA_PHYS_GFP_H

#include "base/types.h"

typedef uint32_t gfp_t;

#define __GFP_DMA32 (1u << 2)           /* below the DMA32 boundary only */
#define __GFP_MOVABLE (1u << 3)         /* the page can be moved or dropped later */
#define __GFP_RECLAIMABLE (1u << 4)     /* slab objects that can be shrunk */
#define __GFP_HIGH (1u << 5)            /* important: may use half of the min watermark */
#define __GFP_IO (1u << 6)              /* may start I/O */
#define __GFP_FS (1u << 7)              /* may call into files */
#define __GFP_ZERO (1u << 8)            /* filled with zeros */
#define __GFP_DIRECT_RECLAIM (1u << 10) /* the caller can wait while memory is made free */
#define __GFP_KSWAPD_RECLAIM (1u << 11) /* wake the background helpers when low */
#define __GFP_RECLAIM (__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)
#define __GFP_NOWARN (1u << 13)        /* failure is expected */
#define __GFP_RETRY_MAYFAIL (1u << 14) /* try hard, but do not kill anyone */
#define __GFP_NOFAIL (1u << 15)        /* may not fail; for tiny amounts */
#define __GFP_NORETRY (1u << 16)       /* one round of relief, then fail */
#define __GFP_MEMALLOC (1u << 17)      /* frees memory by allocating a little: no watermark */
#define __GFP_COMP (1u << 18)          /* one object of 2^order pages */
#define __GFP_NOMEMALLOC (1u << 19)    /* never the reserves */
#define __GFP_HARDWALL (1u << 20)      /* keep to the guest's nodes */
#define __GFP_THISNODE (1u << 21)      /* this node or nothing */
#define __GFP_ACCOUNT (1u << 22)       /* charged to a guest */

#define GFP_ATOMIC (__GFP_HIGH | __GFP_KSWAPD_RECLAIM)
#define GFP_NOWAIT (__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)
#define GFP_NOIO __GFP_RECLAIM
#define GFP_NOFS (__GFP_RECLAIM | __GFP_IO)
#define GFP_KERNEL (__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_USER (GFP_KERNEL | __GFP_HARDWALL)
#define GFP_HIGHUSER GFP_USER /* 64 bits: there is no high memory */
#define GFP_HIGHUSER_MOVABLE (GFP_HIGHUSER | __GFP_MOVABLE)
#define GFP_DMA32 __GFP_DMA32

struct sink;

/** Print flags the way Linux does: "GFP_KERNEL|__GFP_ZERO". */
void gfp_print(struct sink *out, gfp_t gfp);

/** "GFP_KERNEL", "movable", "atomic|zero" to flags, for the console. 0 or -EINVAL. */
int gfp_parse(const char *text, gfp_t *out) __attribute__((warn_unused_result));

#endif
