/* SPDX-License-Identifier: MIT */
/*
 * string.h - bytes and words, as the C library has them; ours, because there is none below us.
 */
#ifndef PAGODA_BASE_STRING_H
#define PAGODA_BASE_STRING_H

#include "base/types.h"

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *needle);

/** Copy @src to @dst of @size bytes, always ended by NUL. Returns strlen(src). */
size_t strlcpy(char *dst, const char *src, size_t size);

/** 4096 bytes, 8-byte aligned, with unrolled 8-byte stores: 512 stores and next to nothing else. */
void clear_page(void *page);
void copy_page(void *dst, const void *src);

#endif
