/* SPDX-License-Identifier: MIT */
/*
 * memmap.c - a zone as a picture: a cell a pageblock, or a cell a page.
 *
 *      0x80200  RRkkAAAAaaaa....aaAA........AAAAffff
 *               |       `- more than half of the block is anonymous memory: capital
 *               `- reserved       `- wholly free: a dot
 *
 * A pageblock is drawn as the state that most of its used pages are in; a capital when at least
 * half of the block is used. Nothing is locked, so a picture of a busy machine is a little blurred.
 */
#include "console/memmap.h"

#include "base/string.h"
#include "phys/page.h"
#include "phys/pageblock.h"

static const struct state {
    char letter;
    uint8_t colour; /* ANSI foreground, 0: plain */
    const char *name;
} states[NR_PAGE_TYPES] = {
    [PAGE_RESERVED] = {'r', 90, "reserved"}, [PAGE_BUDDY] = {'.', 0, "free"},
    [PAGE_PCP] = {'p', 37, "on a pageset"},  [PAGE_ISOLATED] = {'i', 95, "isolated"},
    [PAGE_KERNEL] = {'k', 31, "monitor"},    [PAGE_SLAB] = {'s', 91, "slab"},
    [PAGE_TABLE] = {'t', 35, "page table"},  [PAGE_VMALLOC] = {'v', 33, "vmalloc, stack"},
    [PAGE_ANON] = {'a', 32, "anonymous"},    [PAGE_FILE] = {'f', 36, "file"},
    [PAGE_ZERO] = {'z', 37, "zero page"},    [PAGE_TAIL] = {'?', 0, NULL},
};

struct cell {
    enum page_type type;
    unsigned used, present; /* pages */
};

/* Count a stretch of frames by state; tails belong to the head met before them. */
static struct cell look(const struct zone *zone, uint64_t pfn, uint64_t end)
{
    unsigned counts[NR_PAGE_TYPES] = {0};
    struct cell cell = {.type = PAGE_BUDDY};
    while (pfn < end) {
        struct page *page = pfn_valid(mk_pfn(pfn)) ? pfn_to_page(mk_pfn(pfn)) : NULL;
        if (!page || page_zone(page) != zone) {
            pfn++;
            continue;
        }
        struct page *head = page_head(page);
        uint8_t type = load_relaxed(&head->type), order = load_relaxed(&head->order);
        uint64_t block_end = page_to_pfn(head).v + (type == PAGE_RESERVED ? 1 : 1UL << order);
        uint64_t next = MAX(MIN(block_end, end), pfn + 1);
        counts[MIN(type, (uint8_t)PAGE_TAIL)] += (unsigned)(next - pfn);
        cell.present += (unsigned)(next - pfn);
        pfn = next;
    }
    unsigned most = 0;
    for (unsigned i = 0; i < PAGE_TAIL; i++) {
        if (i == PAGE_BUDDY)
            continue;
        cell.used += counts[i];
        if (counts[i] > most) {
            most = counts[i];
            cell.type = (enum page_type)i;
        }
    }
    return cell;
}

static void draw_cell(struct sink *out, const struct cell *cell, bool colour)
{
    const struct state *s = &states[cell->used ? cell->type : PAGE_BUDDY];
    char c = s->letter;
    if (!cell->present)
        c = ' ';
    else if (cell->present > 1 && cell->used * 2 >= cell->present && c >= 'a')
        c = (char)(c - 'a' + 'A');
    if (colour && s->colour)
        print(out, "\x1b[%um%c\x1b[0m", s->colour, c);
    else
        print(out, "%c", c);
}

static bool marked(uint64_t mark, uint64_t pfn, uint64_t step)
{
    return mark && mark >= pfn && mark < pfn + step;
}

void memmap_draw(struct sink *out, const struct zone *zone, uint64_t first, unsigned rows,
                 bool by_page, bool colour, const struct memmap_marks *marks)
{
    uint64_t step = by_page ? 1 : PAGEBLOCK_PAGES;
    uint64_t pfn = ALIGN_DOWN(MAX(first, zone->zone_start_pfn), step), end = zone_end_pfn(zone);
    for (unsigned row = 0; row < rows && pfn < end; row++) {
        print(out, "0x%-8lx ", pfn);
        for (unsigned i = 0; i < MEMMAP_COLUMNS && pfn < end; i++, pfn += step) {
            struct cell cell = look(zone, pfn, MIN(pfn + step, end));
            if (marks && marked(marks->migrate_pfn, pfn, step))
                print(out, colour ? "\x1b[7m>\x1b[0m" : ">");
            else if (marks && marked(marks->free_pfn, pfn, step))
                print(out, colour ? "\x1b[7m<\x1b[0m" : "<");
            else
                draw_cell(out, &cell, colour);
        }
        print(out, "\n");
    }
}

void memmap_legend(struct sink *out, bool colour)
{
    for (unsigned i = 0; i < PAGE_TAIL; i++) {
        if (colour && states[i].colour)
            print(out, "\x1b[%um%c\x1b[0m %s  ", states[i].colour, states[i].letter,
                  states[i].name);
        else
            print(out, "%c %s  ", states[i].letter, states[i].name);
        if (i == PAGE_TAIL / 2)
            print(out, "\n");
    }
    print(out, "\n");
}
