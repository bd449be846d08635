/* SPDX-License-Identifier: MIT */
/*
 * cmd_views.c - commands that read and write the views: cat, ls, sysctl, echo.
 *
 *      cat /proc/buddyinfo          = what a guest reads from the same path
 *      echo 1 > /proc/sys/vm/...    = what a guest writes there
 *      sysctl vm.min_free_kbytes    = /proc/sys/vm/min_free_kbytes
 *
 * The console has no door of its own into the floors below: it reads what everyone can read.
 *
 * Locks: none.
 */
#include "console/cmd.h"

#include "base/errno.h"
#include "base/string.h"
#include "console/console.h"
#include "console/parse.h"
#include "file/root.h"
#include "file/viewfs.h"
#include "file/registry.h"

/* What an error of a view means to a person. */
static int view_failed(struct console *con, const char *cmd, const char *path, int err)
{
    switch (err) {
    case -ENOENT:
        return command_fail(con, cmd, "%s: no such file; 'ls' a directory to see what there is",
                            path);
    case -ESRCH:
        return command_fail(con, cmd, "%s: that guest has ended; 'ps' lists those that run", path);
    case -EISDIR:
        return command_fail(con, cmd, "%s: is a directory; use 'ls %s'", path, path);
    case -EACCES:
        return command_fail(con, cmd, "%s: is read-only; 'cat' it", path);
    case -EINVAL:
        return command_fail(con, cmd, "%s: bad value or binary file; 'cat' shows what is meant",
                            path);
    default:
        return command_fail(con, cmd, "%s: error %d", path, -err);
    }
}

/* A file's bytes, printed as they are. */
static int cat_file(struct console *con, struct inode *inode)
{
    char buf[256];
    uint64_t at = 0;
    for (;;) {
        pagoda_ssize_t n = inode_read(inode, buf, sizeof(buf), at);
        if (n <= 0)
            return n < 0;
        con->out->write(con->out, buf, (size_t)n);
        at += (uint64_t)n;
        if (console_interrupted())
            return 1;
    }
}

static int cmd_cat(struct console *con, int argc, char **argv)
{
    if (argc < 2)
        return command_usage(con, argv[0]);
    for (int i = 1; i < argc; i++) {
        int err, failed = 0;
        struct inode *inode = file_find(argv[i], &err);
        if (inode && viewfs_owns(inode))
            err = view_read(inode->text, con->out);
        else if (inode && inode_is(inode, S_IFDIR))
            err = -EISDIR;
        else if (inode)
            failed = cat_file(con, inode);
        inode_put(inode);
        if (failed)
            return command_fail(con, argv[0], "%s: cannot be read", argv[i]);
        if (err)
            return view_failed(con, argv[0], argv[i], err);
    }
    return 0;
}

static void print_entry(void *arg, const char *name, bool is_dir)
{
    print(arg, "%s%s\n", name, is_dir ? "/" : "");
}

static int cmd_ls(struct console *con, int argc, char **argv)
{
    const char *dir = argc > 1 ? argv[1] : "/";
    if (argc > 2)
        return command_usage(con, argv[0]);
    int err = file_list(dir, print_entry, con->out);
    if (err == -ENOTDIR)
        print(con->out, "%s\n", dir);
    return err && err != -ENOTDIR ? view_failed(con, argv[0], dir, err) : 0;
}

static int cmd_echo(struct console *con, int argc, char **argv)
{
    char text[SCRIPT_LINE];
    struct buffer_sink b;
    bool redirect = argc >= 3 && strcmp(argv[argc - 2], ">") == 0;
    int last = redirect ? argc - 2 : argc;
    buffer_sink_init(&b, text, sizeof(text));
    for (int i = 1; i < last; i++)
        print(&b.sink, "%s%s", i > 1 ? " " : "", argv[i]);
    print(&b.sink, "\n");
    if (!redirect) {
        print(con->out, "%s", text);
        return 0;
    }
    int err = file_store(argv[argc - 1], text, strlen(text));
    return err ? view_failed(con, argv[0], argv[argc - 1], err) : 0;
}

/* --- sysctl ---------------------------------------------------------------------------------- */

#define SYSCTL_ROOT "/proc/sys"

struct sysctl_walk {
    struct console *con;
    char path[VIEW_PATH];
};

static void dots_to_slashes(const char *name, char *path, size_t size)
{
    snprintf(path, size, SYSCTL_ROOT "/%s", name);
    for (char *p = path; *p; p++)
        if (*p == '.')
            *p = '/';
}

static int sysctl_show(struct console *con, const char *path)
{
    char name[VIEW_PATH];
    strlcpy(name, path + sizeof(SYSCTL_ROOT), sizeof(name));
    for (char *p = name; *p; p++)
        if (*p == '/')
            *p = '.';
    print(con->out, "%s = ", name);
    return view_read(path, con->out);
}

static void sysctl_entry(void *arg, const char *name, bool is_dir)
{
    struct sysctl_walk *walk = arg, inner = {.con = walk->con};
    snprintf(inner.path, sizeof(inner.path), "%s/%s", walk->path, name);
    if (is_dir) {
        if (view_list(inner.path, sysctl_entry, &inner))
            print(walk->con->out, "%s: vanished\n", inner.path);
    } else if (sysctl_show(walk->con, inner.path))
        print(walk->con->out, "(write-only)\n");
}

static int cmd_sysctl(struct console *con, int argc, char **argv)
{
    char path[VIEW_PATH];
    if (argc != 2)
        return command_usage(con, argv[0]);
    if (strcmp(argv[1], "-a") == 0) {
        struct sysctl_walk walk = {.con = con, .path = SYSCTL_ROOT};
        return view_list(walk.path, sysctl_entry, &walk) ? 1 : 0;
    }
    char *value = strchr(argv[1], '=');
    if (value)
        *value++ = '\0';
    dots_to_slashes(argv[1], path, sizeof(path));
    int err = value ? view_write(path, value, strlen(value)) : 0;
    if (!err)
        err = sysctl_show(con, path);
    return err ? view_failed(con, argv[0], path, err) : 0;
}

static const struct command commands[] = {
    {"cat", "PATH...", "print a view or a file of the guest archive",
     "The views are Linux's: /proc/buddyinfo, /proc/zoneinfo, /proc/PID/maps, ...\n", cmd_cat},
    {"ls", "[DIR]", "list views and files", NULL, cmd_ls},
    {"echo", "[WORD]... [> PATH]", "print words, or write them to a view",
     "echo 1 > /proc/sys/vm/compact_memory\n", cmd_echo},
    {"sysctl", "NAME[=VALUE] | -a", "show or change a setting",
     "vm.min_free_kbytes is /proc/sys/vm/min_free_kbytes; -a shows all.\n", cmd_sysctl},
};

void cmd_views_init(void)
{
    console_register("views", commands, ARRAY_SIZE(commands));
}
