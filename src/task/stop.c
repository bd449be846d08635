/* SPDX-License-Identifier: MIT */
/*
 * stop.c - stopping, going on, and who is told: job control.
 *
 *      SIGSTOP, SIGTSTP...: each task stays where it goes back to U-mode -- SIGCONT --> goes on
 *                |                                                             |
 *                `-> CLD_STOPPED, wait4(WUNTRACED)     CLD_CONTINUED, wait4(WCONTINUED)
 *
 *      a group is orphaned when no member's parent is in another group of the session: nobody
 *      would continue it. It does not stop by SIGTSTP, SIGTTIN, SIGTTOU; if it is stopped when it
 *      becomes orphaned, it gets SIGHUP and SIGCONT. The console is a parent in that sense.
 *
 * Locks: guest_table_lock, then guest->lock.
 * Linux's counterpart: do_signal_stop(), do_notify_parent_cldstop(), kill_orphaned_pgrp().
 */
#include "base/errno.h"
#include "task/guest_table.h"
#include "task/signal_set.h"

/* --- orphaned groups -------------------------------------------------------------------------- */

/* Does g's parent, outside of the group, look after it? `dying` does not. guest_table_lock held. */
static bool looked_after(const struct guest *g, const struct guest *dying)
{
    const struct guest *parent = g->parent;
    if (!parent)
        return g->of_console;
    return parent != dying && parent->pgid != g->pgid && parent->sid == g->sid &&
           parent->state < GUEST_ZOMBIE;
}

/* Is it orphaned, not counting `dying`? *stopped: a member is stopped. guest_table_lock held. */
static bool is_orphaned(uint32_t pgid, const struct guest *dying, bool *stopped)
{
    struct guest *g;
    *stopped = false;
    for (g = guest_first_locked(); g; g = guest_after_locked(g)) {
        if (g->pgid != pgid || g == dying || g->state >= GUEST_ZOMBIE)
            continue;
        if (looked_after(g, dying))
            return false;
        *stopped |= g->state == GUEST_STOPPED;
    }
    return true;
}

static void hang_up(uint32_t pgid)
{
    guest_kill_group(pgid, SIGHUP);
    guest_kill_group(pgid, SIGCONT);
}

/* A child whose group only g looked after; the group's number, or 0. guest_table_lock held. */
static uint32_t orphaned_child_group(const struct guest *g, uint32_t above)
{
    const struct guest *child;
    uint32_t found = 0;
    bool stopped;
    list_for_each_entry(child, &g->children, sibling) {
        if (child->pgid <= above || child->pgid == g->pgid || child->sid != g->sid ||
            (found && child->pgid >= found))
            continue;
        if (is_orphaned(child->pgid, g, &stopped) && stopped)
            found = child->pgid;
    }
    return found;
}

void stop_hang_up_orphans(struct guest *g)
{
    bool stopped;
    spin_lock(&guest_table_lock);
    bool own = looked_after(g, NULL) && is_orphaned(g->pgid, g, &stopped) && stopped;
    spin_unlock(&guest_table_lock);
    if (own)
        hang_up(g->pgid);
    for (uint32_t pgid = 0;;) {
        spin_lock(&guest_table_lock);
        pgid = orphaned_child_group(g, pgid);
        spin_unlock(&guest_table_lock);
        if (!pgid)
            return;
        hang_up(pgid);
    }
}

/* --- telling ---------------------------------------------------------------------------------- */

/* The parent may wait for stops too. */
static void tell_parent(struct guest *g, int code, int status)
{
    wake_up_all(&g->wait_exit); /* the console, if it started the guest */
    struct guest *parent = guest_parent(g);
    if (!parent)
        return;
    struct siginfo_words info = {.signo = SIGCHLD, .code = code};
    guest_child_info(g, status, &info);
    if (!(parent->actions[SIGCHLD - 1].flags & SA_NOCLDSTOP))
        guest_signal(parent, &info);
    wake_up_all(&parent->wait_child);
    guest_put(parent);
}

/* --- stopping and going on -------------------------------------------------------------------- */

/* False when SIGCONT came in the meantime, or the end. */
static bool stop_all(struct guest *g, int sig)
{
    struct task *t;
    spin_lock(&g->lock);
    bool stops = g->stop_dequeued && !g->group_exit;
    g->stop_dequeued = false;
    if (stops) {
        g->state = GUEST_STOPPED;
        g->stop_signal = (uint8_t)sig;
        g->stop_news = true;
        g->continue_news = g->continue_tell = false;
        list_for_each_entry(t, &g->tasks, guest_node) {
            thread_notify(t->thread);
            thread_wake(t->thread, THREAD_KILLABLE);
        }
    }
    spin_unlock(&g->lock);
    return stops;
}

void stop_begin(struct task *t, int sig)
{
    struct guest *g = t->guest;
    if (sig != SIGSTOP) {
        bool stopped;
        spin_lock(&guest_table_lock);
        bool orphaned = is_orphaned(g->pgid, NULL, &stopped);
        spin_unlock(&guest_table_lock);
        if (orphaned)
            return;
    }
    if (stop_all(g, sig))
        tell_parent(g, CLD_STOPPED, sig);
}

void stop_end_locked(struct guest *g)
{
    assert_locked(&g->lock);
    g->stop_dequeued = false;
    if (g->state != GUEST_STOPPED)
        return;
    g->state = GUEST_RUNNING;
    g->stop_news = false;
    g->continue_news = g->continue_tell = true;
    wake_up_all(&g->wait_resume);
}

void stop_stay(struct guest *g)
{
    int killed = wait_event_killable(&g->wait_resume, load_relaxed(&g->state) != GUEST_STOPPED);
    (void)killed; /* group_exit tells */
    spin_lock(&g->lock);
    bool tell = g->continue_tell;
    g->continue_tell = false;
    spin_unlock(&g->lock);
    if (tell)
        tell_parent(g, CLD_CONTINUED, SIGCONT);
}
