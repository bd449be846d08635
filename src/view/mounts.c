/* SPDX-License-Identifier: MIT */
/*
 * mounts.c - what is mounted where: /proc/PID/mounts, mountinfo; /proc/filesystems.
 *
 * All guests see one tree, so /proc/mounts is a link to one's own.
 *
 * Locks: namespace_lock. Linux's counterpart: fs/proc_namespace.c, fs/filesystems.c.
 */
#include "file/path.h"
#include "file/registry.h"
#include "file/tmpfs.h"
#include "view/view.h"

static const char *options_of(const struct superblock *sb)
{
    return sb->read_only ? "ro,relatime" : "rw,relatime";
}

static const char *source_of(const struct superblock *sb)
{
    return *sb->source ? sb->source : sb->type;
}

static void print_mount(const struct superblock *sb, void *arg)
{
    print(arg, "%s %s %s %s 0 0\n", source_of(sb), sb->where, sb->type, options_of(sb));
}

static int show_mounts(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out, "rootfs / tmpfs rw,relatime 0 0\n");
    down_read(&namespace_lock);
    mount_each(print_mount, out);
    up_read(&namespace_lock);
    return 0;
}

static void print_info(struct sink *out, const struct superblock *sb, uint32_t parent,
                       const char *where, const char *source)
{
    print(out, "%u %u %u:%u / %s %s - %s %s %s\n", sb->mount_id, parent, sb->dev >> 8,
          sb->dev & 0xff, where, options_of(sb), sb->type, source, options_of(sb));
}

static void print_mountinfo(const struct superblock *sb, void *arg)
{
    print_info(arg, sb, sb->root->covers->sb->mount_id, sb->where, source_of(sb));
}

static int show_mountinfo(struct sink *out, const struct view_args *args)
{
    (void)args;
    print_info(out, root_fs, root_fs->mount_id, "/", "rootfs");
    down_read(&namespace_lock);
    mount_each(print_mountinfo, out);
    up_read(&namespace_lock);
    return 0;
}

static int show_filesystems(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out, "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tramfs\n");
    return 0;
}

static int link_mounts(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out, "self/mounts");
    return 0;
}

static const struct view views[] = {
    {.path = "/proc/mounts", .link = link_mounts},
    {.path = "/proc/filesystems", .show = show_filesystems},
    {.path = "/proc/%p/mounts", .show = show_mounts},
    {.path = "/proc/%p/mountinfo", .show = show_mountinfo},
};

void view_mounts_init(void)
{
    view_register(views, ARRAY_SIZE(views));
}
