/* SPDX-License-Identifier: MIT */
/*
 * string.c - bytes and words.
 *
 *      dst:  |..|========|========|========|...|      odd bytes at both ends one by one,
 *            head   8-byte words, unrolled    tail    words between when both sides are aligned
 *
 * Locks: none. State: none. The compiler may call memcpy and memset by itself, so they must exist.
 */
#include "base/string.h"

/* GCC would make memset's loop a call of memset. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

#define WORD sizeof(uint64_t)

static bool word_aligned(const void *p)
{
    return IS_ALIGNED((uintptr_t)p, WORD);
}

void *memcpy(void *dst, const void *src, size_t n)
{
    unsigned char *d = dst;
    const unsigned char *s = src;
    if (((uintptr_t)d & (WORD - 1)) == ((uintptr_t)s & (WORD - 1))) {
        for (; n && !word_aligned(d); n--)
            *d++ = *s++;
        for (; n >= 4 * WORD; n -= 4 * WORD, d += 4 * WORD, s += 4 * WORD) {
            const uint64_t *from = (const void *)s;
            uint64_t a = from[0], b = from[1], c = from[2], e = from[3], *to = (void *)d;
            to[0] = a;
            to[1] = b;
            to[2] = c;
            to[3] = e;
        }
        for (; n >= WORD; n -= WORD, d += WORD, s += WORD)
            *(uint64_t *)(void *)d = *(const uint64_t *)(const void *)s;
    }
    while (n--)
        *d++ = *s++;
    return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
    unsigned char *d = dst;
    const unsigned char *s = src;
    if (d <= s || d >= s + n)
        return memcpy(dst, src, n); /* memcpy goes upwards, word by word */
    while (n--)
        d[n] = s[n];
    return dst;
}

void *memset(void *dst, int c, size_t n)
{
    unsigned char *d = dst;
    uint64_t word = (unsigned char)c * 0x0101010101010101ULL;
    for (; n && !word_aligned(d); n--)
        *d++ = (unsigned char)c;
    for (; n >= 4 * WORD; n -= 4 * WORD, d += 4 * WORD) {
        uint64_t *to = (void *)d;
        to[0] = word;
        to[1] = word;
        to[2] = word;
        to[3] = word;
    }
    for (; n >= WORD; n -= WORD, d += WORD)
        *(uint64_t *)(void *)d = word;
    while (n--)
        *d++ = (unsigned char)c;
    return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;
    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

void *memchr(const void *s, int c, size_t n)
{
    const unsigned char *p = s;
    for (; n; n--, p++)
        if (*p == (unsigned char)c)
            return (void *)(uintptr_t)p;
    return NULL;
}

size_t strlen(const char *s)
{
    const char *p = s;
    while (*p)
        p++;
    return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;
    while (n < max && s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n; n--, a++, b++) {
        if (*a != *b)
            return (unsigned char)*a - (unsigned char)*b;
        if (!*a)
            return 0;
    }
    return 0;
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)(uintptr_t)s;
        if (!*s)
            return NULL;
    }
}

char *strrchr(const char *s, int c)
{
    const char *last = NULL;
    for (;; s++) {
        if (*s == (char)c)
            last = s;
        if (!*s)
            return (char *)(uintptr_t)last;
    }
}

char *strstr(const char *s, const char *needle)
{
    size_t n = strlen(needle);
    for (;; s++) {
        if (strncmp(s, needle, n) == 0)
            return (char *)(uintptr_t)s;
        if (!*s)
            return NULL;
    }
}

size_t strlcpy(char *dst, const char *src, size_t size)
{
    size_t len = strlen(src);
    if (size) {
        size_t n = MIN(len, size - 1);
        memcpy(dst, src, n);
        dst[n] = '\0';
    }
    return len;
}

#define STORE_8(p, i)                                                                   \
    (p)[i] = 0, (p)[(i) + 1] = 0, (p)[(i) + 2] = 0, (p)[(i) + 3] = 0, (p)[(i) + 4] = 0, \
    (p)[(i) + 5] = 0, (p)[(i) + 6] = 0, (p)[(i) + 7] = 0

#define STORE_64(p)                                                                               \
    STORE_8(p, 0), STORE_8(p, 8), STORE_8(p, 16), STORE_8(p, 24), STORE_8(p, 32), STORE_8(p, 40), \
        STORE_8(p, 48), STORE_8(p, 56)

/* 64 stores a turn: 512 stores, and 16 other instructions. */
void clear_page(void *page)
{
    uint64_t *p = page, *end = p + PAGE_SIZE / WORD;
    do {
        STORE_64(p);
        __asm__ volatile("" ::: "memory"); /* or the compiler would call memset */
        p += 64;
    } while (p != end);
}

/* Eight words: all are read before the first is written, so that no load waits for a store. */
static inline void copy_line(uint64_t *d, const uint64_t *s)
{
    uint64_t a = s[0], b = s[1], c = s[2], e = s[3], f = s[4], g = s[5], h = s[6], i = s[7];
    d[0] = a, d[1] = b, d[2] = c, d[3] = e, d[4] = f, d[5] = g, d[6] = h, d[7] = i;
}

/* 512 loads and stores, and 32 other instructions. */
void copy_page(void *dst, const void *src)
{
    uint64_t *d = dst, *end = d + PAGE_SIZE / WORD;
    const uint64_t *s = src;
    do {
        copy_line(d, s), copy_line(d + 8, s + 8);
        copy_line(d + 16, s + 16), copy_line(d + 24, s + 24);
        copy_line(d + 32, s + 32), copy_line(d + 40, s + 40);
        copy_line(d + 48, s + 48), copy_line(d + 56, s + 56);
        __asm__ volatile("" ::: "memory"); /* or the compiler would call memcpy */
        d += 64;
        s += 64;
    } while (d != end);
}
