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

/* lab oom: begin 2 */
/* Resident pages on certain nodes, from start to end within one table. mmap_lock held. */
static uint64_t table_pages_on(struct mm_struct *mm, uint64_t start, uint64_t end,
                               const nodemask_t *nodes)
{
    const pte_t *pte = mm_find_pte(mm, start);
    uint64_t n = 0;
    for (; pte && start < end; start += PAGE_SIZE, pte++) {
        pte_t e = pte_load(pte);
        if (pte_maps_page(e) && !pte_special(e))
            n += mask_test(nodes, pfn_to_page(pte_pfn(e))->nid);
    }
    return n;
}

static uint64_t vma_pages_on(const struct vm_area_struct *vma, const nodemask_t *nodes)
{
    uint64_t n = 0, next;
    for (uint64_t at = vma->vm_start; at < vma->vm_end; at = next) {
        next = MIN(ALIGN_DOWN(at, TABLE_SPAN) + TABLE_SPAN, vma->vm_end);
        n += table_pages_on(vma->vm_mm, at, next, nodes);
    }
    return n;
}
/* lab oom: end */

/*
 * Resident pages of a space on certain nodes, as its page table says. Entries that are special
 * (pte_special(): the zero page, devices) are nobody's. Where mmap_lock cannot be had at once: all
 * resident pages, better than nothing. Waiting for it might be waiting for who waits for memory.
 */
static uint64_t resident_on(struct mm_struct *mm, const nodemask_t *nodes)
{
    /* lab oom: begin 2 */
    struct vm_area_struct *vma;
    uint64_t n = 0;
    if (!down_read_trylock(&mm->mmap_lock))
        return mm_rss(mm);
    for_each_vma(mm, vma) {
        n += vma_pages_on(vma, nodes);
    }
    up_read(&mm->mmap_lock);
    return n;
    /* lab oom: stub lab_missing("oom", 2, mm, nodes); */
    /* lab oom: end */
}

int64_t oom_badness(struct mm_struct *mm, const struct oom_control *oc)
{
    /* lab oom: begin 1 */
    int adj = load_relaxed(&mm->owner.oom_score_adj);
    if (!mm->owner.ops || adj == -1000 || mm_flag(mm, MMF_OOM_SKIP) || mm_flag(mm, MMF_EXITING))
        return INT64_MIN;
    bool constrained = oc->constraint == CONSTRAINT_MEMORY_POLICY;
    uint64_t resident = constrained ? resident_on(mm, oc->request->nodes) : mm_rss(mm);
    if (constrained && !resident)
        return INT64_MIN;
    int64_t points =
        (int64_t)resident + mm->rss[MM_SWAPENTS] + (int64_t)(mm_pgtables_bytes(mm) >> PAGE_SHIFT);
    return points + adj * ((int64_t)oc->total_pages / 1000);
    /* lab oom: stub lab_missing("oom", 1, mm, oc, resident_on); */
    /* lab oom: end */
}

/* --- choosing --------------------------------------------------------------------------------- */

/*
 * A victim is dying while it is marked MMF_OOM_VICTIM and not yet MMF_OOM_SKIP: what it has is
 * still to come. Who asks by hand wants another one in any case.
 */
bool select_bad_process(struct oom_control *oc)
{
    /* lab oom: begin 3 */
    struct mm_struct *mm = NULL;
    oc->points = INT64_MIN;
    while ((mm = mm_next(mm)) != NULL) {
        if (mm_flag(mm, MMF_OOM_VICTIM) && !mm_flag(mm, MMF_OOM_SKIP) && !oc->by_hand) {
            mmput(mm);
            if (oc->chosen)
                mmput(oc->chosen);
            oc->chosen = NULL;
            return false;
        }
        int64_t points = oom_badness(mm, oc);
        if (points == INT64_MIN || points <= oc->points)
            continue;
        if (oc->chosen)
            mmput(oc->chosen);
        mmget(mm);
        oc->chosen = mm;
        oc->points = points;
    }
    return true;
    /* lab oom: stub lab_missing("oom", 3, oc); */
    /* lab oom: end */
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
    /* lab oom: begin 4 */
    struct mm_struct *victim = oc->chosen;
    mm_test_and_set_flag(victim, MMF_OOM_VICTIM);
    victim->owner.ops->kill(victim);
    count_vm_event(OOM_KILL);
    reaper_queue(victim);
    mmput(victim);
    /* lab oom: stub lab_missing("oom", 4, oc); */
    /* lab oom: end */
}

/*
 * End the machine instead, if that is wanted: sysctl_panic_on_oom 1 when all of it is short, 2 also
 * when only some nodes are. Never when somebody kills by hand.
 */
static void maybe_panic(const struct oom_control *oc)
{
    /* lab oom: begin 5 */
    if (!sysctl_panic_on_oom || oc->by_hand)
        return;
    if (sysctl_panic_on_oom == 1 && oc->constraint != CONSTRAINT_NONE)
        return;
    panic("Out of memory: %s panic_on_oom is enabled",
          sysctl_panic_on_oom == 2 ? "compulsory" : "system-wide");
    /* lab oom: stub lab_missing("oom", 5, oc); */
    /* lab oom: end */
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
    /* lab oom: begin 5 */
    if (!choose_victim(oc)) { /* someone is on the way out */
        (void)sleep_ns(PAUSE_NS);
        return RELIEF_PROGRESS;
    }
    oom_report_begin(oc);
    maybe_panic(oc);
    if (!oc->chosen) {
        pr_warn("Out of memory and no killable processes...\n");
        return RELIEF_NONE;
    }
    oom_kill_process(oc);
    (void)sleep_ns(PAUSE_NS); /* let it die */
    return RELIEF_PROGRESS;
    /* lab oom: stub lab_missing("oom", 5, oc, choose_victim, maybe_panic); */
    /* lab oom: end */
}

/*
 * Whoever is on its own way out gets the reserves instead of a victim; whoever asked for one node
 * only (__GFP_THISNODE) can ask elsewhere, and gets none.
 */
static enum relief_result relieve(struct relief_request *request)
{
    /* lab oom: begin 5 */
    struct oom_control oc = {
        .request = request,
        .constraint = request->nodes ? CONSTRAINT_MEMORY_POLICY : CONSTRAINT_NONE,
        .total_pages = usable_pages(request),
    };
    if (request->gfp & __GFP_THISNODE)
        return RELIEF_NONE;
    if (thread_current()->killed) {
        thread_set_memalloc(true);
        return RELIEF_PROGRESS;
    }
    if (!mutex_trylock(&oom_lock)) { /* another thread looks at the same shortage */
        (void)sleep_ns(PAUSE_NS);
        return RELIEF_PROGRESS;
    }
    enum relief_result result = kill_somebody(&oc);
    mutex_unlock(&oom_lock);
    return result;
    /* lab oom: stub lab_missing("oom", 5, request, usable_pages, kill_somebody, &oom_lock); */
    /* lab oom: end */
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
