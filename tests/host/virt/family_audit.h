/* SPDX-License-Identifier: MIT */
/*
 * family_audit.h - do the pages of a family find their entries, and do its anon_vmas add up?
 *
 *      entries of all spaces:  0:0 a, 0:1 b, 1:0 a      rmap_walk(a) must find 0:0 and 1:0
 *      chains of all VMAs:     A: 0, 1   B: 1           A and B must say the same of themselves
 *
 * There must be no object that is not found from a VMA: so neither a failed step nor an exit leaves
 * anything.
 */
#ifndef FAMILY_AUDIT_H
#define FAMILY_AUDIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "virt/family.h"

/* --- what pages find -------------------------------------------------------------------------- */

static bool seen[SPACES][PAGES];

static inline bool see(const struct rmap_entry *e, void *arg)
{
    unsigned s = space_of(e->vma->vm_mm), i = index_of(e->addr);
    assert_ptr_equal(page_at(s, i), e->page);
    assert_false(seen[s][i]); /* told twice */
    seen[s][i] = true;
    ++*(int32_t *)arg;
    return true;
}

static inline void every_page_finds_its_entries(void)
{
    memset(seen, 0, sizeof(seen));
    for (unsigned s = 0; s < SPACES; s++) {
        for (unsigned i = 0; i < PAGES; i++) {
            struct page *page = page_at(s, i);
            int32_t found = 0;
            if (!page)
                continue;
            if (!seen[s][i])
                rmap_walk(page, see, &found);
            assert_true(seen[s][i]);
            assert_true(!found || found == page->mapcount);
        }
    }
}

/* --- what anon_vmas say of themselves --------------------------------------------------------- */

static struct known {
    const struct anon_vma *av;
    uint32_t chains, active, children, children_in_use;
} known[1024];
static unsigned nr_known;

/* The line of av, which is new if this is the first that is heard of it; and so its ancestors. */
static inline struct known *know(const struct anon_vma *av)
{
    for (unsigned i = 0; i < nr_known; i++)
        if (known[i].av == av)
            return &known[i];
    assert_true(nr_known < ARRAY_SIZE(known));
    struct known *k = &known[nr_known++];
    *k = (struct known){.av = av};
    if (av->parent) {
        struct known *parent = know(av->parent);
        parent->children++;
        parent->children_in_use += !list_empty(&av->chains);
    }
    return k;
}

static inline uint32_t chains_of(const struct anon_vma *av)
{
    const struct anon_vma_chain *avc;
    uint32_t n = 0;
    list_for_each_entry(avc, &av->chains, same_anon_vma) {
        assert_ptr_equal(avc->anon_vma, av);
        n++;
    }
    return n;
}

/* Count what the VMA holds; how many objects it is with its chains. */
static inline long count_vma(const struct vm_area_struct *vma)
{
    const struct anon_vma_chain *avc;
    bool chained = false;
    long objects = 1;
    list_for_each_entry(avc, &vma->anon_vma_chain, same_vma) {
        assert_ptr_equal(avc->vma, vma);
        assert_ptr_equal(avc->anon_vma->root, vma->anon_vma->root); /* one family, one lock */
        know(avc->anon_vma)->chains++;
        chained |= avc->anon_vma == vma->anon_vma;
        objects++;
    }
    assert_int_equal(chained, vma->anon_vma != NULL);
    if (chained)
        know(vma->anon_vma)->active++;
    return objects;
}

static inline void anon_vmas_add_up(void)
{
    struct vm_area_struct *vma;
    long objects = 0;
    nr_known = 0;
    for (unsigned s = 0; s < SPACES; s++) {
        if (!spaces[s].mm)
            continue;
        assert_int_equal(vma_check(spaces[s].mm, &stderr_sink), 0);
        for_each_vma(spaces[s].mm, vma)
            objects += count_vma(vma);
    }
    for (unsigned i = 0; i < nr_known; i++) {
        const struct known *k = &known[i];
        const struct anon_vma *av = k->av;
        assert_int_equal(chains_of(av), k->chains);
        assert_int_equal(av->num_active_vmas, k->active);
        assert_int_equal(av->num_children, k->children_in_use);
        assert_int_equal(av->refcount, k->chains + k->children);
        assert_ptr_equal(av->root, av->parent ? av->parent->root : av);
    }
    assert_int_equal(objects_out, objects + nr_known);
}

static inline void audit(void)
{
    every_page_finds_its_entries();
    anon_vmas_add_up();
}

#endif
