/* SPDX-License-Identifier: MIT */
/*
 * vdso.h - the pages at the top of each guest: [vvar] and [vdso].
 */
#ifndef PAGODA_TASK_VDSO_H
#define PAGODA_TASK_VDSO_H

#include "arch/layout.h"
#include "virt/mm.h"

/* The topmost page of user space stays free, as on Linux. */
#define VDSO_ADDR (USER_TOP - 2 * PAGE_SIZE)
#define VVAR_ADDR (VDSO_ADDR - PAGE_SIZE)

/** Where in the vdso handlers return to; the Makefile tells its linker script the same. */
#define VDSO_SIGRETURN_ADDR (VDSO_ADDR + VDSO_SIGRETURN)

/** Boot only. */
void vdso_init(void);

/** Map both pages into a new space. 0, -ENOMEM. */
int vdso_map(struct mm_struct *mm) must_check;

#endif
