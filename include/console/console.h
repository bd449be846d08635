/* SPDX-License-Identifier: MIT */
/*
 * console/console.h - the person's side of the monitor: a prompt, commands, jobs.
 */
#ifndef PAGODA_CONSOLE_CONSOLE_H
#define PAGODA_CONSOLE_CONSOLE_H

#include "base/format.h"
#include "base/types.h"

/** One place that commands run from: the prompt, a batch, or a background job. */
struct console {
    struct sink *out;         /* where commands print */
    int status;               /* $? : 0 good, else what the last command returned */
    bool foreground;          /* guests that it starts get the terminal and Ctrl-C */
    unsigned depth;           /* commands that run commands (time, repeat) inside each other */
    struct completion *begun; /* of a job: whoever started it waits until it runs; or NULL */
};

/** One command. @run returns its status, 0 for success; it prints to con->out. */
struct command {
    const char *name;
    const char *usage;   /* the words after the name: "ORDER [GFP] [NODE]" */
    const char *summary; /* one line, lower case, no full stop */
    const char *details; /* more for `help NAME`, lines ended by \n, or NULL */
    int (*run)(struct console *con, int argc, char **argv);
};

/** What was asked for runs now: the prompt may come back. */
void console_begun(struct console *con);

/** Add @n commands of one theme. @table must live for ever. Boot only. */
void console_register(const char *theme, const struct command *table, unsigned n);

/** The command called @name, or NULL. */
const struct command *command_find(const char *name);

/** Call @fn for every command, theme by theme, names in the order of their tables. */
void command_each(void (*fn)(const char *theme, const struct command *cmd, void *arg), void *arg);

/**
 * Print "NAME: what is wrong; what would do" as one line and return 1, the status of a command
 * that failed: `return command_fail(con, "alloc", "order %u is too big; use 0 to 10", order);`
 */
int command_fail(struct console *con, const char *name, const char *fmt, ...) format_printf(3, 4);

/** As command_fail, for wrong words: adds the usage of the command. Returns 2. */
int command_usage(struct console *con, const char *name);

/** The usage line of @cmd: "usage: NAME WORDS". */
void command_print_usage(struct sink *out, const struct command *cmd);

/** Parse and run a whole line. Returns the status of the last pipeline, which is also $?. */
int console_run_line(struct console *con, const char *line);

/** Run one command, or the guest of that name, from words already split. Thread context. */
int console_run_words(struct console *con, int argc, char **argv);

/** Register the commands of all themes. After the floors below are up. */
void console_init(void);

/** The first thing that runs tells what instret was, so that `bench` can count the boot. */
void console_boot_began(uint64_t instret);

/** Instructions from there to the first prompt (or the batch), on one hart. */
uint64_t boot_instructions(void);

/** Start the console's thread: it runs the batch of the guest archive, or else the prompt. */
void console_start(void);

/** True when Ctrl-C was typed since the foreground command began. Long commands ask it. */
bool console_interrupted(void);

#endif
