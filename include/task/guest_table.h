/* SPDX-License-Identifier: MIT */
/*
 * guest_table.h - making guests and letting them go, between the files of the task floor.
 */
#ifndef PAGODA_TASK_GUEST_TABLE_H
#define PAGODA_TASK_GUEST_TABLE_H

#include "task/guest.h"

extern struct spinlock guest_table_lock;

/** Boot only. */
void guest_table_init(void);

/** A guest with one reference, in no table. NULL when out of memory. */
struct guest *guest_alloc(void);

/** Give it a pid and a place; the table takes a reference. 0, or -EAGAIN: no pid is free. */
int guest_enter_table(struct guest *g, struct guest *parent) must_check;

/** It is gone for good; the caller drops the table's reference after the lock. */
void guest_leave_table_locked(struct guest *g);

/** The table's first guest, and the one after g. guest_table_lock held. */
struct guest *guest_first_locked(void);
struct guest *guest_after_locked(struct guest *g);

/** A number for a thread that is not its guest's first. */
uint32_t pid_for_thread(void);

#endif
