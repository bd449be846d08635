/* SPDX-License-Identifier: MIT */
/*
 * reaper.c - freeing a victim's memory while it still dies.
 *
 *      killed --> [ queue ] --> oom_reaper: mm_reap(): all its private pages go
 *                                  `-- mmap_lock busy? try again, ten times, then give up
 *
 * A guest that was killed may take long to notice: it may sleep, or wait for a lock that somebody
 * holds who waits for memory. Its private pages will never be read again, so they can go now:
 * those of all ranges but the shared ones, which others see and which win nothing. If it touches
 * one again it finds zeros, or its file; MMF_UNSTABLE says so.
 *
 * A space that is being torn down has no user any more (mmget_not_zero() fails) and needs no help.
 * Whatever came of it, MMF_OOM_SKIP says in the end that nothing more is to be had from this
 * victim: if memory is still short, another one is chosen.
 *
 * Locks: reap_lock for the queue; mm_reap() tries mmap_lock, it may never wait for it.
 * Linux's counterpart: oom_reaper(), oom_reap_task(), __oom_reap_task_mm().
 */
#include "base/errno.h"
#include "fault/zap.h"
#include "kern/lock.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/thread.h"
#include "kern/wait.h"
#include "pressure/oom.h"

#define QUEUE 16
#define TRIES 10
#define PAUSE_NS (100 * NSEC_PER_MSEC)
#define PAGES_TO_KB(n) ((uint64_t)(n) << (PAGE_SHIFT - 10))

static struct spinlock reap_lock = SPINLOCK_INIT("reaper", RANK_OOM);
static struct mm_struct *queue[QUEUE]; /* under reap_lock; mmgrab() done */
static unsigned head, tail;            /* under reap_lock */
static struct wait_queue victims = WAIT_QUEUE_INIT(victims);

void reaper_queue(struct mm_struct *mm)
{
    spin_lock(&reap_lock);
    bool room = head - tail < QUEUE;
    if (room) {
        mmgrab(mm);
        queue[head++ % QUEUE] = mm;
    }
    spin_unlock(&reap_lock);
    if (!room)
        mm_test_and_set_flag(mm, MMF_OOM_SKIP); /* it must die by itself; others may be chosen */
    wake_up_all(&victims);
}

static struct mm_struct *take(void)
{
    struct mm_struct *mm = NULL;
    spin_lock(&reap_lock);
    if (tail != head)
        mm = queue[tail++ % QUEUE];
    spin_unlock(&reap_lock);
    return mm;
}

static void report(const struct mm_struct *mm)
{
    pr_info("oom_reaper: reaped process %u (%s), now anon-rss:%lukB, file-rss:%lukB, "
            "shmem-rss:%lukB\n",
            mm->owner.pid, mm->owner.name, PAGES_TO_KB(mm->rss[MM_ANONPAGES]),
            PAGES_TO_KB(mm->rss[MM_FILEPAGES]), PAGES_TO_KB(mm->rss[MM_SHMEMPAGES]));
}

int64_t mm_reap(struct mm_struct *mm)
{
    /* lab oom: begin 6 */
    struct vm_area_struct *vma;
    if (!down_read_trylock(&mm->mmap_lock))
        return -EAGAIN;
    int64_t before = (int64_t)mm_rss(mm);
    mm_test_and_set_flag(mm, MMF_UNSTABLE);
    for_each_vma(mm, vma) {
        if (!vma_is_shared(vma))
            zap_page_range(vma, vma->vm_start, vma->vm_end);
    }
    int64_t freed = before - (int64_t)mm_rss(mm);
    up_read(&mm->mmap_lock);
    return MAX(freed, 0L); /* somebody may be faulting still */
    /* lab oom: stub lab_missing("oom", 6, mm); */
    /* lab oom: end */
}

/* Reap a space that somebody else may be tearing down: up to TRIES times, with a pause between. */
static void reap(struct mm_struct *mm)
{
    /* lab oom: begin 6 */
    int64_t freed = 0;
    for (int i = 0; i < TRIES; i++) {
        if (!mmget_not_zero(mm)) /* it is being torn down: all will be free */
            break;
        freed = mm_reap(mm);
        if (freed >= 0)
            report(mm);
        mmput(mm);
        if (freed >= 0)
            break;
        (void)sleep_ns(PAUSE_NS);
    }
    if (freed < 0)
        pr_warn("oom_reaper: unable to reap pid:%u (%s)\n", mm->owner.pid, mm->owner.name);
    mm_test_and_set_flag(mm, MMF_OOM_SKIP);
    /* lab oom: stub lab_missing("oom", 6, mm, report); */
    /* lab oom: end */
}

static void oom_reaper(void *arg)
{
    (void)arg;
    for (;;) {
        struct mm_struct *mm = take();
        if (!mm) {
            wait_event(&victims, load_relaxed(&head) != load_relaxed(&tail));
            continue;
        }
        reap(mm);
        mmdrop(mm);
    }
}

void reaper_init(void)
{
    if (!kthread_run("oom_reaper", oom_reaper, NULL, NO_NODE))
        panic("no memory for the reaper's thread; the machine is too small");
}
