/* SPDX-License-Identifier: MIT */
/*
 * slab_debug.c - debug builds: catching double frees, overruns and stores after free.
 *
 *      allocated   [ the owner's bytes ............... | ALLOCATED ^ address ]
 *      free        [ link | 6b 6b 6b 6b 6b 6b 6b 6b 6b | FREE ^ address      ]
 *
 * Caches with a constructor keep their objects constructed while free, so those are not filled.
 *
 * Locks: none; an object is in one pair of hands. Linux's counterpart: SLUB's red zones, poison.
 */
#include "slab/slab_debug.h"

#include "base/string.h"
#include "phys/page_debug.h"

#define ALLOCATED 0xa110ca7ed0b1ec75UL
#define FREE 0xf4eef4eef4eef4eeUL
#define FILL 0x6b6b6b6b6b6b6b6bUL
#define FILL_WORDS 32 /* the first words only: enough to catch most, cheap enough to leave on */

static uint64_t *trailer(const struct kmem_cache *cache, void *object)
{
    return (uint64_t *)(void *)((char *)object + cache->size - sizeof(uint64_t));
}

static size_t fill_words(const struct kmem_cache *cache)
{
    size_t words = (cache->size - sizeof(uint64_t)) / sizeof(uint64_t);
    return cache->ctor ? 0 : MIN(words, (size_t)FILL_WORDS);
}

noreturn static void report(const struct kmem_cache *cache, const void *object, const char *what)
{
    bad_page(page_head(virt_to_page(object)), what);
    panic("slab %s: object %p: %s", cache->name, object, what);
}

void slab_debug_init(const struct kmem_cache *cache, void *object)
{
    uint64_t *words = object;
    for (size_t i = 1; i < fill_words(cache); i++)
        words[i] = FILL;
    *trailer(cache, object) = FREE ^ (uint64_t)object;
}

void slab_debug_alloc(const struct kmem_cache *cache, void *object)
{
    const uint64_t *words = object;
    if (*trailer(cache, object) != (FREE ^ (uint64_t)object))
        report(cache, object, "slab object: its trailer was overwritten while it was free");
    for (size_t i = 1; i < fill_words(cache); i++)
        if (words[i] != FILL)
            report(cache, object, "slab object: written to after it was freed");
    *trailer(cache, object) = ALLOCATED ^ (uint64_t)object;
}

void slab_debug_free(const struct kmem_cache *cache, void *object)
{
    struct page *page = page_head(virt_to_page(object));
    if (page->type != PAGE_SLAB || page->slab_cache != cache)
        report(cache, object, "slab object: freed to a cache that it is not from");
    if ((uint64_t)((char *)object - (char *)page_address(page)) % cache->size)
        report(cache, object, "slab object: freed by an address inside of it");
    if (*trailer(cache, object) == (FREE ^ (uint64_t)object))
        report(cache, object, "slab object: freed twice");
    if (*trailer(cache, object) != (ALLOCATED ^ (uint64_t)object))
        report(cache, object, "slab object: written to beyond its end");
    slab_debug_init(cache, object);
}
