/* SPDX-License-Identifier: MIT */
/*
 * guest.c - /proc/PID: status, statm, cmdline, oom_score, oom_score_adj.
 *
 * Locks: each guest is looked at with a reference; numbers are read as they stand.
 * Linux's counterpart: fs/proc/array.c, base.c; proc(5).
 */
#include "base/errno.h"
#include "base/parse.h"
#include "base/string.h"
#include "file/registry.h"
#include "phys/alloc.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/task.h"
#include "task/user.h"
#include "view/guest_view.h"
#include "view/view.h"

#define PAGE_KB (PAGE_SIZE >> 10)

static long next_pid(unsigned long from, const struct view_args *args)
{
    (void)args;
    struct guest *g = guest_next((uint32_t)MIN(from, (unsigned long)PID_MAX + 1));
    long pid = g ? (long)g->pid : -ENOENT;
    if (g)
        guest_put(g);
    return pid;
}

int with_guest(struct sink *out, const struct view_args *args,
               int (*show)(struct sink *, struct guest *, struct mm_struct *))
{
    struct guest *g = guest_find((uint32_t)args->number[0]);
    if (!g)
        return -ESRCH;
    struct mm_struct *mm = guest_mm(g);
    int err = show(out, g, mm);
    if (mm)
        mmput(mm);
    guest_put(g);
    return err;
}

/* --- status ----------------------------------------------------------------------------------- */

static const char *state_name(char letter)
{
    switch (letter) {
    case 'R':
        return "running";
    case 'S':
        return "sleeping";
    case 'T':
        return "stopped";
    case 'Z':
        return "zombie";
    default:
        return "dead";
    }
}

static void kb(struct sink *out, const char *name, uint64_t pages)
{
    print(out, "%s:\t%8lu kB\n", name, pages * PAGE_KB);
}

static void status_memory(struct sink *out, const struct mm_struct *mm)
{
    uint64_t rss = mm_rss(mm), anon = (uint64_t)mm->rss[MM_ANONPAGES];
    kb(out, "VmPeak", MAX(mm->hiwater_vm, mm->total_vm));
    kb(out, "VmSize", mm->total_vm);
    kb(out, "VmLck", mm->locked_vm);
    kb(out, "VmPin", 0);
    kb(out, "VmHWM", MAX(mm->hiwater_rss, rss));
    kb(out, "VmRSS", rss);
    kb(out, "RssAnon", anon);
    kb(out, "RssFile", (uint64_t)mm->rss[MM_FILEPAGES]);
    kb(out, "RssShmem", (uint64_t)mm->rss[MM_SHMEMPAGES]);
    kb(out, "VmData", mm->data_vm);
    kb(out, "VmStk", mm->stack_vm);
    kb(out, "VmExe", (mm->end_code - mm->start_code + PAGE_SIZE - 1) >> PAGE_SHIFT);
    kb(out, "VmLib", 0);
    print(out, "VmPTE:\t%8lu kB\n", mm_pgtables_bytes(mm) >> 10);
    kb(out, "VmSwap", (uint64_t)mm->rss[MM_SWAPENTS]);
}

static void status_ids(struct sink *out, struct guest *g)
{
    const struct guest_cred *c = &g->cred;
    struct file_table *files = guest_files(g);
    print(out, "Uid:\t%u\t%u\t%u\t%u\n", c->uid[0], c->uid[1], c->uid[2], c->uid[3]);
    print(out, "Gid:\t%u\t%u\t%u\t%u\n", c->gid[0], c->gid[1], c->gid[2], c->gid[3]);
    print(out, "FDSize:\t%u\nGroups:\t", files ? files->size : 0);
    if (files)
        file_table_put(files);
    for (uint32_t i = 0; i < c->nr_groups; i++)
        print(out, "%u ", c->groups[i]);
    print(out, "\n");
}

