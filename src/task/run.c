/* SPDX-License-Identifier: MIT */
/*
 * run.c - tasks as threads: made, switched to and from, freed.
 *
 *      thread_create ... thread_start --> [switch_in: address space, FP] --> fn --> U-mode
 *                                     <-- [switch_out: FP, the monitor's own space]
 *      thread_exit --> reaper --> destroy: the task is freed
 *
 * Leaving a hart means leaving the address space there, even if only to idle: so a space that is
 * torn down is used by no hart, and its tables can be freed.
 *
 * Locks: the scheduler's rq.lock in the hooks. Linux's counterpart: copy_process(), switch_mm().
 */
#include "task/run.h"

#include "base/errno.h"
#include "phys/vmstat.h"
#include "base/string.h"
#include "slab/cache.h"
#include "task/guest_table.h"
#include "task/signal_set.h"
#include "task/sigqueue.h"
#include "task/user.h"

static uint32_t nr_tasks; /* (a) whose stacks are not free yet */
static struct kmem_cache *task_cache;

static void switch_out(struct thread *thread)
{
    struct task *t = thread->owner;
    fpu_switch_out(&t->fpu, task_frame(t));
    t->rseq.stirred = true;
    tlb_switch_kernel();
}

static void switch_in(struct thread *thread)
{
    struct task *t = thread->owner;
    struct mm_struct *mm = t->mm;
    if (likely(mm))
        tlb_switch(&mm->tlb, pt_root_paddr(&mm->pgt));
    fpu_switch_in(&t->fpu, task_frame(t));
    if (t->rseq.addr && t->rseq.hart != hart_index())
        hart_add_user_work(this_arch_hart(), USER_WORK_RSEQ);
}

static void destroy(struct thread *thread)
{
    struct task *t = thread->owner;
    struct guest *g = t->guest;
    kmem_cache_free(task_cache, t);
    fetch_sub(&nr_tasks, 1);
    guest_put(g);
}

static const struct thread_ops task_thread_ops = {
    .switch_out = switch_out,
    .switch_in = switch_in,
    .destroy = destroy,
};

uint64_t sysctl_threads_max;

bool task_may_have_more(const struct guest *g)
{
    const struct guest_cred *c = &g->cred;
    bool unlimited =
        !c->uid[ID_REAL] || cred_capable(c, CAP_SYS_RESOURCE) || cred_capable(c, CAP_SYS_ADMIN);
    if (!unlimited && load_relaxed(&g->user->nr_tasks) >= g->limits[RLIMIT_NPROC].cur)
        return false;
    return load_relaxed(&nr_tasks) < load_relaxed(&sysctl_threads_max);
}

void task_cache_init(void)
{
    uint64_t most = nr_managed_pages() / (8 * (THREAD_STACK_SIZE / PAGE_SIZE));
    sysctl_threads_max = MIN(MAX(most, (uint64_t)THREADS_MIN), PID_MAX / 2UL);
    task_cache = kmem_cache_create("task", sizeof(struct task), 0, 0, NULL);
    BUG_ON(!task_cache);
}

int guest_set_task_name(struct guest *g, uint32_t tid, const char *name)
{
    spin_lock(&g->lock);
    struct task *t = guest_task_locked(g, tid);
    if (t)
        strlcpy(t->thread->name, name, sizeof(t->thread->name));
    if (t && tid == g->pid)
        strlcpy(g->name, name, sizeof(g->name));
    spin_unlock(&g->lock);
    return t ? 0 : -ESRCH;
}

struct task *task_create(struct guest *g, uint32_t tid, void (*fn)(void *))
{
    struct task *t = kmem_cache_alloc(task_cache, GFP_KERNEL | __GFP_ZERO);
    if (!t)
        return NULL;
    t->thread = thread_create(g->name, fn, t, g->nid, g->affinity);
    if (!t->thread) {
        kmem_cache_free(task_cache, t);
        return NULL;
    }
    fetch_add_relaxed(&nr_tasks, 1);
    t->tid = tid ? tid : g->pid;
    t->guest = g;
    guest_get(g);
    fpu_init(&t->fpu);
    sigpending_init(&t->pending);
    t->altstack.flags = SS_DISABLE;
    t->thread->owner = t;
    t->thread->ops = &task_thread_ops;
    spin_lock(&g->lock);
    list_add_tail(&t->guest_node, &g->tasks);
    g->nr_tasks++;
    fetch_add_relaxed(&g->user->nr_tasks, 1);
    spin_unlock(&g->lock);
    return t;
}

void task_discard(struct task *t)
{
    struct guest *g = t->guest;
    spin_lock(&g->lock);
    list_del(&t->guest_node);
    g->nr_tasks--;
    fetch_sub(&g->user->nr_tasks, 1);
    spin_unlock(&g->lock);
    thread_discard(t->thread);
    kmem_cache_free(task_cache, t);
    fetch_sub(&nr_tasks, 1);
    guest_put(g);
}

/* Several may run in one space: clone with CLONE_VM. */
static void kill_users(struct mm_struct *mm)
{
    struct siginfo_words info = {.signo = SIGKILL, .code = SI_KERNEL};
    struct guest *g;
    for (uint32_t pid = 1; (g = guest_next(pid)); guest_put(g)) {
        pid = g->pid + 1;
        spin_lock(&g->lock);
        bool uses = g->mm == mm;
        spin_unlock(&g->lock);
        if (uses)
            guest_signal(g, &info);
    }
}

const struct mm_owner_ops guest_mm_owner_ops = {.kill = kill_users};
