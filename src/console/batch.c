/* SPDX-License-Identifier: MIT */
/*
 * batch.c - commands that came with the guest archive, run without a person.
 *
 *      /etc/pagoda.batch:   nodes \n zones \n check \n
 *
 *      <1e>batch 3          the launcher reads these records (docs/console.md, "Batch protocol")
 *      pagoda> nodes        and takes them out of what it shows
 *      <1e>begin 0
 *      ...output...
 *      <1e>end 0 0
 *
 * Each record is written in one piece, so that no other writer can come between its bytes.
 *
 * Locks: none; the console's thread runs it.
 */
#include "console/batch.h"

#include "base/format.h"
#include "base/string.h"
#include "console/parse.h"
#include "file/root.h"
#include "kern/serial.h"

#define RECORD "\x1e"

/* The batch's own writer: it must know whether the last line was ended. */
struct batch_sink {
    struct sink sink;
    struct sink *next;
    bool line_open;
};

static void batch_write(struct sink *sink, const char *bytes, size_t n)
{
    struct batch_sink *b = container_of(sink, struct batch_sink, sink);
    if (n)
        b->line_open = bytes[n - 1] != '\n';
    b->next->write(b->next, bytes, n);
}

static void record(const char *fmt, ...) format_printf(1, 2);

static void record(const char *fmt, ...)
{
    char text[64];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    serial_write_raw(text, (size_t)n);
}

/* The line that begins at byte *@at of the file, without its newline. False at the end. */
static bool next_line(struct inode *file, uint64_t *at, char *line, size_t size)
{
    size_t used = 0;
    char c = 0;
    bool any = false;
    while (inode_read(file, &c, 1, *at) == 1) {
        (*at)++;
        any = true;
        if (c == '\n')
            break;
        if (used + 1 < size)
            line[used++] = c;
    }
    line[used] = '\0';
    return any;
}

static unsigned count_lines(struct inode *file)
{
    char line[SCRIPT_LINE];
    uint64_t at = 0;
    unsigned n = 0;
    while (next_line(file, &at, line, sizeof(line)))
        n++;
    return n;
}

bool batch_run(struct console *con, const char *prompt)
{
    int err;
    struct inode *file = file_find(BATCH_FILE, &err);
    struct batch_sink out = {.sink = {batch_write}, .next = con->out};
    char line[SCRIPT_LINE];
    uint64_t at = 0;
    if (!file)
        return false;
    record(RECORD "batch %u\n", count_lines(file));
    con->out = &out.sink;
    for (unsigned i = 0; next_line(file, &at, line, sizeof(line)); i++) {
        print(con->out, "%s%s\n", prompt, line);
        record(RECORD "begin %u\n", i);
        int status = console_run_line(con, line);
        if (out.line_open)
            print(con->out, "\n");
        record(RECORD "end %u %d\n", i, status);
    }
    con->out = out.next;
    inode_put(file);
    record(RECORD "done\n");
    return true;
}
