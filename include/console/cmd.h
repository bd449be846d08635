/* SPDX-License-Identifier: MIT */
/*
 * console/cmd.h - the themes of commands; each registers its table at boot.
 */
#ifndef PAGODA_CONSOLE_CMD_H
#define PAGODA_CONSOLE_CMD_H

void cmd_machine_init(void);  /* help, dmesg, time, repeat, selftest, check, reboot, poweroff */
void cmd_views_init(void);    /* cat, ls, sysctl, echo */
void cmd_memory_init(void);   /* nodes, zones, buddyinfo, pcp, page, alloc, free, compact, oom */
void cmd_pressure_init(void); /* compact, reclaim, oom */
void cmd_memmap_init(void);   /* memmap: a zone drawn in the terminal */
void cmd_guest_init(void);    /* run, ps, top, kill, pause, resume, wait */
void cmd_space_init(void);    /* pt, vma */
void cmd_trace_init(void);    /* trace */
void cmd_bench_init(void);    /* bench */

#endif
