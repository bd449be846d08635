/* SPDX-License-Identifier: MIT */
/*
 * guest_more.c - /proc/PID: limits, comm, personality, timerslack_ns, wchan, and its tasks.
 *
 *      /proc/7/task/{7,9}/{comm,stat,children}      a directory for each task
 *
 * Locks: guest->lock for names and the list of tasks, guest_table_lock for children.
 * Linux's counterpart: fs/proc/base.c, array.c.
 */
#include "base/errno.h"
#include "base/string.h"
#include "file/registry.h"
#include "task/guest_table.h"
#include "task/task.h"
#include "view/guest_view.h"
#include "view/view.h"

/* --- limits ----------------------------------------------------------------------------------- */

static const struct {
    const char *name, *unit;
} limit_names[NR_RLIMITS] = {
    [RLIMIT_CPU] = {"Max cpu time", "seconds"},
    [RLIMIT_FSIZE] = {"Max file size", "bytes"},
    [RLIMIT_DATA] = {"Max data size", "bytes"},
    [RLIMIT_STACK] = {"Max stack size", "bytes"},
    [RLIMIT_CORE] = {"Max core file size", "bytes"},
    [RLIMIT_RSS] = {"Max resident set", "bytes"},
    [RLIMIT_NPROC] = {"Max processes", "processes"},
    [RLIMIT_NOFILE] = {"Max open files", "files"},
    [RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
    [RLIMIT_AS] = {"Max address space", "bytes"},
    [RLIMIT_LOCKS] = {"Max file locks", "locks"},
    [RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
    [RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
    [RLIMIT_NICE] = {"Max nice priority", ""},
    [RLIMIT_RTPRIO] = {"Max realtime priority", ""},
    [RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
};

static void print_limit(struct sink *out, uint64_t value)
{
    char number[24] = "unlimited";
    if (value != RLIM_INFINITY)
        snprintf(number, sizeof(number), "%lu", value);
    print(out, "%-20s ", number);
}

static int show_limits_of(struct sink *out, struct guest *g, struct mm_struct *mm)
{
    struct rlimit limits[NR_RLIMITS];
    (void)mm;
    spin_lock(&g->lock);
    memcpy(limits, g->limits, sizeof(limits));
    spin_unlock(&g->lock);
    print(out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (int i = 0; i < NR_RLIMITS; i++) {
        print(out, "%-25s ", limit_names[i].name);
        print_limit(out, limits[i].cur);
        print_limit(out, limits[i].max);
        print(out, *limit_names[i].unit ? "%-10s\n" : "%s\n", limit_names[i].unit);
    }
    return 0;
}

static int show_limits(struct sink *out, const struct view_args *args)
{
    return with_guest(out, args, show_limits_of);
}

/* --- small ones ------------------------------------------------------------------------------- */

static int show_personality_of(struct sink *out, struct guest *g, struct mm_struct *mm)
{
    (void)mm;
    print(out, "%08x\n", g->personality);
    return 0;
}

static int show_personality(struct sink *out, const struct view_args *args)
{
    return with_guest(out, args, show_personality_of);
}

/* 0: it does not wait, or where is nobody's business. */
static int show_wchan_of(struct sink *out, struct guest *g, struct mm_struct *mm)
{
    (void)g;
    (void)mm;
    print(out, "0");
    return 0;
}

static int show_wchan(struct sink *out, const struct view_args *args)
{
    return with_guest(out, args, show_wchan_of);
}

static int link_thread_self(struct sink *out, const struct view_args *args)
{
    const struct task *t = task_current();
    (void)args;
    if (!t)
        return -ENOENT;
    print(out, "%u/task/%u", t->guest->pid, t->tid);
    return 0;
}

/* --- tasks ------------------------------------------------------------------------------------ */

/* The smallest tid >= from of the guest's tasks; of a zombie its own. */
static long next_tid(unsigned long from, const struct view_args *args)
{
    struct guest *g = guest_find((uint32_t)args->number[0]);
    const struct task *t;
    if (!g)
        return -ENOENT;
    long best = from <= g->pid ? (long)g->pid : -ENOENT;
    spin_lock(&g->lock);
    list_for_each_entry(t, &g->tasks, guest_node) {
        if (t->tid >= from && (best < 0 || t->tid < (unsigned long)best))
            best = t->tid;
    }
    spin_unlock(&g->lock);
    guest_put(g);
    return best;
}

/* The name and the state of a task; of one that has ended while others go on, its guest's. */
static char look_at_task(struct guest *g, uint32_t tid, char name[THREAD_NAME_MAX])
{
    char state = guest_state_letter(g);
    spin_lock(&g->lock);
    const struct task *t = guest_task_locked(g, tid);
    strlcpy(name, t ? t->thread->name : g->name, THREAD_NAME_MAX);
    if (t && (state == 'R' || state == 'S'))
        state = load_relaxed(&t->thread->state) == THREAD_RUNNABLE ? 'R' : 'S';
    spin_unlock(&g->lock);
    return state;
}

static uint32_t tid_of(const struct view_args *args, const struct guest *g)
{
    return args->number[1] ? (uint32_t)args->number[1] : g->pid;
}

static int show_comm(struct sink *out, const struct view_args *args)
{
    char name[THREAD_NAME_MAX];
    struct guest *g = guest_find((uint32_t)args->number[0]);
    if (!g)
        return -ESRCH;
    look_at_task(g, tid_of(args, g), name);
    print(out, "%s\n", name);
    guest_put(g);
    return 0;
}

/* A task of the same guest may name another. */
static int store_comm(const char *text, size_t n, const struct view_args *args)
{
    char name[THREAD_NAME_MAX];
    struct guest *g = guest_find((uint32_t)args->number[0]);
    if (!g)
        return -ESRCH;
    n = MIN(n, sizeof(name) - 1);
    memcpy(name, text, n);
    name[n] = '\0';
    const struct task *self = task_current();
    int err = !self || self->guest == g ? 0 : -EINVAL;
    if (!err)
        err = guest_set_task_name(g, tid_of(args, g), name);
    guest_put(g);
    return err;
}

static int show_task_stat(struct sink *out, const struct view_args *args)
{
    char name[THREAD_NAME_MAX];
    struct guest *g = guest_find((uint32_t)args->number[0]);
    if (!g)
        return -ESRCH;
    uint32_t tid = tid_of(args, g);
    char state = look_at_task(g, tid, name);
    struct mm_struct *mm = guest_mm(g);
    guest_print_stat(out, g, mm, &(struct stat_of){tid, name, state});
    if (mm)
        mmput(mm);
    guest_put(g);
    return 0;
}

/* Children are the guest's, whichever task made them; they stand with its first one. */
static int show_children(struct sink *out, const struct view_args *args)
{
    struct guest *g = guest_find((uint32_t)args->number[0]);
    const struct guest *child;
    if (!g)
        return -ESRCH;
    if (args->number[1] == g->pid) {
        spin_lock(&guest_table_lock);
        list_for_each_entry(child, &g->children, sibling)
            print(out, "%u ", child->pid);
        spin_unlock(&guest_table_lock);
    }
    guest_put(g);
    return 0;
}

static const struct view views[] = {
    {.path = "/proc/thread-self", .link = link_thread_self},
    {.path = "/proc/%p/limits", .show = show_limits},
    {.path = "/proc/%p/personality", .show = show_personality},
    {.path = "/proc/%p/wchan", .show = show_wchan},
    {.path = "/proc/%p/comm", .show = show_comm, .store = store_comm},
    {.path = "/proc/%p/stat", .show = show_task_stat},
    {.path = "/proc/%p/task/%t/comm", .show = show_comm, .store = store_comm},
    {.path = "/proc/%p/task/%t/stat", .show = show_task_stat},
    {.path = "/proc/%p/task/%t/children", .show = show_children},
};

void view_guest_more_init(void)
{
    view_register_numbers('t', next_tid);
    view_register(views, ARRAY_SIZE(views));
}
