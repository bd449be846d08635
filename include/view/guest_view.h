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

#endif
