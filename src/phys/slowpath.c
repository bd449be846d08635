/* SPDX-License-Identifier: MIT */
/*
 * slowpath.c - an allocation that found nothing above the low watermark.
 *
 *      wake the helpers --> min mark, reserves for the privileged --> page
 *            | none
 *      can it wait? no --> NULL
 *            | yes
 *      round 0..: climb the ladder --> progress? --> try again --> page
 *            | none, or too many rounds
 *      NOFAIL: sleep a little, all again         else: warn once in a while, NULL
 *
 * The number of rounds is bounded, and a thread on the ladder does not climb it again: relief that
 * needs memory itself gets it from the reserves or not at all.
 *
 * Locks: none held; rungs may block.
 * Linux's counterpart: __alloc_pages_slowpath().
 */
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/thread.h"
#include "kern/timer.h"
#include "phys/alloc_slow.h"
#include "phys/fallback.h"
#include "phys/pcp.h"

#define MAX_ROUNDS 16
#define COSTLY_ORDER 3 /* above this an allocation gives up sooner */
#define NOFAIL_PAUSE_NS (10 * NSEC_PER_MSEC)

bool thread_on_ladder(void)
{
    return thread_current()->on_ladder;
}

bool thread_set_memalloc(bool yes)
{
    struct thread *t = thread_current();
    bool old = t->memalloc;
    t->memalloc = yes;
    return old;
}

/* How deep into the reserves may this allocation go? */
static unsigned privilege(gfp_t gfp, unsigned order)
{
    unsigned flags = ALLOC_WMARK_MIN;
    if (gfp & __GFP_HIGH)
        flags |= ALLOC_MIN_RESERVE;
    if (!(gfp & __GFP_DIRECT_RECLAIM)) {
        flags |= ALLOC_NON_BLOCK;
        if (order && (gfp & __GFP_HIGH))
            flags |= ALLOC_HIGHATOMIC;
    }
    if (gfp & __GFP_NOMEMALLOC)
        return flags;
    if ((gfp & __GFP_MEMALLOC) || thread_on_ladder())
        flags |= ALLOC_NO_WATERMARKS;
    else if (thread_current()->memalloc)
        flags |= ALLOC_OOM;
    return flags;
}

/* Compaction's prize is still accounted as isolated: it becomes ours. */
static struct page *take_captured(struct relief_request *request)
{
    struct page *page = request->captured;
    struct zone *zone = page_zone(page);
    request->captured = NULL;
    spin_lock(&zone->lock);
    zone->nr_isolated_free -= 1UL << request->order;
    spin_unlock(&zone->lock);
    add_relaxed(&zone_pcp(zone)->allocs, 1UL << request->order);
    add_relaxed(&zone_pcp(zone)->filled, 1UL << request->order);
    return page;
}

/* One way up the ladder. */
static enum relief_result climb(struct relief_request *request)
{
    struct thread *self = thread_current();
    bool may_kill =
        !(request->gfp & (__GFP_NORETRY | __GFP_RETRY_MAYFAIL)) && request->order <= COSTLY_ORDER;
    self->on_ladder = true;
    enum relief_result result = relief_climb(request, RELIEF_RANK_WAKE + 1,
                                             may_kill ? RELIEF_RANK_KILL : RELIEF_RANK_SHRINK);
    self->on_ladder = false;
    return result;
}

/* Pages on other harts' pagesets, and the highatomic reserve: free, but not for us until now. */
static struct page *last_corners(struct alloc_context *ac, unsigned flags)
{
    struct zoneref *ref;
    struct zone *zone;
    drain_all_pages(NULL);
    for_each_zone_zonelist_nodemask(zone, ref, ac->request.zonelist, ac->request.highest_zone,
                                    ac->request.nodes)
    {
        if (load_relaxed(&zone->nr_reserved_highatomic) && highatomic_unreserve(zone))
            break;
    }
    return alloc_from_zonelist(ac, flags);
}

static struct page *climb_in_rounds(struct alloc_context *ac)
{
    struct relief_request *request = &ac->request;
    unsigned rounds = request->gfp & __GFP_NORETRY    ? 1
                      : request->order > COSTLY_ORDER ? 3
                                                      : MAX_ROUNDS;
    count_vm_event(ALLOCSTALL);
    for (request->attempt = 0; request->attempt < rounds; request->attempt++) {
        enum relief_result result = climb(request);
        if (result == RELIEF_CAPTURED)
            return take_captured(request);
        /* the killer may have let us in */
        unsigned flags = privilege(request->gfp, request->order);
        struct page *page = alloc_from_zonelist(ac, flags);
        if (!page && (request->attempt == 0 || result == RELIEF_NONE))
            page = last_corners(ac, flags);
        if (page)
            return page;
        if (result == RELIEF_NONE)
            return NULL;
        if (thread_current()->killed && !(request->gfp & __GFP_NOFAIL))
            return NULL;
        cond_resched();
    }
    return NULL;
}

static void warn_failure(const struct relief_request *request)
{
    static uint64_t last_warning;
    uint64_t now = now_ns();
    if ((request->gfp & __GFP_NOWARN) || (last_warning && now - last_warning < NSEC_PER_SEC))
        return;
    last_warning = now;
    struct log_sink out;
    log_sink_init(&out, LOG_WARN);
    print(&out.sink, "%s: page allocation failure: order:%u, mode:0x%x(", thread_current()->name,
          request->order, request->gfp);
    gfp_print(&out.sink, request->gfp);
    print(&out.sink, "), node %d\n", request->nid);
    log_sink_flush(&out);
}

/*
 * Have the background helpers begin. A boost exists to make that happen early: each time it has, it
 * is worth half of what it was.
 */
static void wake_helpers(struct relief_request *request)
{
    struct zoneref *ref;
    struct zone *zone;
    (void)relief_climb(request, RELIEF_RANK_WAKE, RELIEF_RANK_WAKE);
    for_each_zone_zonelist_nodemask(zone, ref, request->zonelist, request->highest_zone,
                                    request->nodes)
    {
        if (!load_relaxed(&zone->watermark_boost))
            continue;
        spin_lock(&zone->lock);
        store_relaxed(&zone->watermark_boost, zone->watermark_boost / 2);
        spin_unlock(&zone->lock);
    }
}

struct page *alloc_slowly(struct alloc_context *ac)
{
    struct relief_request *request = &ac->request;
    bool can_wait = (request->gfp & __GFP_DIRECT_RECLAIM) && !thread_on_ladder();
    for (;;) {
        if (request->gfp & __GFP_KSWAPD_RECLAIM)
            wake_helpers(request);
        struct page *page = alloc_from_zonelist(ac, privilege(request->gfp, request->order));
        if (page)
            return page;
        if (can_wait && !thread_current()->memalloc)
            page = climb_in_rounds(ac);
        if (page || !can_wait || !(request->gfp & __GFP_NOFAIL)) {
            if (!page)
                warn_failure(request);
            return page;
        }
        (void)sleep_ns(NOFAIL_PAUSE_NS);
    }
}
