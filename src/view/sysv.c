/* SPDX-License-Identifier: MIT */
/*
 * sysv.c - /proc/sysvipc/shm and its limits; what is mounted; /proc/sys/kernel for guests.
 *
 * Locks: those of what is looked at. Linux's counterpart: ipc/util.c, fs/proc_namespace.c.
 */
#include "base/errno.h"
#include "file/path.h"
#include "file/registry.h"
#include "task/guest_table.h"
#include "task/sysv_shm.h"
#include "view/sysctl.h"
#include "view/view.h"

static void print_segment(const struct shm_segment *s, void *arg)
{
    print(arg, "%10u %10d  %4o %21lu %5u %5u  ", s->key, s->id, s->mode, s->mapping.size, s->cpid,
          s->lpid);
    print(arg, "%5lu %5u %5u %5u %5u %10lu %10lu %10lu %21lu %21u\n", s->nattch, s->uid, s->gid,
          s->cuid, s->cgid, s->atime, s->dtime, s->ctime, s->mapping.pages.count * PAGE_SIZE, 0);
}

static int show_shm(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out,
          "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid"
          "  cgid      atime      dtime      ctime                   rss                  swap\n");
    shm_each(print_segment, out);
    return 0;
}

static void print_mount(const struct superblock *sb, void *arg)
{
    print(arg, "%s %s %s rw 0 0\n", sb->type, sb->where, sb->type);
}

static int show_mounts(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out, "rootfs / tmpfs rw 0 0\n");
    down_read(&namespace_lock);
    mount_each(print_mount, out);
    up_read(&namespace_lock);
    return 0;
}

static int show_filesystems(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out, "nodev\ttmpfs\nnodev\tproc\nnodev\tsysfs\n");
    return 0;
}

static int show_text(struct sink *out, const char *text)
{
    print(out, "%s\n", text);
    return 0;
}

static int show_ostype(struct sink *out, const struct view_args *args)
{
    (void)args;
    return show_text(out, "Linux");
}

static int show_osrelease(struct sink *out, const struct view_args *args)
{
    (void)args;
    return show_text(out, "6.12.0-pagoda");
}

static int show_pid_max(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out, "%u\n", PID_MAX);
    return 0;
}

static int show_shmmni(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out, "%u\n", SHM_MNI);
    return 0;
}

SETTING(shmmax, sysctl_shmmax, 0, UINT64_MAX, (void)0)
SETTING(shmall, sysctl_shmall, 0, UINT64_MAX, (void)0)

#define KERNEL "/proc/sys/kernel"

static const struct view views[] = {
    {.path = "/proc/sysvipc/shm", .show = show_shm},
    {.path = "/proc/mounts", .show = show_mounts},
    {.path = "/proc/%p/mounts", .show = show_mounts},
    {.path = "/proc/filesystems", .show = show_filesystems},
    {.path = KERNEL "/ostype", .show = show_ostype},
    {.path = KERNEL "/osrelease", .show = show_osrelease},
    {.path = KERNEL "/pid_max", .show = show_pid_max},
    {.path = KERNEL "/shmmni", .show = show_shmmni},
    SETTING_ROW(KERNEL, shmmax),
    SETTING_ROW(KERNEL, shmall),
};

void view_sysv_init(void)
{
    view_register(views, ARRAY_SIZE(views));
}
