/* SPDX-License-Identifier: MIT */
/*
 * syscall_absent.h - names of calls that programs ask for and that are not there, for the report.
 */
SYSCALL(26, inotify_init1)
SYSCALL(117, ptrace)
SYSCALL(142, reboot)
SYSCALL(277, seccomp)
