/* SPDX-License-Identifier: MIT */
/*
 * slab_debug.c - debug builds: catching double frees, overruns and stores after free.
 *
 *      allocated   [ the owner's bytes ............. ][ bb bb .. ][ ALLOCATED ^ address ]
 *      free        [ link | 6b 6b 6b 6b 6b 6b 6b 6b 6b ][ bb bb .. ][ FREE ^ address      ]
 *                    object_size bytes                 red zone    trailer
 *      with ctor   [ stays as constructed ........... ][ link ][ bb .. ][ trailer ]
 *
 * The red zone is what rounding up leaves, so an overrun by one byte hits it, or the trailer. The
 * trailer is mixed with the address: a copied object does not pass for another.
 *
 * Locks: none; an object is in one pair of hands. Linux's counterpart: SLUB's red zones, poison.
 */
#include "slab/slab_debug.h"

#include "base/string.h"
#include "phys/page_debug.h"
#include "slab/slab_page.h"

#define ALLOCATED 0xa110ca7ed0b1ec75UL
#define FREE 0xf4eef4eef4eef4eeUL
#define FILL 0x6b6b6b6b6b6b6b6bUL
#define FILL_WORDS 32 /* the first words only: enough to catch most, cheap enough to leave on */
#define RED 0xbb

static uint64_t *trailer(const struct kmem_cache *cache, void *object)
{
    return (uint64_t *)(void *)((char *)object + cache->size - sizeof(uint64_t));
}

static size_t fill_words(const struct kmem_cache *cache)
{
    return cache->ctor ? 0 : MIN(cache->object_size / sizeof(uint64_t), (size_t)FILL_WORDS);
}

/* Where the red zone begins; it ends at the trailer. */
static uint8_t *red_zone(const struct kmem_cache *cache, void *object)
{
    size_t begin = cache->ctor ? cache->link + sizeof(void *)
                               : MAX((size_t)cache->object_size, sizeof(void *)); /* the link */
    return (uint8_t *)object + begin;
}

static bool red_zone_intact(const struct kmem_cache *cache, void *object)
{
    const uint8_t *end = (const uint8_t *)trailer(cache, object);
    for (const uint8_t *p = red_zone(cache, object); p < end; p++)
        if (*p != RED)
            return false;
    return true;
}

noreturn static void report(const struct kmem_cache *cache, const void *object, const char *what)
{
    if (vaddr_is_linear(object) && pfn_valid(page_to_pfn(virt_to_page(object))))
        bad_page(page_head(virt_to_page(object)), what);
    panic("slab %s: object %p: %s", cache->name, object, what);
}

static void fill(const struct kmem_cache *cache, void *object)
{
    uint64_t *words = object;
    for (size_t i = 1; i < fill_words(cache); i++)
        words[i] = FILL;
    *trailer(cache, object) = FREE ^ (uint64_t)object;
}

void slab_debug_init(const struct kmem_cache *cache, void *object)
{
    uint8_t *red = red_zone(cache, object);
    memset(red, RED, (size_t)((uint8_t *)trailer(cache, object) - red));
    fill(cache, object);
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

static void check_owner(const struct kmem_cache *cache, void *object)
{
    if (!vaddr_is_linear(object) || !pfn_valid(page_to_pfn(virt_to_page(object))))
        report(cache, object, "slab object: freed by an address that is no memory's");
    struct page *page = slab_of(object);
    if (page->type != PAGE_SLAB || page->slab_cache != cache)
        report(cache, object, "slab object: freed to a cache that it is not from");
    size_t offset = (size_t)((char *)object - (char *)page_address(page));
    if (offset % cache->size || offset / cache->size >= cache->objects)
        report(cache, object, "slab object: freed by an address inside of it");
}

void slab_debug_free(const struct kmem_cache *cache, void *object)
{
    check_owner(cache, object);
    if (*trailer(cache, object) == (FREE ^ (uint64_t)object))
        report(cache, object, "slab object: freed twice");
    if (*trailer(cache, object) != (ALLOCATED ^ (uint64_t)object) ||
        !red_zone_intact(cache, object))
        report(cache, object, "slab object: written to beyond its end");
    fill(cache, object);
}

bool slab_debug_is_out(const struct kmem_cache *cache, void *object)
{
    return *trailer(cache, object) == (ALLOCATED ^ (uint64_t)object);
}

bool slab_debug_is_sane(const struct kmem_cache *cache, void *object)
{
    uint64_t mark = *trailer(cache, object) ^ (uint64_t)object;
    return (mark == ALLOCATED || mark == FREE) && red_zone_intact(cache, object);
}
