/* SPDX-License-Identifier: MIT */
/*
 * format.c - printf's words, into anything that takes bytes.
 *
 *      "%-8s|%06lx"   -->   struct spec { flags, width, precision, length, conversion }
 *                           then the text of one conversion, padded, into the sink
 *
 * Literal text is passed on in one piece; digits are made backwards in a small buffer. What one
 * call prints is gathered first, so that the sink gets it in one piece too.
 *
 * Locks: none. State: none.
 */
#include "base/format.h"

#include "base/string.h"

#define DIGITS 24       /* 64 bits in octal, and a sign */
#define GATHER_SIZE 128 /* a line, most often */

struct spec {
    bool left, zero, plus, space, alternate, upper;
    int width, precision; /* precision -1: none given */
    int length;           /* -2 hh, -1 h, 0 int, 1 long, 2 long long, size_t, ptrdiff_t */
};

static void pad(struct sink *out, char c, int n)
{
    const char *run = c == '0' ? "0000000000000000" : "                ";
    for (; n > 0; n -= 16)
        out->write(out, run, (size_t)MIN(n, 16));
}

/* A conversion's text: a prefix (sign, 0x), zeros, the body; blanks on one side. */
static void emit(struct sink *out, const struct spec *s, const char *prefix, int zeros,
                 const char *body, size_t n)
{
    size_t prefix_len = strlen(prefix);
    int blanks = s->width - (int)prefix_len - zeros - (int)n;
    if (!s->left)
        pad(out, ' ', blanks);
    if (prefix_len)
        out->write(out, prefix, prefix_len);
    pad(out, '0', zeros);
    if (n)
        out->write(out, body, n);
    if (s->left)
        pad(out, ' ', blanks);
}

static void emit_number(struct sink *out, const struct spec *s, uint64_t v, unsigned base,
                        const char *prefix)
{
    const char *digits = s->upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char buf[DIGITS], *end = buf + DIGITS, *p = end;
    for (; v; v /= base)
        *--p = digits[v % base];
    if (p == end && s->precision != 0)
        *--p = '0';
    int n = (int)(end - p), zeros = 0;
    if (s->precision > n)
        zeros = s->precision - n;
    else if (s->zero && !s->left && s->precision < 0)
        zeros = MAX(0, s->width - n - (int)strlen(prefix));
    if (base == 8 && s->alternate && !zeros && (p == end || *p != '0'))
        zeros = 1;
    emit(out, s, prefix, zeros, p, (size_t)n);
}

static int64_t take_signed(const struct spec *s, va_list *args)
{
    if (s->length >= 2)
        return va_arg(*args, long long);
    if (s->length == 1)
        return va_arg(*args, long);
    int v = va_arg(*args, int);
    return s->length == -2 ? (signed char)v : s->length == -1 ? (short)v : v;
}

static uint64_t take_unsigned(const struct spec *s, va_list *args)
{
    if (s->length >= 2)
        return va_arg(*args, unsigned long long);
    if (s->length == 1)
        return va_arg(*args, unsigned long);
    unsigned v = va_arg(*args, unsigned);
    return s->length == -2 ? (unsigned char)v : s->length == -1 ? (unsigned short)v : v;
}

static int take_number(const char **fmt, va_list *args)
{
    int n = 0;
    if (**fmt == '*') {
        (*fmt)++;
        return va_arg(*args, int);
    }
    for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
        n = MIN(n * 10 + (**fmt - '0'), 100000);
    return n;
}

static void take_flags(const char **fmt, struct spec *s)
{
    for (;; (*fmt)++) {
        switch (**fmt) {
        case '-':
            s->left = true;
            break;
        case '0':
            s->zero = true;
            break;
        case '+':
            s->plus = true;
            break;
        case ' ':
            s->space = true;
            break;
        case '#':
            s->alternate = true;
            break;
        default:
            return;
        }
    }
}

static void take_length(const char **fmt, struct spec *s)
{
    for (;; (*fmt)++) {
        if (**fmt == 'l')
            s->length++;
        else if (**fmt == 'h')
            s->length--;
        else if (**fmt == 'z' || **fmt == 't' || **fmt == 'j')
            s->length = 2;
        else
            return;
    }
}

