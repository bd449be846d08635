/* SPDX-License-Identifier: MIT */
/*
 * trace.c - which counters did a command move?
 *
 *      pagoda> trace hello
 *      ...                             before:  pgfault 120        after:  pgfault 187
 *      pgfault                  +67
 *      nr_page_table_pages       +0    (not shown)
 *
 * The counters are those of /proc/vmstat, read by the same view; so what is counted there can be
 * traced here, and nothing needs to be traced twice. What other guests do meanwhile counts too.
 *
 * Locks: none.
 */
#include "base/parse.h"
#include "base/string.h"
#include "console/cmd.h"
#include "console/console.h"
#include "file/registry.h"
#include "slab/kmalloc.h"

#define TEXT_MAX 8192 /* /proc/vmstat is about 2 KiB */

static char *snapshot(void)
{
    char *text = kmalloc(TEXT_MAX, GFP_KERNEL);
    struct buffer_sink b;
    if (!text)
        return NULL;
    buffer_sink_init(&b, text, TEXT_MAX);
    if (!view_read("/proc/vmstat", &b.sink))
        return text;
    kfree(text);
    return NULL;
}

/* "name 123\n" at *@text: the name's length and the number; moves *@text to the next line. */
static size_t take_line(const char **text, uint64_t *value)
{
    const char *start = *text, *blank = strchr(start, ' ');
    if (!blank)
        return 0;
    *value = 0;
    const char *p = blank + 1;
    for (; *p >= '0' && *p <= '9'; p++)
        *value = *value * 10 + (uint64_t)(*p - '0');
    *text = *p ? p + 1 : p;
    return (size_t)(blank - start);
}

/* Both texts have the same lines in the same order. */
static void print_changes(struct sink *out, const char *before, const char *after)
{
    for (;;) {
        const char *name = after;
        uint64_t old, new;
        size_t n = take_line(&after, &new);
        if (!n || !take_line(&before, &old))
            return;
        if (new != old)
            print(out, "%-32.*s %+ld\n", (int)n, name, (int64_t)(new - old));
    }
}

static int cmd_trace(struct console *con, int argc, char **argv)
{
    if (argc < 2)
        return command_usage(con, argv[0]);
    char *before = snapshot();
    int status = before ? console_run_words(con, argc - 1, argv + 1) : 1;
    char *after = before ? snapshot() : NULL;
    if (after)
        print_changes(con->out, before, after);
    else
        command_fail(con, argv[0], "no memory for the counters; try again when a guest has ended");
    kfree(before);
    kfree(after);
    return status;
}

static const struct command commands[] = {
    {"trace", "CMD [ARG]...", "run a command and show which counters it moved",
     "The counters are those of /proc/vmstat. What other guests do meanwhile is counted too.\n",
     cmd_trace},
};

void cmd_trace_init(void)
{
    console_register("tracing", commands, ARRAY_SIZE(commands));
}
