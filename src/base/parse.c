/* SPDX-License-Identifier: MIT */
/*
 * parse.c - numbers and words out of text.
 *
 * Everything is checked before anything is stored: a number that does not fit, or with something
 * behind it, leaves *out alone.
 *
 * Locks: none. State: none.
 */
#include "base/parse.h"

#include "base/errno.h"

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 10;
    return 99;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Digits at *@s in @base; moves *@s behind them. */
static int take_digits(const char **s, unsigned base, uint64_t *out)
{
    uint64_t v = 0;
    const char *p = *s;
    if ((base == 0 || base == 16) && p[0] == '0' && (p[1] == 'x' || p[1] == 'X') &&
        digit_value(p[2]) < 16) {
        base = 16;
        p += 2;
    } else if (base == 0) {
        base = *p == '0' ? 8 : 10;
    }
    if (digit_value(*p) >= (int)base)
        return -EINVAL;
    for (; digit_value(*p) < (int)base; p++) {
        uint64_t d = (uint64_t)digit_value(*p);
        if (v > (UINT64_MAX - d) / base)
            return -ERANGE;
        v = v * base + d;
    }
    *s = p;
    *out = v;
    return 0;
}

static bool at_end(const char *s)
{
    return s[0] == '\0' || (s[0] == '\n' && s[1] == '\0');
}

int parse_u64(const char *s, unsigned base, uint64_t *out)
{
    uint64_t v;
    int err = take_digits(&s, base, &v);
    if (err)
        return err;
    if (!at_end(s))
        return -EINVAL;
    *out = v;
    return 0;
}

int parse_s64(const char *s, unsigned base, int64_t *out)
{
    uint64_t v;
    bool minus = *s == '-';
    int err = parse_u64(s + (minus || *s == '+'), base, &v);
    if (err)
        return err;
    if (v > (uint64_t)INT64_MAX + minus)
        return -ERANGE;
    *out = minus ? (int64_t)-v : (int64_t)v;
    return 0;
}

int parse_size(const char *s, uint64_t *out)
{
    static const char suffixes[] = "kmgt";
    uint64_t v;
    unsigned shift = 0;
    int err = take_digits(&s, 0, &v);
    if (err)
        return err;
    for (unsigned i = 0; suffixes[i]; i++)
        if ((*s | 0x20) == suffixes[i])
            shift = 10 * (i + 1);
    if (shift)
        s++;
    if (!at_end(s))
        return -EINVAL;
    if (v > UINT64_MAX >> shift)
        return -ERANGE;
    *out = v << shift;
    return 0;
}

/* Copy one word down to @to, without its quotes; moves *@s behind it. NULL: a quote is open. */
static char *take_word(char **s, char *to)
{
    char quote = 0;
    for (; **s && (quote || !is_blank(**s)); (*s)++) {
        if (quote && **s == quote)
            quote = 0;
        else if (!quote && (**s == '"' || **s == '\''))
            quote = **s;
        else
            *to++ = **s;
    }
    return quote ? NULL : to;
}

int split_words(char *line, char **argv, int max)
{
    int argc = 0;
    for (;;) {
        while (is_blank(*line))
            line++;
        if (!*line)
            return argc;
        if (argc == max)
            return -E2BIG;
        argv[argc++] = line;
        char *end = take_word(&line, line);
        if (!end)
            return -EINVAL;
        if (*line)
            line++;
        *end = '\0';
    }
}
