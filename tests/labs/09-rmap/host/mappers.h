/* SPDX-License-Identifier: MIT */
/*
 * mappers.h - who is told of when a page's entries are looked for.
 *
 *      "0:3 1:5"     the entry of space 0 for page 3 of the addresses that a test looks at, then
 *                    that of space 1 for page 5; and nothing else
 */
#ifndef MAPPERS_H
#define MAPPERS_H

#include "labs/wire/expect.h"

#include "virt/family_audit.h"

static unsigned looked; /* how many entries were looked for */
static bool no_tables;

static inline pte_t *look(struct mm_struct *mm, uint64_t addr)
{
    looked++;
    if (addr < BASE || addr >= addr_of(PAGES))
        fail_msg("%#lx != an address of the range\nwhere the page was looked for", addr);
    expect_true(spin_held_here(&mm->page_table_lock),
                "the page_table_lock is held while an entry is looked at");
    return no_tables ? NULL : find_entry(mm, addr);
}

static inline int set_up(void **state)
{
    (void)state;
    memset(spaces, 0, sizeof(spaces));
    objects_out = 0;
    looked = 0;
    no_tables = false;
    fake_simple(MIB(64));
    fake_walk = look;
    vma_init();
    rmap_init();
    return 0;
}

/* --- what a walk tells ------------------------------------------------------------------------ */

struct told {
    char text[1024];
    size_t used;
    unsigned left; /* how many more it wants to be told of */
};

static inline bool tell(const struct rmap_entry *e, void *arg)
{
    struct told *t = arg;
    unsigned s = space_of(e->vma->vm_mm), i = index_of(e->addr);
    expect_true(spin_held_here(&e->vma->vm_mm->page_table_lock),
                "the page_table_lock is held in fn()");
    expect_true(e->pte == &spaces[s].entries[i], "entry.pte belongs to entry.addr");
    t->used += (size_t)snprintf(t->text + t->used, sizeof(t->text) - t->used, "%s%u:%u",
                                t->used ? " " : "", s, i);
    return --t->left > 0;
}

static inline void expect_told(struct page *page, unsigned most, const char *want, const char *text)
{
    struct told told = {.left = most};
    rmap_walk(page, tell, &told);
    if (strcmp(told.text, want))
        fail_msg("%s != %s\n%s", told.text, want, text);
    expect_equal(this_hart()->nr_held, 0, "spinlocks that are still held after the walk");
}

static inline void expect_found(struct page *page, const char *want, const char *text)
{
    expect_told(page, PAGES * SPACES, want, text);
}

#endif
