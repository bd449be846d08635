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
 * believed.
 */
#include "console/check.h"

#include "kern/log.h"
#include "kern/panic.h"
#include "kern/timer.h"
#include "phys/check.h"
#include "slab/cache.h"
#include "slab/vmalloc.h"
#include "task/guest.h"
#include "virt/kernel_map.h"
#include "virt/lru.h"

#define TRIES 3

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

/* What moved under our eyes is gone when we look again; what is broken stays. */
static unsigned run_audit(const struct audit *audit, struct sink *out)
{
    struct sink nowhere = {discard};
    for (int i = 1; i < TRIES; i++) {
        if (!audit->run(&nowhere))
            return 0;
        (void)sleep_ns(20 * NSEC_PER_MSEC);
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
