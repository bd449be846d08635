/* SPDX-License-Identifier: MIT */
/*
 * pcp.h - pagesets: a private stock of free pages for each hart and zone.
 */
#ifndef PAGODA_PHYS_PCP_H
#define PAGODA_PHYS_PCP_H

#include "phys/pageblock.h"
#include "phys/zone.h"

static inline struct per_cpu_pages *zone_pcp(struct zone *zone)
{
    return &zone->pageset[hart_index()];
}

static inline struct list_head *pcp_list(struct per_cpu_pages *pcp, unsigned order,
                                         enum migratetype mt)
{
    return &pcp->lists[order * MIGRATE_PCPTYPES + mt];
}

/** Move pages from the zone to an empty list. Returns how many blocks were moved. */
unsigned pcp_refill(struct zone *zone, struct per_cpu_pages *pcp, unsigned order,
                    enum migratetype mt);

/** Above its high mark: give a batch back. */
void pcp_trim(struct zone *zone, struct per_cpu_pages *pcp);

/** Give all of this hart's pages of a zone back. */
void pcp_drain_local(struct zone *zone);

/** Have every hart give back its pages of @zone (NULL: of all zones). Thread, no spinlock held. */
void drain_all_pages(struct zone *zone);

/** Allocate and size the pagesets of a zone (boot); size them again after managed pages changed. */
void pageset_init(struct zone *zone);
void pageset_size(struct zone *zone);

/** Pages in the pagesets of a zone, all harts. */
uint64_t zone_pcp_pages(const struct zone *zone);

#endif
