/* SPDX-License-Identifier: MIT */
/*
 * test_lab_mappers.c - from a page to its entries.
 *
 *      place_...      one range: where would the page be?
 *      walk_...       all ranges of a family, or of a file
 *
 * Ranges and chains are made by hand, so that nothing but the walk is looked at.
 */
#include "labs/09-rmap/host/mappers.h"

#include "virt/mapping.h"

#define FAR 100000u /* a linear index that has nothing to do with any address */

/* --- by hand ---------------------------------------------------------------------------------- */

static struct vm_area_struct *range(unsigned s, unsigned at, unsigned n, uint64_t pgoff,
                                    struct address_space *file)
{
    if (!spaces[s].mm)
        spaces[s].mm = fake_mm();
    struct vm_area_struct *vma = vma_alloc(spaces[s].mm, addr_of(at), addr_of(at + n), RW);
    vma->vm_pgoff = pgoff;
    vma->vm_mapping = file;
    vma_insert(spaces[s].mm, vma);
    return vma;
}

/* As a fork does it, or a split. */
static void hang(struct vm_area_struct *vma, struct anon_vma *av)
{
    struct anon_vma_chain *avc = calloc(1, sizeof(*avc));
    avc->vma = vma;
    avc->anon_vma = av;
    av->refcount++;
    list_add(&avc->same_vma, &vma->anon_vma_chain);
    list_add_tail(&avc->same_anon_vma, &av->chains);
    if (!vma->anon_vma)
        vma->anon_vma = av;
}

static pte_t entry_of(const struct page *page)
{
    return pte_make(page_to_pfn(page), PTE_U | PTE_R | PTE_A);
}

static struct page *new_page(struct vm_area_struct *vma, unsigned i)
{
    expect_equal(anon_vma_prepare(vma), 0, "anon_vma_prepare()");
    struct page *page = alloc_page(GFP_HIGHUSER_MOVABLE);
    page_add_new_anon_rmap(page, vma, addr_of(i));
    spaces[space_of(vma->vm_mm)].entries[i] = entry_of(page);
    return page;
}

static void share(struct page *page, unsigned s, unsigned i)
{
    spaces[s].entries[i] = entry_of(page);
    page_add_anon_rmap(page);
}

/* --- step 1: where the page would be ---------------------------------------------------------- */

static void place_is_counted_from_the_start_of_the_range(void **state)
{
    (void)state;
    struct vm_area_struct *vma = range(0, 2, 8, FAR, NULL);
    struct page *first = new_page(vma, 2), *some = new_page(vma, 5), *last = new_page(vma, 9);
    expect_found(first, "0:2", "the first page of the range");
    expect_found(some, "0:5", "a page inside of the range");
    expect_found(last, "0:9", "the last page of the range");
}

/* mremap: the range begins elsewhere, its pages keep their index. */
static void place_goes_with_the_range(void **state)
{
    (void)state;
    struct vm_area_struct *vma = range(0, 2, 4, BASE >> PAGE_SHIFT, NULL);
    struct vm_area_struct *there = range(0, 12, 4, BASE >> PAGE_SHIFT, NULL);
    struct page *page = new_page(vma, 3);
    hang(there, vma->anon_vma);
    spaces[0].entries[13] = spaces[0].entries[3];
    spaces[0].entries[3] = mk_pte(0);
    expect_found(page, "0:13", "a page whose range was moved");
}

/* A split: both halves hang on the same anon_vma; the upper half's first page is not page 0. */
static void place_is_in_one_half(void **state)
{
    (void)state;
    struct vm_area_struct *low = range(0, 0, 4, FAR, NULL), *high = range(0, 4, 4, FAR + 4, NULL);
    struct page *a = new_page(low, 3), *b;
    hang(high, low->anon_vma);
    b = new_page(high, 4);
    expect_found(a, "0:3", "the last page before a split");
    expect_found(b, "0:4", "the first page behind a split");
    expect_equal(looked, 2, "entries that were looked at: a page lies in one half only");
}

static void place_outside_of_the_range_is_not_looked_at(void **state)
{
    (void)state;
    struct vm_area_struct *vma = range(0, 4, 8, FAR, NULL);
    struct page *page = new_page(vma, 8); /* index FAR + 4 */
    hang(range(1, 0, 4, FAR, NULL), vma->anon_vma);
    hang(range(2, 0, 4, FAR + 5, NULL), vma->anon_vma);
    hang(range(3, 0, 5, FAR, NULL), vma->anon_vma);
    share(page, 3, 4);
    expect_found(page, "0:8 3:4", "ranges that end before the page or begin behind it");
    expect_equal(looked, 2, "entries that were looked at");
}

