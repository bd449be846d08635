/* SPDX-License-Identifier: MIT */
/*
 * view.h - the views by theme; each registers its table.
 */
#ifndef PAGODA_VIEW_VIEW_H
#define PAGODA_VIEW_VIEW_H

void view_init(void); /* all of them; boot, after the registry's numbers are known */

void view_buddyinfo_init(void);
void view_pagetypeinfo_init(void);
void view_zoneinfo_init(void);
void view_vmstat_init(void);
void view_meminfo_init(void);
void view_slabinfo_init(void);
void view_machine_init(void); /* cmdline, cpuinfo, uptime, loadavg, stat, iomem, swaps, version */
void view_node_init(void);    /* /sys/devices/system/node */
void view_cpu_init(void);     /* /sys/devices/system/cpu */
void view_compat_init(void);  /* what programs look for before they begin */
void view_sysv_init(void);    /* /proc/sysvipc, mounts, limits in /proc/sys/kernel */
void view_mqueue_init(void);  /* /proc/sys/fs/mqueue */
void view_uts_init(void);     /* the names in /proc/sys/kernel */
void view_guest_files_init(void);     /* /proc/self, /proc/PID: exe, cwd, root, fd, fdinfo */
void view_guest_init(void);           /* /proc/PID: status, stat, statm, cmdline, oom_score ... */
void view_guest_more_init(void);      /* /proc/PID: stat, comm, limits, task ... */
void view_guest_space_init(void);     /* /proc/PID: mem, environ, auxv */
void view_mounts_init(void);          /* /proc/mounts, /proc/PID/mountinfo, /proc/filesystems */
void view_kconfig_init(void);         /* /proc/config.gz */
void view_sysctl_kernel_init(void);   /* /proc/sys/kernel, /proc/sys/fs: what is only read */
void view_maps_init(void);            /* /proc/PID/maps */
void view_smaps_init(void);           /* /proc/PID/smaps, smaps_rollup, numa_maps */
void view_pagemap_init(void);         /* /proc/PID/pagemap, /proc/kpagecount, /proc/kpageflags */
void view_sysctl_init(void);          /* /proc/sys */
void view_sysctl_pressure_init(void); /* those of compaction and the OOM killer */

#endif
