/* SPDX-License-Identifier: MIT */
/*
 * pcp.h - pagesets: a private stock of free pages for each hart and zone.
 *
 *      harts[1]->pagesets  -->  [ zones[0] ][ zones[1] ][ zones[2] ] ...     one allocation
 *              ->local_pageset[GFP's zone bits]  --> that of the node's preferred zone
 */
#ifndef PAGODA_PHYS_PCP_H
#define PAGODA_PHYS_PCP_H

#include "phys/pageblock.h"
#include "phys/zone.h"

/** This hart's pageset of a zone. */
static inline struct per_cpu_pages *zone_pcp(const struct zone *zone)
{
    return this_hart()->pagesets + zone->id;
}

/** Any hart's, to look at. */
static inline struct per_cpu_pages *pageset_of(uint32_t hart, const struct zone *zone)
{
    return harts[hart]->pagesets + zone->id;
}

/** Pages that lie on the stacks. */
static inline int32_t pcp_count(const struct per_cpu_pages *pcp)
{
    return load_relaxed(&pcp->high) - load_relaxed(&pcp->room);
}

/** Which stack a block of this kind lies on. */
static inline struct page **pcp_stack(struct per_cpu_pages *pcp, unsigned order,
                                      enum migratetype mt)
{
    return &pcp->stacks[order][mt];
}

/** Pages that were freed by way of this pageset. */
uint64_t pageset_frees(const struct per_cpu_pages *pcp);

/** Move pages from the zone to an empty stack. Returns how many blocks were moved. */
unsigned pcp_refill(struct zone *zone, struct per_cpu_pages *pcp, unsigned order,
                    enum migratetype mt);

/** No room is left: give a batch back. */
void pcp_trim(struct zone *zone, struct per_cpu_pages *pcp);

/** Give all of this hart's pages of a zone back. */
void pcp_drain_local(struct zone *zone);

/** Have every hart give back its pages of @zone (NULL: of all zones). Thread, no spinlock held. */
void drain_all_pages(struct zone *zone);

/** Make the pagesets of all harts, once the zonelists stand (boot). */
void pagesets_init(void);

/** Size the pagesets of a zone by its managed pages: whenever its marks are set. */
void pageset_size(struct zone *zone);

/** Pages in the pagesets of a zone, all harts. */
uint64_t zone_pcp_pages(const struct zone *zone);

#endif
