/* SPDX-License-Identifier: MIT */
/*
 * log.h - what the monitor says of itself: a ring of lines, and those that reach the serial line.
 *
 *      pr_info("...")  -->  line in the ring (dmesg)  -->  serial line, if level < loglevel
 *
 *      [    0.013402] zone DMA32: 131072 pages
 *
 * A message may hold several lines; each becomes a record of its own. One '\n' at the end is
 * allowed and means nothing. Lines longer than LOG_LINE_MAX are cut.
 *
 * Locks: RANK_LOG inside; may be called from anywhere, with any lock held, on any hart. A line is
 * never mixed with a line of another hart.
 * Linux's counterpart: printk and its ring buffer.
 */
#ifndef PAGODA_KERN_LOG_H
#define PAGODA_KERN_LOG_H

#include "base/format.h"
#include "base/types.h"

#define LOG_SIZE KIB(64) /* of the ring */
#define LOG_LINE_MAX 320

enum log_level {
    LOG_EMERG = 0,
    LOG_ALERT,
    LOG_CRIT,
    LOG_ERR,
    LOG_WARN,
    LOG_NOTICE,
    LOG_INFO,
    LOG_DEBUG,
};

void log_print(enum log_level level, const char *fmt, ...) format_printf(2, 3);
void log_vprint(enum log_level level, const char *fmt, va_list args);

#define pr_emerg(...) log_print(LOG_EMERG, __VA_ARGS__)
#define pr_err(...) log_print(LOG_ERR, __VA_ARGS__)
#define pr_warn(...) log_print(LOG_WARN, __VA_ARGS__)
#define pr_notice(...) log_print(LOG_NOTICE, __VA_ARGS__)
#define pr_info(...) log_print(LOG_INFO, __VA_ARGS__)
#define pr_debug(...) log_print(LOG_DEBUG, __VA_ARGS__)

/** Messages of a level below this one also go to the serial line (Linux's loglevel=). */
void log_set_level(int level);
int log_get_level(void);

/**
 * A sink whose lines become log records, for reports written by functions that take a sink.
 * Lies on the caller's stack; log_sink_flush() logs an unfinished last line.
 */
struct log_sink {
    struct sink sink;
    enum log_level level;
    uint32_t len;
    char line[LOG_LINE_MAX];
};
void log_sink_init(struct log_sink *s, enum log_level level);
void log_sink_flush(struct log_sink *s);

/* --- reading it back ------------------------------------------------------------------------- */

/** A reader's place: the number of the next record. Start with {0}. */
struct log_cursor {
    uint64_t next;
};

struct log_record {
    uint64_t seq, time; /* records before it; ns */
    uint8_t level;
    uint16_t len;
    char text[LOG_LINE_MAX]; /* without a NUL */
};

/** The next record as it is. False: the reader has caught up. */
bool log_read_record(struct log_cursor *cursor, struct log_record *out);

/**
 * Copy the next record, stamped, without a newline and with a final NUL, into buf.
 * Returns its length, or 0 when the reader has caught up. Records lost to the ring are skipped.
 */
size_t log_read(struct log_cursor *cursor, char *buf, size_t size);

/** All of the ring into a sink, a line each: dmesg. May take long; no lock held while it writes. */
void log_dump(struct sink *out);

/** Records ever written, and those that the ring has already dropped. */
uint64_t log_records(void);
uint64_t log_dropped(void);

#endif
