/* SPDX-License-Identifier: MIT */
/*
 * command.c - the commands by name, and how a command fails.
 *
 *      themes:  memory  -> { alloc, free, page, ... }
 *               guests  -> { run, ps, kill, ... }          tables registered at boot
 *               machine -> { help, dmesg, reboot, ... }
 *
 * Locks: none; tables are registered at boot and only read afterwards.
 */
#include "console/console.h"

#include "base/string.h"
#include "kern/panic.h"

#define MAX_THEMES 12

static struct {
    const char *name;
    const struct command *commands;
    unsigned n;
} themes[MAX_THEMES];
static unsigned nr_themes;

void console_register(const char *theme, const struct command *table, unsigned n)
{
    BUG_ON(nr_themes == MAX_THEMES);
    themes[nr_themes].name = theme;
    themes[nr_themes].commands = table;
    themes[nr_themes++].n = n;
}

const struct command *command_find(const char *name)
{
    for (unsigned t = 0; t < nr_themes; t++)
        for (unsigned i = 0; i < themes[t].n; i++)
            if (strcmp(themes[t].commands[i].name, name) == 0)
                return &themes[t].commands[i];
    return NULL;
}

void command_each(void (*fn)(const char *theme, const struct command *cmd, void *arg), void *arg)
{
    for (unsigned t = 0; t < nr_themes; t++)
        for (unsigned i = 0; i < themes[t].n; i++)
            fn(themes[t].name, &themes[t].commands[i], arg);
}

int command_fail(struct console *con, const char *name, const char *fmt, ...)
{
    va_list args;
    print(con->out, "%s: ", name);
    va_start(args, fmt);
    vprint(con->out, fmt, args);
    va_end(args);
    print(con->out, "\n");
    return 1;
}

void command_print_usage(struct sink *out, const struct command *cmd)
{
    print(out, "usage: %s%s%s\n", cmd->name, cmd->usage[0] ? " " : "", cmd->usage);
}

int command_usage(struct console *con, const char *name)
{
    const struct command *cmd = command_find(name);
    print(con->out, "%s: wrong words; ", name);
    if (cmd)
        command_print_usage(con->out, cmd);
    return 2;
}
