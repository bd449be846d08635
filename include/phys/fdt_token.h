/* SPDX-License-Identifier: MIT */
/*
 * fdt_token.h - the structure block, token by token. For the files of the reader alone.
 *
 *      BEGIN_NODE  name\0 pad                     opens a node
 *      PROP        u32 len, u32 name, value pad   name: offset in the strings block
 *      NOP                                        was something once; skipped by fdt_token()
 *      END_NODE                                   closes the node
 *      END                                        the tree is over
 *
 * Each token begins at a multiple of 4. There is one reader for the first, suspicious walk and for
 * all later ones: every bound is checked always, which costs a few instructions a token and
 * leaves no second, trusting reader to go wrong.
 *
 * Locks: none.
 */
#ifndef PAGODA_PHYS_FDT_TOKEN_H
#define PAGODA_PHYS_FDT_TOKEN_H

#include "phys/fdt.h"

enum fdt_tag {
    FDT_BEGIN_NODE = 1,
    FDT_END_NODE = 2,
    FDT_PROP = 3,
    FDT_NOP = 4,
    FDT_END = 9,
};

struct fdt_token {
    uint32_t tag;
    uint32_t at;       /* offset of the tag in the structure block */
    uint32_t next;     /* offset behind the token */
    const char *name;  /* of a node or a property */
    uint32_t name_len; /* of a node */
    const uint8_t *value;
    uint32_t len; /* of the value */
};

/**
 * Read the token at `at`, or the first behind the NOPs there. NULL, or what is wrong with it, for
 * people: it must lie in the structure block with all that belongs to it, but the padding behind
 * it may be missing there, and then `next` lies past the end; a node's name ends within
 * FDT_NAME_MAX bytes, its NUL included; a property's name begins inside of the strings block.
 * `at` and all that the block holds may be lies.
 */
const char *fdt_token(const struct fdt *fdt, uint32_t at, struct fdt_token *out);

#endif
