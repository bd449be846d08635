/* SPDX-License-Identifier: MIT */
/*
 * move.h - moving one page to a node on request.
 */
#ifndef PAGODA_PRESSURE_MOVE_H
#define PAGODA_PRESSURE_MOVE_H

#include "phys/page.h"

/**
 * Move the page, whose reference is used up. 0 (also when it lies there already), -EBUSY (somebody
 * uses it), -ENOMEM (no memory on that node). Thread context; lru_add_drain_all() before.
 */
int move_page_to_node(struct page *page, int nid);

#endif
