/* SPDX-License-Identifier: MIT */
/*
 * guest_view.h - what the views of one guest share.
 */
#ifndef PAGODA_VIEW_GUEST_VIEW_H
#define PAGODA_VIEW_GUEST_VIEW_H

#include "file/registry.h"
#include "task/guest.h"

/** Call @show for the guest whose pid is in the path, its mm (NULL: ended) referenced. */
int with_guest(struct sink *out, const struct view_args *args,
               int (*show)(struct sink *, struct guest *, struct mm_struct *));

/** Of which task the line in /proc/PID/stat is, and how it is there: 'R', 'S', ... */
struct stat_of {
    uint32_t tid;
    const char *name;
    char state;
};

/** The line of /proc/PID/stat; @mm NULL: the guest has ended. */
void guest_print_stat(struct sink *out, struct guest *g, struct mm_struct *mm,
                      const struct stat_of *of);

#endif
