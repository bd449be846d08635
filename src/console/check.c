/* SPDX-License-Identifier: MIT */
/*
 * check.c - the audit of everything: each floor's check in the order of the floors.
 *
 *      phys     pages in one state each, lists, counters        task   tables, references
 *      slab     caches and areas                                virt   LRU lists
 *
 * Each address space is compared with its VMAs, its tables and its pages' mapcounts by the check of
 * the task floor. Warnings counted since boot are faults too.
 *
 * Locks: each check's own. Guests are held still meanwhile by nobody: on a busy machine a count may
 * be looked at between its two halves, so a floor with faults is looked at again before it is
 * believed, and as long as pages come and go (the OOM reaper may still be at work when the prompt
 * is back).
 */
#include "console/check.h"

#include "kern/log.h"
#include "kern/panic.h"
#include "kern/timer.h"
#include "phys/check.h"
#include "phys/vmstat.h"
#include "slab/cache.h"
#include "slab/vmalloc.h"
#include "task/guest.h"
#include "virt/kernel_map.h"
#include "virt/lru.h"

#define TRIES 3        /* when all is still */
#define BUSY_TRIES 100 /* while pages come and go */
#define PAUSE_NS (20 * NSEC_PER_MSEC)

static unsigned check_phys(struct sink *out)
{
    return (unsigned)phys_check(out);
}

static unsigned check_warnings(struct sink *out)
{
    unsigned warnings = (unsigned)warn_count();
    if (warnings)
        print(out, "check: %u warnings were logged; see dmesg\n", warnings);
    return warnings;
}

static const struct audit {
    const char *name;
    unsigned (*run)(struct sink *out);
} audits[] = {
    {"phys", check_phys},         {"slab", slab_check}, {"vmalloc", vmalloc_check},
    {"map", kernel_map_check},    {"lru", lru_check},   {"task", task_check},
    {"warnings", check_warnings},
};

static void discard(struct sink *sink, const char *bytes, size_t n)
{
    (void)sink;
    (void)bytes;
    (void)n;
}

/* A number that changes when a page is allocated, freed, mapped or moved. */
static uint64_t activity(void)
{
    uint64_t n = vm_event_sum(PGFAULT) + vm_event_sum(PGMIGRATE_SUCCESS);
    struct zone *zone;
    for_each_populated_zone(zone) n += zone_pgalloc(zone) + zone_pgfree(zone);
    return n;
}

/* What moved under our eyes is gone when we look again; what is broken stays. */
static unsigned run_audit(const struct audit *audit, struct sink *out)
{
    struct sink nowhere = {discard};
    int still = 1;
    for (int i = 1; i < BUSY_TRIES && still < TRIES; i++) {
        uint64_t before = activity();
        if (!audit->run(&nowhere))
            return 0;
        (void)sleep_ns(PAUSE_NS);
        still += activity() == before;
    }
    return audit->run(out);
}

unsigned long check_all(struct sink *out)
{
    unsigned long faults = 0;
    const char *comma = "";
    struct page_census census;
    uint64_t pages = 0;
    print(out, "check: ");
    for (unsigned i = 0; i < ARRAY_SIZE(audits); i++) {
        unsigned found = run_audit(&audits[i], out);
        print(out, "%s%s %s", comma, audits[i].name, found ? "BAD" : "ok");
        comma = ", ";
        faults += found;
    }
    page_census(-1, &census);
    for (unsigned i = 0; i < NR_PAGE_TYPES; i++)
        pages += census.pages[i];
    print(out, "; %lu pages add up, %lu faults\n", pages, faults);
    return faults;
}
