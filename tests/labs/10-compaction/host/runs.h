/* SPDX-License-Identifier: MIT */
/*
 * runs.h - whole runs over zones that were laid, and what must be true after any of them.
 */
#ifndef LABS_COMPACTION_RUNS_H
#define LABS_COMPACTION_RUNS_H

#include "zone_map.h"

static struct compact_control last; /* of the run that was made last */

static inline enum compact_result run_with(struct compact_control cc)
{
    last = cc;
    enum compact_result result = compact_zone(&last);
    expect_true(result != COMPACT_CONTINUE, "a run ends with a result");
    expect_true(list_empty(&last.migrate_list), "migrate_list is empty after the run");
    expect_true(list_empty(&last.free_list) && !last.nr_free, "free_list is empty after the run");
    if (last.capture.page)
        expect_equal(result, COMPACT_SUCCESS, "the result when a block was captured");
    return result;
}

static inline enum compact_result run(int order, bool whole_zone)
{
    return run_with((struct compact_control){.zone = zone,
                                             .order = order,
                                             .migratetype = MIGRATE_MOVABLE,
                                             .mode = MIGRATE_SYNC,
                                             .whole_zone = whole_zone});
}

/* What was captured goes back, as kcompactd gives it back. */
static inline void give_back(void)
{
    struct page *page = last.capture.page;
    if (!page)
        return;
    expect_equal(page->type, PAGE_ISOLATED, "type of the captured block");
    expect_equal(zone->nr_isolated_free, 1UL << last.capture.order, "isolated free pages");
    spin_lock(&zone->lock);
    buddy_return_locked(zone, page, last.capture.order);
    spin_unlock(&zone->lock);
}

/* Every fourth page was just freed by its guest: only the mover's reference is left. */
static inline int frees_some(struct page *page)
{
    uint64_t id = page->index - MEMORY_BASE_PFN;
    if (id % 4 || map[id] == '.')
        return 0;
    map[id] = '.';
    put_page(page);
    return -ENOENT;
}

#endif
