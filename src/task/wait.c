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
#include "task/signal_set.h"
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

/* Children that were cloned with another signal than SIGCHLD are asked for apart. */
static bool right_kind(const struct guest *child, int options)
{
    bool clone = child->exit_signal != SIGCHLD;
    return (options & (int)W_ALL) || clone == !!(options & (int)W_CLONE);
}

/* Is there news of this child? Then *status, and it is news no more. guest_table_lock held. */
static bool take_news(struct guest *child, int options, int *status)
{
    bool *news = NULL;
    bool ended = false;
    spin_lock(&child->lock);
    if (child->state == GUEST_ZOMBIE && (options & WEXITED)) {
        ended = true;
        *status = child->exit_status;
    } else if (child->state == GUEST_STOPPED && (options & WUNTRACED) && child->stop_news) {
        news = &child->stop_news;
        *status = child->stop_signal << 8 | 0x7f;
    } else if (child->state == GUEST_RUNNING && (options & WCONTINUED) && child->continue_news) {
        news = &child->continue_news;
        *status = WAIT_CONTINUED;
    }
    if (news && !(options & WNOWAIT))
        *news = false;
    spin_unlock(&child->lock);
    return ended || news;
}

/*
 * A child of which there is news, with a reference; one that has ended is out of the table with
 * that, so that no other thread takes it too, and *gone says so. NULL: *err says why.
 */
static struct guest *find_child(struct guest *g, int64_t which, int options, int *status,
                                bool *gone, int *err)
{
    struct guest *child, *found = NULL;
    *err = -ECHILD;
    *gone = false;
    spin_lock(&guest_table_lock);
    list_for_each_entry(child, &g->children, sibling) {
        if (!wanted(g, child, which) || !right_kind(child, options))
            continue;
        *err = 0;
        if (take_news(child, options, status)) {
            found = child;
            break;
        }
    }
    if (found) {
        guest_get(found);
        *gone = found->state == GUEST_ZOMBIE && !(options & WNOWAIT);
        if (*gone)
            guest_leave_table_locked(found);
    }
    spin_unlock(&guest_table_lock);
    return found;
}

/* Take what there is to know. */
static int64_t collect(struct guest *g, struct guest *child, bool gone, struct wait_result *out)
{
    out->pid = child->pid;
    out->uid = child->cred.uid[ID_REAL];
    out->run_ns = guest_run_ns(child) + child->child_run_ns;
    out->minflt = child->minflt;
    out->majflt = child->majflt;
    if (gone) {
        spin_lock(&g->lock);
        g->child_run_ns += out->run_ns;
        spin_unlock(&g->lock);
        guest_put(child); /* the table's reference */
    }
    guest_put(child);
    return out->pid;
}

int64_t guest_wait_child(struct task *t, int64_t which, int options, struct wait_result *out)
{
    struct guest *g = t->guest, *child;
    struct wait_entry entry;
    bool gone;
    int err;
    wait_entry_init(&entry);
    for (;;) {
        wait_prepare(&g->wait_child, &entry, THREAD_KILLABLE);
        child = find_child(g, which, options, &out->status, &gone, &err);
        if (child || err || (options & WNOHANG))
            break;
        if (signal_pending(t)) {
            err = -ERESTARTSYS;
            break;
        }
        schedule();
    }
    wait_finish(&g->wait_child, &entry);
    if (child)
        return collect(g, child, gone, out);
    out->pid = 0;
    return err;
}
