/* SPDX-License-Identifier: MIT */
/*
 * wait.c - asking what became of a guest.
 *
 *      guest_wait       the console asks for a guest that it started
 *      guest_wait_child a guest asks for its child: wait4
 *
 * Locks: guest_table_lock. Linux's counterpart: do_wait().
 */
#include "base/errno.h"
#include "task/guest_table.h"
#include "task/run.h"
#include "task/wait.h"

int guest_wait_or_stop(uint32_t pid, int *status)
{
    struct guest *g = guest_find(pid);
    if (!g)
        return -ESRCH;
    int err = wait_event_killable(&g->wait_exit, load_acquire(&g->state) >= GUEST_STOPPED);
    if (!err && load_acquire(&g->state) == GUEST_STOPPED) {
        *status = g->stop_signal << 8 | 0x7f;
    } else if (!err) {
        *status = g->exit_status;
        guest_reap(g);
    }
    guest_put(g);
    return err;
}

int guest_wait(uint32_t pid, int *status)
{
    struct guest *g = guest_find(pid);
    if (!g)
        return -ESRCH;
    int err = wait_event_killable(&g->wait_exit, load_acquire(&g->state) >= GUEST_ZOMBIE);
    if (!err) {
        *status = g->exit_status;
        guest_reap(g);
    }
    guest_put(g);
    return err;
}

static bool wanted(const struct guest *parent, const struct guest *child, int64_t which)
{
    if (which > 0)
        return child->pid == (uint32_t)which;
    if (which == -1)
        return true;
    return child->pgid == (which ? (uint32_t)-which : parent->pgid);
}

/* A child that has ended (or, if asked for, stopped), with a reference; or why there is none. */
static struct guest *find_child(struct guest *g, int64_t which, int options, int *err)
{
    struct guest *child, *found = NULL;
    *err = -ECHILD;
    spin_lock(&guest_table_lock);
    list_for_each_entry(child, &g->children, sibling) {
        if (!wanted(g, child, which))
            continue;
        *err = 0;
        bool stopped = child->state == GUEST_STOPPED && (options & WUNTRACED) && child->stop_news;
        bool ended = child->state == GUEST_ZOMBIE && (options & WEXITED);
        if (ended || stopped) {
            found = child;
            guest_get(found);
            break;
        }
    }
    spin_unlock(&guest_table_lock);
    return found;
}

/* Take what there is to know; the child is gone after unless it only stopped. */
static int64_t collect(struct guest *g, struct guest *child, int options, struct wait_result *out)
{
    out->pid = child->pid;
    out->run_ns = child->run_ns + child->child_run_ns;
    out->minflt = child->minflt;
    out->majflt = child->majflt;
    if (child->state == GUEST_STOPPED) {
        out->status = child->stop_signal << 8 | 0x7f;
        child->stop_news = (options & WNOWAIT) != 0;
    } else {
        out->status = child->exit_status;
        if (!(options & WNOWAIT)) {
            g->child_run_ns += out->run_ns;
            guest_reap(child);
        }
    }
    guest_put(child);
    return out->pid;
}

int64_t guest_wait_child(struct task *t, int64_t which, int options, struct wait_result *out)
{
    struct guest *g = t->guest, *child;
    struct wait_entry entry;
    int err;
    wait_entry_init(&entry);
    for (;;) {
        wait_prepare(&g->wait_child, &entry, THREAD_KILLABLE);
        child = find_child(g, which, options, &err);
        if (child || err || (options & WNOHANG))
            break;
        if (signal_pending(t)) {
            err = -EINTR;
            break;
        }
        schedule();
    }
    wait_finish(&g->wait_child, &entry);
    if (child)
        return collect(g, child, options, out);
    out->pid = 0;
    return err;
}
