/* SPDX-License-Identifier: MIT */
/*
 * oom.c - the last rung of the ladder: one guest is killed, so that the others live.
 *
 *      badness = resident pages + swapped pages + page-table pages + oom_score_adj * total / 1000
 *
 *      guests:   A 1200   B 90000 (victim)   C -1000: never
 *
 * One victim at a time: while one is dying its memory is on its way, and everybody waits for that
 * instead of killing more. If the shortage is one of certain nodes only (a memory policy), only
 * pages on those nodes count: killing who has none there would win nothing.
 *
 * Locks: oom_lock (a mutex): one shortage is looked at by one thread. mmap_lock is only tried.
 * Linux's counterpart: mm/oom_kill.c.
 */
#include "pressure/oom.h"

#include "base/errno.h"
#include "kern/log.h"
#include "kern/mutex.h"
#include "kern/panic.h"
#include "kern/thread.h"
#include "kern/timer.h"
#include "phys/alloc.h"
#include "phys/bootargs.h"

#define PAUSE_NS (10 * NSEC_PER_MSEC)

int sysctl_panic_on_oom;
int sysctl_oom_kill_allocating_task;
int sysctl_oom_dump_tasks = 1;

static struct mutex oom_lock = MUTEX_INIT(oom_lock);

/* --- badness ---------------------------------------------------------------------------------- */

/* Entries of one table that map pages of these nodes; the range may begin and end inside of it. */
static uint64_t count_entries(const pte_t *from, const pte_t *to, const nodemask_t *nodes)
{
    uint64_t n = 0;
    while (from < to) {
        pte_t e = pte_load(from++);
        if (pte_maps_page(e) && !pte_special(e) && mask_test(nodes, pfn_to_page(pte_pfn(e))->nid))
            n++;
    }
    return n;
}

/*
 * Resident pages of a space on certain nodes, as its page table says. Entries that are special
 * (pte_special(): the zero page, devices) are nobody's. Where mmap_lock cannot be had at once: all
 * resident pages, better than nothing. Waiting for it might be waiting for who waits for memory.
 */
static uint64_t resident_on(struct mm_struct *mm, const nodemask_t *nodes)
{
    struct list_head *at;
    uint64_t n = 0, addr = 0;
    if (!down_read_trylock(&mm->mmap_lock))
        return mm_rss(mm);
    for (at = mm->mmap.next; at != &mm->mmap; at = at->next) {
        const struct vm_area_struct *vma = list_entry(at, struct vm_area_struct, list);
        for (addr = vma->vm_start; addr < vma->vm_end;) {
            uint64_t in_table = (addr / PAGE_SIZE) % PT_ENTRIES;
            uint64_t left = MIN(PT_ENTRIES - in_table, (vma->vm_end - addr) / PAGE_SIZE);
            const pte_t *pte = mm_find_pte(mm, addr);
            if (pte)
                n += count_entries(pte, pte + left, nodes);
            addr += left * PAGE_SIZE;
        }
    }
    up_read(&mm->mmap_lock);
    return n;
}

int64_t oom_badness(struct mm_struct *mm, const struct oom_control *oc)
{
    const struct mm_owner *owner = &mm->owner;
    int64_t thousandth = (int64_t)(oc->total_pages / 1000), pages;
    if (owner->ops == NULL || load_relaxed(&owner->oom_score_adj) <= -1000)
        return INT64_MIN;
    if (load_relaxed(&mm->flags) & (1UL << MMF_OOM_SKIP | 1UL << MMF_EXITING))
        return INT64_MIN;
    if (oc->constraint == CONSTRAINT_NONE)
        pages = (int64_t)mm_rss(mm);
    else if ((pages = (int64_t)resident_on(mm, oc->request->nodes)) == 0)
        return INT64_MIN;
    pages += mm->rss[MM_SWAPENTS];
    pages += (int64_t)(mm_pgtables_bytes(mm) / PAGE_SIZE);
    return pages + thousandth * load_relaxed(&owner->oom_score_adj);
}

/* --- choosing --------------------------------------------------------------------------------- */

/*
 * A victim is dying while it is marked MMF_OOM_VICTIM and not yet MMF_OOM_SKIP: what it has is
 * still to come. Who asks by hand wants another one in any case.
 */
bool select_bad_process(struct oom_control *oc)
{
    struct mm_struct *worst = NULL;
    bool dying = false;
    int64_t most = INT64_MIN;
    for (struct mm_struct *mm = mm_next(NULL); mm; mm = mm_next(mm)) { /* to the end, always */
        int64_t points = oom_badness(mm, oc);
        dying |= mm_flag(mm, MMF_OOM_VICTIM) && !mm_flag(mm, MMF_OOM_SKIP);
        if (points > most) {
            mmget(mm);
            if (worst)
                mmput(worst);
            worst = mm;
            most = points;
        }
    }
    bool wait = dying && !oc->by_hand;
    if (wait && worst) {
        mmput(worst);
        worst = NULL;
    }
    oc->chosen = worst;
    oc->points = most;
    return !wait;
}

