/* SPDX-License-Identifier: MIT */
/*
 * sysctl_pressure.c - /proc/sys/vm: the settings of compaction and of the OOM killer.
 *
 * Locks: none; a setting is one word.
 */
#include "pressure/compaction.h"
#include "pressure/oom.h"
#include "view/sysctl.h"
#include "view/view.h"

SETTING(panic_on_oom, sysctl_panic_on_oom, 0, 2, (void)0)
SETTING(oom_kill_allocating_task, sysctl_oom_kill_allocating_task, 0, 1, (void)0)
SETTING(oom_dump_tasks, sysctl_oom_dump_tasks, 0, 1, (void)0)
SETTING(extfrag_threshold, sysctl_extfrag_threshold, 0, 1000, (void)0)

/* Write-only, as on Linux: 1 starts it. */
static int show_nothing(struct sink *out, const struct view_args *args)
{
    (void)out;
    (void)args;
    return -EACCES;
}

static int store_compact(const char *text, size_t n, const struct view_args *args)
{
    uint64_t v;
    int err = sysctl_number(text, n, 1, 1, &v);
    (void)args;
    if (!err)
        compact_all_nodes();
    return err;
}

#define VM "/proc/sys/vm"

static const struct view views[] = {
    SETTING_ROW(VM, panic_on_oom),
    SETTING_ROW(VM, oom_kill_allocating_task),
    SETTING_ROW(VM, oom_dump_tasks),
    SETTING_ROW(VM, extfrag_threshold),
    {.path = VM "/compact_memory", .mode = 0200, .show = show_nothing, .store = store_compact},
};

void view_sysctl_pressure_init(void)
{
    view_register(views, ARRAY_SIZE(views));
}
