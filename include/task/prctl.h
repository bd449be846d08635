/* SPDX-License-Identifier: MIT */
/*
 * prctl.h - what a guest has told of itself by prctl().
 */
#ifndef PAGODA_TASK_PRCTL_H
#define PAGODA_TASK_PRCTL_H

#include "base/types.h"

struct guest;

/** Zeroed is what a guest begins with. Letters as in guest.h. */
struct prctl_state {
    uint64_t timer_slack_ns; /* (c) told back: alarms here are exact; 0: the default */
    uint8_t pdeath_signal;   /* (T) what it gets when its parent ends, or 0 */
    uint8_t mce_policy;      /* (c) told back: no page of memory fails here */
    bool subreaper;          /* (T) orphans below it become its children */
    bool undumpable;         /* (a) only root may look into its memory */
    bool no_new_privs;       /* (c) told back: no program here gives rights */
    bool thp_disabled;       /* (c) told back: no page is huge */
};

/** What a child has of it, and what is left of it for the next program. */
struct prctl_state prctl_inherited(const struct guest *parent);
void prctl_exec(struct guest *g);

#endif
