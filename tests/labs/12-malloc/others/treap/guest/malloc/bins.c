/* SPDX-License-Identifier: MIT */
/*
 * bins.c - small free chunks in a list for each size, all others in one treap.
 *
 *      small[2..63]     exact sizes; a bit of `full` for each
 *      root             a search tree by size and then address; the rank of a chunk, a hash of
 *                       its address, is never above that of its parent: so its shape is that of a
 *                       tree that was built in random order
 */
#include "malloc/bins.h"

#define SMALL 64

static struct chunk *small[SMALL];
static uint64_t full;
static struct chunk *root; /* prev: what is less; next: what is more */

static uint64_t rank(const struct chunk *c)
{
    return ((uintptr_t)c >> 4) * 0x9e3779b97f4a7c15UL;
}

static bool is_less(const struct chunk *a, const struct chunk *b)
{
    return chunk_size(a) != chunk_size(b) ? chunk_size(a) < chunk_size(b) : a < b;
}

void bins_begin(void)
{
    for (int i = 0; i < SMALL; i++)
        small[i] = NULL;
    full = 0;
    root = NULL;
}

static void tree_put(struct chunk *c)
{
    struct chunk **at = &root;
    while (*at && rank(*at) >= rank(c))
        at = is_less(c, *at) ? &(*at)->prev : &(*at)->next;
    struct chunk *rest = *at, **less = &c->prev, **more = &c->next;
    *at = c;
    while (rest) {
        if (is_less(rest, c)) {
            *less = rest;
            less = &rest->next;
            rest = rest->next;
        } else {
            *more = rest;
            more = &rest->prev;
            rest = rest->prev;
        }
    }
    *less = *more = NULL;
}

static void tree_remove(struct chunk *c)
{
    struct chunk **at = &root, *a = c->prev, *b = c->next;
    while (*at != c)
        at = is_less(c, *at) ? &(*at)->prev : &(*at)->next;
    while (a && b) {
        if (rank(a) >= rank(b)) {
            *at = a;
            at = &a->next;
            a = *at;
        } else {
            *at = b;
            at = &b->prev;
            b = *at;
        }
    }
    *at = a ? a : b;
}

void bins_put(struct chunk *c)
{
    size_t i = chunk_size(c) / CHUNK_ALIGN;
    if (i >= SMALL) {
        tree_put(c);
        return;
    }
    full |= 1UL << i;
    c->prev = NULL;
    c->next = small[i];
    if (small[i])
        small[i]->prev = c;
    small[i] = c;
}

void bins_remove(struct chunk *c)
{
    size_t i = chunk_size(c) / CHUNK_ALIGN;
    if (i >= SMALL) {
        tree_remove(c);
        return;
    }
    if (c->prev)
        c->prev->next = c->next;
    else if (!(small[i] = c->next))
        full &= ~(1UL << i);
    if (c->next)
        c->next->prev = c->prev;
}

struct chunk *bins_take(size_t size)
{
    size_t i = size / CHUNK_ALIGN;
    struct chunk *best = NULL;
    if (i < SMALL && full >> i) {
        best = small[i] ? small[i] : small[i + (size_t)__builtin_ctzl(full >> i)];
    } else {
        for (struct chunk *c = root; c;) {
            if (chunk_size(c) < size) {
                c = c->next;
            } else {
                best = c;
                c = c->prev;
            }
        }
    }
    if (best)
        bins_remove(best);
    return best;
}

static void each_below(struct chunk *c, void (*visit)(struct chunk *c, void *context),
                       void *context)
{
    while (c) {
        each_below(c->prev, visit, context);
        visit(c, context);
        c = c->next;
    }
}

void bins_each(void (*visit)(struct chunk *c, void *context), void *context)
{
    for (int i = 0; i < SMALL; i++) {
        for (struct chunk *c = small[i]; c; c = c->next)
            visit(c, context);
    }
    each_below(root, visit, context);
}
