/* SPDX-License-Identifier: MIT */
/*
 * log.c - the ring of lines.
 *
 *      ring, 64 KiB; positions only grow, position & (LOG_SIZE - 1) is the byte
 *
 *           tail                                   head
 *            v                                      v
 *      ------[rec|text...][rec|text.][rec|text....]--------
 *            oldest record                          next goes here
 *
 * A record may wrap around the end of the ring. Writing one pushes the tail on, whole records at a
 * time, until it fits. A reader's cursor is a position; when the tail has passed it, it has lost
 * those records and goes on at the tail.
 *
 * Locks: log_lock (RANK_LOG) over ring, head and tail, and held while the line goes out, so that
 * the serial line shows the ring's order.
 * Invariants: tail <= head <= tail + LOG_SIZE; both lie at the start of a record.
 * Linux's counterpart: kernel/printk/printk_ringbuffer.c, which does it without the lock.
 */
#include "kern/log.h"

#include "base/string.h"
#include "kern/lock.h"
#include "kern/percpu.h"
#include "kern/serial.h"
#include "kern/timer.h"

#define STAMP_MAX 24 /* "[    0.000000] " with room for a long uptime */
#define DEFAULT_LEVEL (LOG_INFO + 1)

struct record {
    uint64_t time; /* ns */
    uint64_t seq;  /* how many were before it */
    uint16_t len;  /* of the text that follows */
    uint8_t level;
    uint8_t hart;
    uint32_t magic; /* RECORD_MAGIC: a wrong cursor shows here */
};
#define RECORD_MAGIC 0x6c6f6721u

static struct spinlock log_lock = SPINLOCK_INIT("log", RANK_LOG);
static char ring[LOG_SIZE];
static uint64_t head, tail;
static uint64_t nr_records, nr_dropped;
static int console_level = DEFAULT_LEVEL;

static void ring_put(uint64_t pos, const void *src, size_t n)
{
    size_t at = pos & (LOG_SIZE - 1);
    size_t first = MIN(n, LOG_SIZE - at);
    memcpy(ring + at, src, first);
    memcpy(ring, (const char *)src + first, n - first);
}

static void ring_get(uint64_t pos, void *dst, size_t n)
{
    size_t at = pos & (LOG_SIZE - 1);
    size_t first = MIN(n, LOG_SIZE - at);
    memcpy(dst, ring + at, first);
    memcpy((char *)dst + first, ring, n - first);
}

static void append_locked(const struct record *rec, const char *text)
{
    assert_locked(&log_lock);
    size_t need = sizeof(*rec) + rec->len;
    while (head + need - tail > LOG_SIZE) {
        struct record oldest;
        ring_get(tail, &oldest, sizeof(oldest));
        tail += sizeof(oldest) + oldest.len;
        nr_dropped++;
    }
    ring_put(head, rec, sizeof(*rec));
    ring_put(head + sizeof(*rec), text, rec->len);
    head += need;
    nr_records++;
}

static size_t format_stamp(char *buf, size_t size, uint64_t ns)
{
    uint64_t us = ns / NSEC_PER_USEC;
    return (size_t)snprintf(buf, size, "[%5llu.%06llu] ", (unsigned long long)(us / 1000000),
                            (unsigned long long)(us % 1000000));
}

static void log_line(enum log_level level, const char *text, size_t len)
{
    struct record rec = {.time = now_ns(),
                         .len = (uint16_t)len,
                         .level = (uint8_t)level,
                         .hart = (uint8_t)hart_index(),
                         .magic = RECORD_MAGIC};
    char out[STAMP_MAX + LOG_LINE_MAX + 1];

    spin_lock(&log_lock);
    rec.seq = nr_records;
    append_locked(&rec, text);
    if ((int)level < console_level) {
        size_t n = format_stamp(out, STAMP_MAX, rec.time);
        memcpy(out + n, text, len);
        out[n + len] = '\n';
        serial_write(out, n + len + 1);
    }
    spin_unlock(&log_lock);
}

/* --- writing --------------------------------------------------------------------------------- */

static void log_sink_write(struct sink *sink, const char *text, size_t n)
{
    struct log_sink *s = container_of(sink, struct log_sink, sink);
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\n') {
            log_line(s->level, s->line, s->len);
            s->len = 0;
        } else if (s->len < LOG_LINE_MAX) {
            s->line[s->len++] = text[i];
        }
    }
}

void log_sink_init(struct log_sink *s, enum log_level level)
{
    s->sink.write = log_sink_write;
    s->level = level;
    s->len = 0;
}

void log_sink_flush(struct log_sink *s)
{
    if (s->len > 0)
        log_line(s->level, s->line, s->len);
    s->len = 0;
}

void log_vprint(enum log_level level, const char *fmt, va_list args)
{
    struct log_sink s;
    log_sink_init(&s, level);
    vprint(&s.sink, fmt, args);
    log_sink_flush(&s);
}

void log_print(enum log_level level, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    log_vprint(level, fmt, args);
    va_end(args);
}

void log_set_level(int level)
{
    console_level = MAX(level, LOG_EMERG + 1);
}

int log_get_level(void)
{
    return console_level;
}

/* --- reading --------------------------------------------------------------------------------- */

bool log_read_record(struct log_cursor *cursor, struct log_record *out)
{
    struct record rec;
    spin_lock(&log_lock);
    if (cursor->next < tail)
        cursor->next = tail;
    bool found = cursor->next < head;
    if (found) {
        ring_get(cursor->next, &rec, sizeof(rec));
        BUG_ON(rec.magic != RECORD_MAGIC);
        ring_get(cursor->next + sizeof(rec), out->text, rec.len);
        cursor->next += sizeof(rec) + rec.len;
        out->seq = rec.seq;
        out->time = rec.time;
        out->level = rec.level;
        out->len = rec.len;
    }
    spin_unlock(&log_lock);
    return found;
}

size_t log_read(struct log_cursor *cursor, char *buf, size_t size)
{
    struct log_record rec;
    char stamp[STAMP_MAX];
    if (!log_read_record(cursor, &rec))
        return 0;
    (void)format_stamp(stamp, sizeof(stamp), rec.time);
    int n = snprintf(buf, size, "%s%.*s", stamp, (int)rec.len, rec.text);
    return MIN((size_t)n, size - 1);
}

void log_dump(struct sink *out)
{
    struct log_cursor cursor = {0};
    char line[STAMP_MAX + LOG_LINE_MAX + 1];
    while (log_read(&cursor, line, sizeof(line)) > 0)
        print(out, "%s\n", line);
}

uint64_t log_records(void)
{
    return nr_records;
}

uint64_t log_dropped(void)
{
    return nr_dropped;
}
