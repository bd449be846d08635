/* SPDX-License-Identifier: MIT */
/*
 * view.c - all views, theme by theme: the table of contents of /proc and /sys.
 *
 * Locks: none; boot.
 */
#include "view/view.h"

void view_init(void)
{
    view_machine_init();
    view_buddyinfo_init();
    view_pagetypeinfo_init();
    view_zoneinfo_init();
    view_vmstat_init();
    view_meminfo_init();
    view_slabinfo_init();
    view_sysctl_init();
    view_sysctl_pressure_init();
    view_node_init();
    view_cpu_init();
    view_guest_init();
    view_guest_more_init();
    view_guest_space_init();
    view_guest_files_init();
    view_mounts_init();
    view_kconfig_init();
    view_sysctl_kernel_init();
    view_sysv_init();
    view_mqueue_init();
    view_uts_init();
    view_compat_init();
    view_maps_init();
    view_smaps_init();
    view_pagemap_init();
}
