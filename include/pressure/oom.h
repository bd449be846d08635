/* SPDX-License-Identifier: MIT */
/*
 * oom.h - when nothing else helps, one guest must go.
 */
#ifndef PAGODA_PRESSURE_OOM_H
#define PAGODA_PRESSURE_OOM_H

#include "phys/pressure.h"
#include "virt/mm.h"

enum oom_constraint {
    CONSTRAINT_NONE,          /* the whole machine is short */
    CONSTRAINT_MEMORY_POLICY, /* only the nodes that the allocation is bound to */
};

/** What the killer knows of one shortage. */
struct oom_control {
    const struct relief_request *request;
    enum oom_constraint constraint;
    uint64_t total_pages;     /* that the allocation could ever have used */
    struct mm_struct *chosen; /* mmget() done; NULL: nobody can be killed */
    int64_t points;           /* the victim's badness, pages */
    bool by_hand;             /* asked for at the console */
};

/** How much is won, in pages, by killing those who run in @mm; INT64_MIN: not to be killed. */
int64_t oom_badness(struct mm_struct *mm, const struct oom_control *oc);

/**
 * Look at all spaces; the worst goes into oc->chosen, with a reference, and its badness into
 * oc->points. False when a victim is dying already: then nobody is chosen.
 */
bool select_bad_process(struct oom_control *oc) must_check;

/** Kill who runs in oc->chosen; its reference goes, the pointer stays. */
void oom_kill_process(struct oom_control *oc);

/** Kill one guest by hand, as if memory had run out. 0, or -ESRCH when there is none. */
int oom_kill_one(void) must_check;

/** The report that Linux prints: who asked, memory, tasks, the victim. (oom_report.c) */
void oom_report_begin(const struct oom_control *oc);
void oom_report_victim(const struct oom_control *oc);

/** Free the victim's private memory while it dies; takes a reference. (reaper.c) */
void reaper_queue(struct mm_struct *mm);

/**
 * Free the private memory of a space whose tasks are being killed, if its mmap_lock is free for
 * reading: pages freed, or -EAGAIN: try again later. A reference is held.
 */
int64_t mm_reap(struct mm_struct *mm);
void reaper_init(void);

/** Settings, as /proc/sys/vm names them. */
extern int sysctl_panic_on_oom;
extern int sysctl_oom_kill_allocating_task;
extern int sysctl_oom_dump_tasks;

/** The last rung, and the reaper's thread. Boot; panic_on_oom= is read here. */
void oom_init(void);

#endif
