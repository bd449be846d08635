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
 * A graded run is built with a key that is made for it (BATCH_KEY). Then each `end` carries two
 * signatures: of its number and status, and of these and all that the command printed here. What
 * is printed past the console has no part in them.
 *
 * Locks: none; the console's thread runs it.
 */
#include "console/batch.h"

#include "base/format.h"
#include "base/siphash.h"
#include "base/string.h"
#include "console/parse.h"
#include "file/root.h"
#include "kern/serial.h"

#define RECORD "\x1e"

#ifdef CONFIG_BATCH_KEY
static const uint64_t batch_key[2] = {CONFIG_BATCH_KEY};
#define SIGNED true
#else
static const uint64_t batch_key[2];
#define SIGNED false
#endif

/* The batch's own writer: it must know whether the last line was ended, and what to sign. */
struct batch_sink {
    struct sink sink;
    struct sink *next;
    bool line_open;
    struct siphash printed;
};

static void batch_write(struct sink *sink, const char *bytes, size_t n)
{
    struct batch_sink *b = container_of(sink, struct batch_sink, sink);
    if (n)
        b->line_open = bytes[n - 1] != '\n';
    if (SIGNED)
        siphash_add(&b->printed, bytes, n);
    b->next->write(b->next, bytes, n);
}

static void record(const char *fmt, ...) format_printf(1, 2);

static void record(const char *fmt, ...)
{
    char text[80];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    serial_write_raw(text, (size_t)n);
}

/* The end of command @index; in a signed run with what only who has the key could say. */
static void record_end(struct batch_sink *b, uint32_t index, int32_t status)
{
    struct siphash alone;
    if (!SIGNED) {
        record(RECORD "end %u %d\n", index, status);
        return;
    }
    siphash_init(&alone, batch_key);
    siphash_add(&alone, &index, sizeof(index));
    siphash_add(&alone, &status, sizeof(status));
    siphash_add(&b->printed, &index, sizeof(index));
    siphash_add(&b->printed, &status, sizeof(status));
    record(RECORD "end %u %d %016lx %016lx\n", index, status, siphash_end(&alone),
           siphash_end(&b->printed));
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
        siphash_init(&out.printed, batch_key);
        int status = console_run_line(con, line);
        if (out.line_open)
            print(con->out, "\n");
        record_end(&out, i, status);
    }
    con->out = out.next;
    inode_put(file);
    record(RECORD "done\n");
    return true;
}