static void take_spec(const char **fmt, struct spec *s, va_list *args)
{
    take_flags(fmt, s);
    s->width = take_number(fmt, args);
    if (s->width < 0) {
        s->left = true;
        s->width = -s->width;
    }
    s->precision = -1;
    if (**fmt == '.') {
        (*fmt)++;
        s->precision = take_number(fmt, args);
    }
    take_length(fmt, s);
}

static void emit_string(struct sink *out, const struct spec *s, const char *text)
{
    if (!text)
        text = "(null)";
    size_t n = s->precision < 0 ? strlen(text) : strnlen(text, (size_t)s->precision);
    emit(out, s, "", 0, text, n);
}

static void convert(struct sink *out, struct spec *s, char conversion, va_list *args)
{
    int64_t v;
    uint64_t u;
    char c;
    switch (conversion) {
    case 'd':
    case 'i':
        v = take_signed(s, args);
        emit_number(out, s, v < 0 ? -(uint64_t)v : (uint64_t)v, 10,
                    v < 0      ? "-"
                    : s->plus  ? "+"
                    : s->space ? " "
                               : "");
        break;
    case 'u':
        emit_number(out, s, take_unsigned(s, args), 10, "");
        break;
    case 'o':
        emit_number(out, s, take_unsigned(s, args), 8, "");
        break;
    case 'X':
        s->upper = true; /* fall through */
    case 'x':
        u = take_unsigned(s, args);
        emit_number(out, s, u, 16, s->alternate && u ? (s->upper ? "0X" : "0x") : "");
        break;
    case 'p':
        emit_number(out, s, (uint64_t)(uintptr_t)va_arg(*args, void *), 16, "0x");
        break;
    case 'c':
        c = (char)va_arg(*args, int);
        emit(out, s, "", 0, &c, 1);
        break;
    case 's':
        emit_string(out, s, va_arg(*args, const char *));
        break;
    default:
        out->write(out, &conversion, 1); /* %% and what we do not know */
        break;
    }
}

static void format(struct sink *out, const char *fmt, va_list args_in)
{
    va_list args;
    va_copy(args, args_in);
    while (*fmt) {
        const char *start = fmt;
        while (*fmt && *fmt != '%')
            fmt++;
        if (fmt != start)
            out->write(out, start, (size_t)(fmt - start));
        if (!*fmt)
            break;
        fmt++;
        struct spec s = {0};
        take_spec(&fmt, &s, &args);
        if (!*fmt)
            break;
        convert(out, &s, *fmt++, &args);
    }
    va_end(args);
}

/* What one call prints, so that it reaches the sink in one piece if it is not long: writers that
 * share a sink do not come between a line's words. */
struct gather {
    struct sink sink;
    struct sink *to;
    size_t len;
    char bytes[GATHER_SIZE];
};

static void gather_flush(struct gather *g)
{
    if (g->len)
        g->to->write(g->to, g->bytes, g->len);
    g->len = 0;
}

static void gather_write(struct sink *sink, const char *bytes, size_t n)
{
    struct gather *g = container_of(sink, struct gather, sink);
    if (n > sizeof(g->bytes) - g->len)
        gather_flush(g);
    if (n > sizeof(g->bytes)) {
        g->to->write(g->to, bytes, n);
        return;
    }
    memcpy(g->bytes + g->len, bytes, n);
    g->len += n;
}

void vprint(struct sink *out, const char *fmt, va_list args)
{
    struct gather g;
    g.sink.write = gather_write;
    g.to = out;
    g.len = 0;
    format(&g.sink, fmt, args);
    gather_flush(&g);
}

void print(struct sink *out, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vprint(out, fmt, args);
    va_end(args);
}

static void buffer_write(struct sink *sink, const char *bytes, size_t n)
{
    struct buffer_sink *b = container_of(sink, struct buffer_sink, sink);
    if (b->len + 1 < b->size) {
        size_t room = b->size - 1 - b->len, keep = MIN(n, room);
        memcpy(b->buf + b->len, bytes, keep);
        b->buf[b->len + keep] = '\0';
    }
    b->len += n;
}

void buffer_sink_init(struct buffer_sink *b, char *buf, size_t size)
{
    *b = (struct buffer_sink){.sink = {buffer_write}, .buf = buf, .size = size};
    if (size)
        buf[0] = '\0';
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
    struct buffer_sink b;
    buffer_sink_init(&b, buf, size);
    format(&b.sink, fmt, args);
    return (int)b.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(buf, size, fmt, args);
    va_end(args);
    return n;
}