static void place_may_hold_something_else(void **state)
{
    (void)state;
    struct vm_area_struct *vma = range(0, 0, 4, FAR, NULL);
    struct page *page = new_page(vma, 1), *other = new_page(vma, 2);
    for (unsigned s = 1; s < 6; s++)
        hang(range(s, 0, 4, FAR, NULL), vma->anon_vma);
    uint64_t pfn = page_to_pfn(page).v;
    spaces[1].entries[1] = entry_of(other);
    spaces[2].entries[1] = mk_pte(0);
    spaces[3].entries[1] = pte_make_absent(PTE_TYPE_PROT_NONE, pfn, 0);
    spaces[4].entries[1] = pte_make_absent(PTE_TYPE_MIGRATION_READ, pfn, 0);
    spaces[5].entries[1] = pte_make_absent(PTE_TYPE_MIGRATION_WRITE, page_to_pfn(other).v, 0);
    expect_found(page, "0:1 3:1 4:1",
                 "PROT_NONE and migration entries of the page count, those of another do not");
    spaces[1].entries[1] = pte_mkspecial(entry_of(page));
    spaces[2].entries[1] = pte_make_absent(PTE_TYPE_SWAP, pfn, 0);
    expect_found(page, "0:1 3:1 4:1", "a special entry and a swap slot are no entries of the page");
}

static void place_may_have_no_table(void **state)
{
    (void)state;
    struct page *page = new_page(range(0, 0, 4, FAR, NULL), 1);
    no_tables = true;
    expect_found(page, "", "there is no table for the address");
}

/* --- step 1: all who map it ------------------------------------------------------------------- */

static void walk_finds_the_whole_family(void **state)
{
    (void)state;
    struct vm_area_struct *vma = range(0, 0, 8, FAR, NULL);
    struct page *page = new_page(vma, 3);
    for (unsigned s = 1; s < 6; s++) {
        hang(range(s, s, 8, FAR, NULL), vma->anon_vma);
        share(page, s, s + 3);
    }
    expect_found(page, "0:3 1:4 2:5 3:6 4:7 5:8",
                 "each entry once, in the order in which the ranges came");
}

static void walk_goes_by_the_page_and_not_by_the_range(void **state)
{
    (void)state;
    struct vm_area_struct *parent = range(0, 0, 8, FAR, NULL), *child = range(1, 0, 8, FAR, NULL);
    struct page *old = new_page(parent, 3), *new;
    child->anon_vma = NULL;
    hang(child, parent->anon_vma);
    share(old, 1, 3);
    child->anon_vma = NULL;
    new = new_page(child, 4); /* an anon_vma of the child's own */
    expect_found(old, "0:3 1:3", "the parent's page, which the child maps too");
    looked = 0;
    expect_found(new, "1:4", "a page that the child has made");
    expect_equal(looked, 1, "entries looked at for the child's page: the parent cannot have it");
}

static void walk_ends_when_told(void **state)
{
    (void)state;
    struct vm_area_struct *vma = range(0, 0, 8, FAR, NULL);
    struct page *page = new_page(vma, 3);
    for (unsigned s = 1; s < 4; s++) {
        hang(range(s, 0, 8, FAR, NULL), vma->anon_vma);
        share(page, s, 3);
    }
    expect_told(page, 2, "0:3 1:3", "fn() said false at the second entry");
    expect_told(page, 1, "0:3", "fn() said false at the first entry");
    expect_equal(looked, 3, "entries that were looked at");
}

static const struct address_space_ops no_ops;

static struct page *file_page(struct address_space *file, uint64_t index)
{
    struct page *page = alloc_page(GFP_HIGHUSER_MOVABLE);
    page_set_type(page, PAGE_FILE);
    page->mapping = file;
    page->index = index;
    return page;
}

static void map_file_page(struct page *page, unsigned s, unsigned i)
{
    spaces[s].entries[i] = entry_of(page);
    page_add_file_rmap(page);
}

static void walk_finds_who_maps_a_file(void **state)
{
    (void)state;
    struct address_space file;
    address_space_init(&file, &no_ops, NULL, 64 * PAGE_SIZE);
    struct page *page = file_page(&file, 9);
    range(0, 4, 8, 4, &file);   /* 4..11 */
    range(1, 0, 1, 9, &file);   /* 9 */
    range(2, 0, 4, 0, &file);   /* 0..3 */
    range(3, 10, 10, 0, &file); /* 0..9 */
    range(4, 0, 8, 10, &file);  /* 10..17 */
    map_file_page(page, 0, 9);
    map_file_page(page, 1, 0);
    map_file_page(page, 3, 19);
    expect_found(page, "3:19 0:9 1:0", "in the order of for_each_i_mmap()");
    expect_equal(looked, 3, "entries that were looked at");
    expect_told(page, 2, "3:19 0:9", "fn() said false at the second entry");
}

static void walk_finds_nobody_for_a_file_that_is_gone(void **state)
{
    (void)state;
    struct page *page = file_page(NULL, 0);
    expect_found(page, "", "page->mapping is NULL: it was cut off the file");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(place_is_counted_from_the_start_of_the_range),
        TEST(place_goes_with_the_range),
        TEST(place_is_in_one_half),
        TEST(place_outside_of_the_range_is_not_looked_at),
        TEST(place_may_hold_something_else),
        TEST(place_may_have_no_table),
        TEST(walk_finds_the_whole_family),
        TEST(walk_goes_by_the_page_and_not_by_the_range),
        TEST(walk_ends_when_told),
        TEST(walk_finds_who_maps_a_file),
        TEST(walk_finds_nobody_for_a_file_that_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
