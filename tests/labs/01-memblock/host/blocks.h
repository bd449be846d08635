/* SPDX-License-Identifier: MIT */
/*
 * blocks.h - structure blocks as they are being built, opened without fdt_open().
 *
 *      build_begin(&b, "soc");  ...  struct fdt fdt = tree_of_all();
 *
 * The bytes are cut to size on the heap, so that ASan sees each one that is read too many.
 */
#ifndef LAB_MEMBLOCK_BLOCKS_H
#define LAB_MEMBLOCK_BLOCKS_H

#include "labs/wire/expect.h"

#include "base/errno.h"
#include "phys/fdt_builder.h"

static struct builder b;
static uint8_t *block;

/* What was built so far, as an opened tree of exactly @n bytes of structure. */
static struct fdt cut_to(uint32_t n)
{
    free(block);
    block = malloc(n ? n : 1);
    memcpy(block, b.structs, n);
    return (struct fdt){.blob = block,
                        .structs = block,
                        .strings = b.strings,
                        .struct_size = n,
                        .strings_size = b.nr_strings};
}

static struct fdt tree_of_all(void)
{
    return cut_to(b.nr_structs);
}

static int fresh(void **state)
{
    (void)state;
    build_init(&b);
    return 0;
}

#endif
