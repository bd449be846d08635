/* SPDX-License-Identifier: MIT */
/*
 * run.c - running what was parsed: pipelines one after the other, or beside each other.
 *
 *      a | grep x ; b & c
 *      \_pipeline_/  |   \_ pipeline: run here
 *        run here    `-- pipeline: run by a job (job.c)
 *
 * The first stage of a pipeline is a command or, when there is no such command, a guest; the
 * others are filters. The filters are set up from the last to the first, each printing into the
 * next, and the command prints into the first of them. Status: that of the last stage, as in a
 * shell, but a command that failed is not hidden by a filter that went well.
 *
 * Locks: none here.
 */
#include "console/run.h"

#include "base/errno.h"
#include "base/string.h"
#include "console/cmd_guest.h"
#include "console/filter.h"
#include "console/job.h"
#include "kern/completion.h"
#include "slab/kmalloc.h"

#define MAX_FILTERS 4
#define MAX_DEPTH 8

unsigned pipeline_end(const struct script *script, unsigned first)
{
    while (script->stages[first].link == LINK_PIPE)
        first++;
    return first;
}

void pipeline_text(const struct script *script, unsigned first, unsigned last, char *buf,
                   size_t size)
{
    struct buffer_sink b;
    buffer_sink_init(&b, buf, size);
    for (unsigned s = first; s <= last; s++) {
        const struct stage *stage = &script->stages[s];
        for (unsigned w = 0; w < stage->argc; w++)
            print(&b.sink, "%s%s", w ? " " : "", script->words[stage->first + w]);
        print(&b.sink, "%s", s < last ? " | " : "");
    }
}

void console_begun(struct console *con)
{
    struct completion *begun = con->begun;
    con->begun = NULL;
    if (begun)
        complete(begun);
}

/* Does it run another command or a guest, so that it has begun when that has? */
static bool starts_another(const struct command *cmd)
{
    static const char *const names[] = {"run", "time", "repeat"};
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(cmd->name, names[i]))
            return true;
    return false;
}

int console_run_words(struct console *con, int argc, char **argv)
{
    const struct command *cmd = command_find(argv[0]);
    if (con->depth == MAX_DEPTH)
        return command_fail(con, argv[0], "commands are nested too deeply; use at most %u levels",
                            MAX_DEPTH);
    if (filter_exists(argv[0]) && !cmd)
        return command_fail(con, argv[0], "is a filter; put it behind a '|'");
    con->depth++;
    if (cmd && !starts_another(cmd))
        console_begun(con);
    int status = cmd ? cmd->run(con, argc, argv) : guest_run_words(con, argc, argv);
    con->depth--;
    return status;
}

/* Put the status of the command before into each unquoted $?. */
static void expand_status(const struct console *con, struct script *script,
                          const struct stage *stage, char *digits, size_t size)
{
    snprintf(digits, size, "%d", con->status);
    for (unsigned i = stage->first; i < stage->first + stage->argc; i++)
        if (script->is_status[i])
            script->words[i] = digits;
}

/* Start the filters of stages @first+1 .. @last. Returns how many run, or -1 after a message. */
static int start_filters(struct console *con, struct script *script, unsigned first, unsigned last,
                         struct filter *filters)
{
    struct sink *next = con->out;
    unsigned n = last - first;
    for (unsigned i = n; i-- > 0;) {
        const struct stage *stage = &script->stages[first + 1 + i];
        char **argv = &script->words[stage->first];
        int err = filter_exists(argv[0]) ? filter_start(&filters[i], next, (int)stage->argc, argv)
                                         : -ENOENT;
        if (err) {
            for (unsigned k = i + 1; k < n; k++)
                (void)filter_finish(&filters[k]);
            if (err == -ENOENT)
                command_fail(con, argv[0], "is no filter; use grep, head, tail or wc");
            else if (err == -ENOMEM)
                command_fail(con, argv[0], "no memory; try again when a guest has ended");
            else
                command_fail(con, argv[0], "wrong words; usage: %s %s", argv[0],
                             filter_usage(argv[0]));
            return -1;
        }
        next = &filters[i].sink;
    }
    return (int)n;
}

int pipeline_run(struct console *con, struct script *script, unsigned first, unsigned last)
{
    const struct stage *stage = &script->stages[first];
    char **argv = &script->words[stage->first];
    struct filter *filters = NULL;
    char digits[12];
    int status, n = 0;

    if (last - first > MAX_FILTERS)
        return con->status =
                   command_fail(con, argv[0], "at most %u filters may follow", MAX_FILTERS);
    expand_status(con, script, stage, digits, sizeof(digits));
    struct console inner = *con;
    if (last > first) {
        filters = kcalloc(last - first, sizeof(*filters), GFP_KERNEL);
        if (!filters)
            return con->status = command_fail(con, argv[0],
                                              "no memory for its filters; "
                                              "try again when a guest has ended");
        n = start_filters(con, script, first, last, filters);
        if (n < 0) {
            kfree(filters);
            return con->status = 2;
        }
        inner.out = &filters[0].sink;
    }
    con->begun = NULL; /* the inner one says it */
    status = console_run_words(&inner, (int)stage->argc, argv);
    for (int i = 0; i < n; i++) {
        int filtered = filter_finish(&filters[i]);
        if (!status)
            status = filtered;
    }
    kfree(filters);
    con->begun = inner.begun;
    return con->status = status;
}

/* The stages of a line, in turn. */
static int run_script(struct console *con, struct script *script)
{
    for (unsigned first = 0; first < script->nr_stages;) {
        unsigned last = pipeline_end(script, first);
        if (script->stages[last].link == LINK_BACKGROUND) {
            int job = job_start(con->out, script, first);
            con->status = job < 0 ? command_fail(con, "&",
                                                 "cannot start a job (%d); wait for "
                                                 "those that run",
                                                 job)
                                  : 0;
        } else {
            pipeline_run(con, script, first, last);
            if (console_interrupted())
                break;
        }
        first = last + 1;
    }
    return con->status;
}

int console_run_line(struct console *con, const char *line)
{
    const char *why;
    struct script *script = kmalloc(sizeof(*script), GFP_KERNEL);
    if (!script)
        return con->status = command_fail(con, "console",
                                          "no memory to read the line; kill a "
                                          "guest (ps, kill)");
    if (script_parse(line, script, &why))
        con->status = command_fail(con, "console", "%s; see 'help console'", why) + 1;
    else
        run_script(con, script);
    kfree(script);
    return con->status;
}
