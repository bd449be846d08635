/* SPDX-License-Identifier: MIT */
/*
 * kill.c - signals by number of a guest or a group: from the console, the terminal, the monitor.
 *
 * Locks: guest_table_lock for each step along the table. Linux's counterpart: kill_pgrp_info().
 */
#include "base/errno.h"
#include "task/guest_table.h"
#include "task/signal_set.h"

int guest_kill(uint32_t pid, int sig)
{
    struct siginfo_words info = {.signo = sig, .code = SI_USER};
    if (sig < 0 || sig > NSIG)
        return -EINVAL;
    struct guest *g = guest_find(pid);
    if (!g)
        return -ESRCH;
    if (sig)
        guest_signal(g, &info);
    guest_put(g);
    return 0;
}

unsigned guest_kill_group(uint32_t pgid, int sig)
{
    struct guest *g;
    unsigned n = 0;
    for (uint32_t from = 1; (g = guest_next(from)) != NULL; from = g->pid + 1, guest_put(g)) {
        if (load_relaxed(&g->pgid) == pgid)
            n += guest_kill(g->pid, sig) == 0;
    }
    return n;
}

bool guest_group_exists(uint32_t pgid, uint32_t sid)
{
    struct guest *g;
    bool found = false;
    for (uint32_t from = 1; (g = guest_next(from)) != NULL; from = g->pid + 1, guest_put(g))
        found |= load_relaxed(&g->pgid) == pgid && load_relaxed(&g->sid) == sid;
    return found;
}

unsigned guest_kill_all(int sig, uint32_t except)
{
    struct siginfo_words info = {.signo = sig, .code = SI_USER};
    unsigned n = 0;
    struct guest *g;
    for (uint32_t pid = 1; (g = guest_next(pid)); guest_put(g)) {
        pid = g->pid + 1;
        if (g->pid == except || load_relaxed(&g->state) >= GUEST_ZOMBIE)
            continue;
        guest_signal(g, &info);
        n++;
    }
    return n;
}
