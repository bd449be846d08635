/* SPDX-License-Identifier: MIT */
/*
 * format.h - printf's words, into anything that takes bytes.
 *
 *      print(out, "zone %s: %lu pages\n", ...) --> [ struct sink ] --> serial line, buffer, filter
 *
 * A sink is one function; what stands behind it is nobody's business here. Nothing is stored and
 * nothing allocated. Conversions: d i u x X o p c s %; lengths hh h l ll z t; flags - 0 + space #;
 * width and precision, also as *.
 */
#ifndef PAGODA_BASE_FORMAT_H
#define PAGODA_BASE_FORMAT_H

#include "base/types.h"

/** Where printed bytes go. Embedded in something that knows more (container_of). */
struct sink {
    void (*write)(struct sink *self, const char *bytes, size_t n);
};

/** Print to @out. */
void print(struct sink *out, const char *fmt, ...) format_printf(2, 3);
void vprint(struct sink *out, const char *fmt, va_list args);

/** As the C library's: always ended by NUL if size > 0; returns the length that was asked for. */
int snprintf(char *buf, size_t size, const char *fmt, ...) format_printf(3, 4);
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args);

/** A sink over a buffer: keeps what fits, always ended by NUL, and counts what was asked. */
struct buffer_sink {
    struct sink sink;
    char *buf;
    size_t size; /* of buf, in bytes, at least 1 */
    size_t len;  /* bytes asked for; more than size - 1 means that it was cut */
};

void buffer_sink_init(struct buffer_sink *b, char *buf, size_t size);

#endif