static uint64_t usable_pages(const struct relief_request *request)
{
    struct zoneref *ref;
    struct zone *zone;
    uint64_t pages = 0;
    for_each_zone_zonelist_nodemask(zone, ref, request->zonelist, request->highest_zone,
                                    request->nodes)
    {
        pages += zone->managed_pages;
    }
    return pages;
}

/* --- killing ---------------------------------------------------------------------------------- */

/* The mark comes before the signal: nobody may find no one dying, and kill a second. */
void oom_kill_process(struct oom_control *oc)
{
    oom_report_victim(oc);
    struct mm_struct *mm = oc->chosen;
    count_vm_event(OOM_KILL);
    (void)mm_test_and_set_flag(mm, MMF_OOM_VICTIM);
    mm->owner.ops->kill(mm);
    reaper_queue(mm);
    mmput(mm);
}

/*
 * End the machine instead, if that is wanted: sysctl_panic_on_oom 1 when all of it is short, 2 also
 * when only some nodes are. Never when somebody kills by hand.
 */
static void maybe_panic(const struct oom_control *oc)
{
    bool wanted =
        sysctl_panic_on_oom == 2 || (sysctl_panic_on_oom == 1 && oc->constraint == CONSTRAINT_NONE);
    if (wanted && !oc->by_hand)
        panic("Out of memory: panic_on_oom is %d", sysctl_panic_on_oom);
}

/*
 * select_bad_process(), and then a look at who leaves: a victim whose last user has gone is in no
 * walk any more while its pages are on their way. False: somebody is dying, wait for that.
 */
static bool choose_victim(struct oom_control *oc)
{
    if (!select_bad_process(oc))
        return false;
    if (!mm_victims_leaving())
        return true;
    if (oc->chosen)
        mmput(oc->chosen);
    oc->chosen = NULL;
    return false;
}

/* PROGRESS when somebody was killed, or is dying: after a pause. NONE: nobody may be killed. */
static enum relief_result kill_somebody(struct oom_control *oc)
{
    enum relief_result result = RELIEF_PROGRESS;
    if (choose_victim(oc)) {
        oom_report_begin(oc);
        maybe_panic(oc);
        if (oc->chosen)
            oom_kill_process(oc);
        else
            result = RELIEF_NONE;
    }
    if (result == RELIEF_PROGRESS)
        (void)sleep_ns(PAUSE_NS);
    return result;
}

/*
 * Whoever is on its own way out gets the reserves instead of a victim; whoever asked for one node
 * only (__GFP_THISNODE) can ask elsewhere, and gets none.
 */
static enum relief_result relieve(struct relief_request *request)
{
    struct oom_control oc = {.request = request, .total_pages = usable_pages(request)};
    enum relief_result result = RELIEF_PROGRESS;
    if (request->nodes)
        oc.constraint = CONSTRAINT_MEMORY_POLICY;
    if (request->gfp & __GFP_THISNODE) {
        result = RELIEF_NONE;
    } else if (load_relaxed(&thread_current()->killed)) {
        (void)thread_set_memalloc(true);
    } else if (mutex_trylock(&oom_lock)) {
        result = kill_somebody(&oc);
        mutex_unlock(&oom_lock);
    } else {
        (void)sleep_ns(PAUSE_NS);
    }
    return result;
}

int oom_kill_one(void)
{
    struct relief_request request = {.gfp = GFP_HIGHUSER_MOVABLE,
                                     .nid = numa_node_id(),
                                     .highest_zone = ZONE_MOVABLE,
                                     .zonelist = node_zonelist(numa_node_id(), 0)};
    struct oom_control oc = {
        .request = &request, .total_pages = usable_pages(&request), .by_hand = true};
    mutex_lock(&oom_lock);
    (void)!select_bad_process(&oc); /* by hand it is always true */
    if (oc.chosen) {
        oom_report_begin(&oc);
        oom_kill_process(&oc);
    }
    mutex_unlock(&oom_lock);
    return oc.chosen ? 0 : -ESRCH;
}

static struct relief oom_killer = {
    .name = "OOM killer", .rank = RELIEF_RANK_KILL, .relieve = relieve};

void oom_init(void)
{
    sysctl_panic_on_oom = (int)MIN(bootarg_u64("panic_on_oom", 0), 2UL);
    reaper_init();
    relief_register(&oom_killer);
}