/* As hexadecimal sets: pending, blocked, ignored, caught; then capabilities. */
static void status_signals(struct sink *out, struct guest *g)
{
    uint64_t ignored = 0, caught = 0, own = 0, blocked = 0;
    spin_lock(&g->lock);
    uint32_t queued = load_relaxed(&g->user->nr_signals);
    for (int i = 0; i < NSIG; i++) {
        ignored |= g->actions[i].handler == SIG_IGN ? 1UL << i : 0;
        caught |= g->actions[i].handler > SIG_IGN ? 1UL << i : 0;
    }
    if (!list_empty(&g->tasks)) {
        const struct task *t = list_first_entry(&g->tasks, struct task, guest_node);
        own = t->pending.set;
        blocked = t->blocked;
    }
    spin_unlock(&g->lock);
    print(out, "SigQ:\t%u/%lu\n", queued, g->limits[RLIMIT_SIGPENDING].cur);
    print(out, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n", own, g->pending.set, blocked);
    print(out, "SigIgn:\t%016lx\nSigCgt:\t%016lx\n", ignored, caught);
    print(out, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\n",
          g->cred.cap_inheritable, g->cred.cap_permitted, g->cred.cap_effective,
          g->cred.cap_bounding);
    print(out, "CapAmb:\t%016x\nNoNewPrivs:\t%u\nSeccomp:\t0\n", 0, g->prctl.no_new_privs);
}

static int show_status_of(struct sink *out, struct guest *g, struct mm_struct *mm)
{
    char state = guest_state_letter(g);
    print(out, "Name:\t%s\nUmask:\t%04o\nState:\t%c (%s)\nTgid:\t%u\nNgid:\t0\nPid:\t%u\n", g->name,
          g->umask, state, state_name(state), g->pid, g->pid);
    print(out, "PPid:\t%u\nTracerPid:\t0\n", guest_ppid(g));
    status_ids(out, g);
    if (mm)
        status_memory(out, mm);
    print(out, "Threads:\t%u\n", g->nr_tasks);
    status_signals(out, g);
    hartmask_t harts_allowed = mask_empty(&g->affinity) ? harts_online : g->affinity;
    print(out, "Cpus_allowed:\t%x\nCpus_allowed_list:\t", (uint32_t)harts_allowed.bits);
    bitmap_print_list(out, &harts_allowed.bits, MAX_HARTS);
    print(out, "\nMems_allowed:\t%x\nMems_allowed_list:\t", (uint32_t)node_states[N_MEMORY].bits);
    bitmap_print_list(out, &node_states[N_MEMORY].bits, MAX_NODES);
    print(out, "\n");
    return 0;
}

static int show_status(struct sink *out, const struct view_args *args)
{
    return with_guest(out, args, show_status_of);
}

/* --- stat, statm ------------------------------------------------------------------------------ */

void guest_print_stat(struct sink *out, struct guest *g, struct mm_struct *mm,
                      const struct stat_of *of)
{
    uint64_t ticks = guest_run_ns(g) / (10 * NSEC_PER_MSEC);
    print(out, "%u (%s) %c %u %u %u 0 -1 0 %lu 0 %lu 0 %lu 0 0 0 20 0 %u 0 %lu ", of->tid, of->name,
          of->state, guest_ppid(g), g->pgid, g->sid, mm ? mm->minflt : g->minflt,
          mm ? mm->majflt : g->majflt, ticks, g->nr_tasks, g->start_ns / (10 * NSEC_PER_MSEC));
    print(
        out,
        "%lu %lu %lu %lu %lu %lu 0 0 0 0 0 0 0 0 17 %u 0 0 0 0 0 %lu %lu %lu %lu %lu %lu %lu %d\n",
        mm ? mm->total_vm * PAGE_SIZE : 0, mm ? mm_rss(mm) : 0, RLIM_INFINITY,
        mm ? mm->start_code : 0, mm ? mm->end_code : 0, mm ? mm->start_stack : 0, guest_hart(g),
        mm ? mm->start_data : 0, mm ? mm->end_data : 0, mm ? mm->start_brk : 0,
        mm ? mm->arg_start : 0, mm ? mm->arg_end : 0, mm ? mm->env_start : 0, mm ? mm->env_end : 0,
        g->exit_status);
}

static int show_statm_of(struct sink *out, struct guest *g, struct mm_struct *mm)
{
    (void)g;
    if (!mm) {
        print(out, "0 0 0 0 0 0 0\n");
        return 0;
    }
    print(out, "%lu %lu %lu %lu 0 %lu 0\n", mm->total_vm, mm_rss(mm),
          (uint64_t)(mm->rss[MM_FILEPAGES] + mm->rss[MM_SHMEMPAGES]),
          (mm->end_code - mm->start_code + PAGE_SIZE - 1) >> PAGE_SHIFT,
          mm->data_vm + mm->stack_vm);
    return 0;
}

static int show_statm(struct sink *out, const struct view_args *args)
{
    return with_guest(out, args, show_statm_of);
}

static int show_cmdline_of(struct sink *out, struct guest *g, struct mm_struct *mm)
{
    (void)mm;
    guest_print_cmdline(g, out, '\0');
    return 0;
}

static int show_cmdline(struct sink *out, const struct view_args *args)
{
    return with_guest(out, args, show_cmdline_of);
}

/* --- the killer's view ------------------------------------------------------------------------ */

/* Linux's scale: 666 nothing in use, 1333 all of memory; oom_score_adj moves it; 0 never. */
static int show_oom_score_of(struct sink *out, struct guest *g, struct mm_struct *mm)
{
    int64_t total = (int64_t)nr_managed_pages(), points = 0;
    if (mm && total)
        points = (int64_t)(mm_rss(mm) + (uint64_t)mm->rss[MM_SWAPENTS] +
                           (mm_pgtables_bytes(mm) >> PAGE_SHIFT)) *
                     1000 / total +
                 g->oom_score_adj;
    points = (1000 + points) * 2 / 3; /* as Linux has scaled it since 5.9 */
    print(out, "%ld\n", mm && g->oom_score_adj != -1000 ? MAX(points, 0) : 0);
    return 0;
}

static int show_oom_score(struct sink *out, const struct view_args *args)
{
    return with_guest(out, args, show_oom_score_of);
}

static int show_adj_of(struct sink *out, struct guest *g, struct mm_struct *mm)
{
    (void)mm;
    print(out, "%d\n", g->oom_score_adj);
    return 0;
}

static int show_adj(struct sink *out, const struct view_args *args)
{
    return with_guest(out, args, show_adj_of);
}

static int store_adj(const char *text, size_t n, const struct view_args *args)
{
    char buf[16];
    int64_t adj;
    if (!n || n >= sizeof(buf))
        return -EINVAL;
    memcpy(buf, text, n);
    buf[n] = '\0';
    if (parse_s64(buf, 10, &adj) || adj < -1000 || adj > 1000)
        return -EINVAL;
    struct guest *g = guest_find((uint32_t)args->number[0]);
    if (!g)
        return -ESRCH;
    int err = guest_set_oom_score_adj(g, (int)adj);
    guest_put(g);
    return err;
}

static const struct view views[] = {
    {.path = "/proc/%p/status", .show = show_status},
    {.path = "/proc/%p/statm", .show = show_statm},
    {.path = "/proc/%p/cmdline", .show = show_cmdline},
    {.path = "/proc/%p/oom_score", .show = show_oom_score},
    {.path = "/proc/%p/oom_score_adj", .show = show_adj, .store = store_adj},
};

void view_guest_init(void)
{
    view_register_numbers('p', next_pid);
    view_register(views, ARRAY_SIZE(views));
}
