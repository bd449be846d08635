/* SPDX-License-Identifier: MIT */
/*
 * fdt_builder.h - device trees made by hand, good ones and broken ones.
 *
 *      struct builder b;
 *      build_init(&b);
 *      build_begin(&b, "");
 *      build_cells(&b, "#address-cells", 1, 2);
 *      build_end(&b);
 *      build_finish(&b);       -> b.blob, b.size: exact, so that ASan sees each overread
 *
 * The blocks lie in the order header, reservations, structure, strings. The offsets of the header's
 * fields are named below, for tests that patch them to lies.
 */
#ifndef PAGODA_TEST_FDT_BUILDER_H
#define PAGODA_TEST_FDT_BUILDER_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/string.h"
#include "base/types.h"
#include "phys/fdt.h"
#include "phys/fdt_token.h"

enum { BUILD_MAX_STRUCT = 65536, BUILD_MAX_STRINGS = 4096, BUILD_MAX_RSV = 2048 };

enum {
    AT_MAGIC = 0,
    AT_TOTAL_SIZE = 4,
    AT_OFF_STRUCT = 8,
    AT_OFF_STRINGS = 12,
    AT_OFF_RSVMAP = 16,
    AT_VERSION = 20,
    AT_LAST_COMPATIBLE = 24,
    AT_BOOT_CPUID = 28,
    AT_SIZE_STRINGS = 32,
    AT_SIZE_STRUCT = 36,
    AT_RSVMAP = 40,
};

struct builder {
    uint8_t structs[BUILD_MAX_STRUCT];
    uint8_t rsvmap[BUILD_MAX_RSV];
    char strings[BUILD_MAX_STRINGS];
    uint32_t nr_structs, nr_rsvmap, nr_strings;
    uint32_t at_structs; /* in the finished blob */
    uint8_t *blob;
    uint32_t size;
};

static inline void put_be32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static inline void build_init(struct builder *b)
{
    memset(b, 0, sizeof(*b));
}

static inline void build_free(struct builder *b)
{
    free(b->blob);
    b->blob = NULL;
}

static inline void build_word(struct builder *b, uint32_t v)
{
    put_be32(b->structs + b->nr_structs, v);
    b->nr_structs += 4;
}

static inline void build_bytes(struct builder *b, const void *bytes, uint32_t n)
{
    memcpy(b->structs + b->nr_structs, bytes, n);
    b->nr_structs = ALIGN_UP(b->nr_structs + n, 4u);
}

static inline void build_begin(struct builder *b, const char *name)
{
    build_word(b, FDT_BEGIN_NODE);
    build_bytes(b, name, (uint32_t)strlen(name) + 1);
}

static inline void build_end(struct builder *b)
{
    build_word(b, FDT_END_NODE);
}

static inline uint32_t build_string(struct builder *b, const char *name)
{
    for (uint32_t at = 0; at < b->nr_strings; at += (uint32_t)strlen(b->strings + at) + 1)
        if (strcmp(b->strings + at, name) == 0)
            return at;
    uint32_t at = b->nr_strings;
    memcpy(b->strings + at, name, strlen(name) + 1);
    b->nr_strings += (uint32_t)strlen(name) + 1;
    return at;
}

static inline void build_prop(struct builder *b, const char *name, const void *value, uint32_t len)
{
    build_word(b, FDT_PROP);
    build_word(b, len);
    build_word(b, build_string(b, name));
    build_bytes(b, value, len);
}

static inline void build_str(struct builder *b, const char *name, const char *value)
{
    build_prop(b, name, value, (uint32_t)strlen(value) + 1);
}

/** n cells, each an unsigned argument. */
static inline void build_cells(struct builder *b, const char *name, int n, ...)
{
    enum { MAX_CELLS = 256 };
    uint8_t value[MAX_CELLS * 4];
    va_list args;

    va_start(args, n);
    for (int i = 0; i < n; i++)
        put_be32(value + i * 4, va_arg(args, unsigned));
    va_end(args);
    build_prop(b, name, value, (uint32_t)n * 4);
}

static inline void build_reserve(struct builder *b, uint64_t base, uint64_t size)
{
    uint8_t *p = b->rsvmap + b->nr_rsvmap;

    put_be32(p, (uint32_t)(base >> 32));
    put_be32(p + 4, (uint32_t)base);
    put_be32(p + 8, (uint32_t)(size >> 32));
    put_be32(p + 12, (uint32_t)size);
    b->nr_rsvmap += 16;
}

/** Assemble without an END token: for trees that forget it. */
static inline void build_assemble(struct builder *b)
{
    build_reserve(b, 0, 0);
    b->at_structs = AT_RSVMAP + b->nr_rsvmap;
    uint32_t at_strings = b->at_structs + b->nr_structs;
    b->size = at_strings + b->nr_strings;
    b->blob = calloc(1, b->size);
    put_be32(b->blob + AT_MAGIC, FDT_MAGIC);
    put_be32(b->blob + AT_TOTAL_SIZE, b->size);
    put_be32(b->blob + AT_OFF_STRUCT, b->at_structs);
    put_be32(b->blob + AT_OFF_STRINGS, at_strings);
    put_be32(b->blob + AT_OFF_RSVMAP, AT_RSVMAP);
    put_be32(b->blob + AT_VERSION, 17);
    put_be32(b->blob + AT_LAST_COMPATIBLE, 16);
    put_be32(b->blob + AT_BOOT_CPUID, 3);
    put_be32(b->blob + AT_SIZE_STRINGS, b->nr_strings);
    put_be32(b->blob + AT_SIZE_STRUCT, b->nr_structs);
    memcpy(b->blob + AT_RSVMAP, b->rsvmap, b->nr_rsvmap);
    memcpy(b->blob + b->at_structs, b->structs, b->nr_structs);
    memcpy(b->blob + at_strings, b->strings, b->nr_strings);
}

static inline void build_finish(struct builder *b)
{
    build_word(b, FDT_END);
    build_assemble(b);
}

static inline void build_patch(struct builder *b, uint32_t at, uint32_t value)
{
    put_be32(b->blob + at, value);
}

/** A file of the corpus, read from the top of the repository; NULL if it is not there. */
static inline uint8_t *read_corpus(const char *name, size_t *size)
{
    enum { MAX = 1 << 20 };
    char path[256];
    uint8_t *blob = malloc(MAX);

    snprintf(path, sizeof(path), "tests/fuzz/corpus/fdt/%s", name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        free(blob);
        return NULL;
    }
    *size = fread(blob, 1, MAX, file);
    fclose(file);
    return realloc(blob, *size);
}

#endif
