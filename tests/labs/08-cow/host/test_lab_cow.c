/* SPDX-License-Identifier: MIT */
/*
 * test_lab_cow.c - a family that forks, writes, forgets and exits at random, against a model.
 *
 *      space   [ anonymous | private file | shared file ]    model: the rights of each page and
 *      ...                                                   what should be read there
 *
 * Two harts with TLBs do it in turn. Memory is short now and then: a step may then fail, and has
 * changed nothing.
 */
#include "lab_space.h"

#include "base/random.h"

#define SPACES 5u
#define PAGES 40u
#define FIRST_PRIVATE 24u /* of the file; pages below it are anonymous */
#define FIRST_SHARED 32u
#define STEPS 3000u
#define LAST_WORD (PAGE_SIZE - sizeof(uint64_t))

#define MADV_DONTNEED 4

static struct rng rng;
static uint64_t next_value;
static uint64_t file_value[8]; /* both ranges of the file map its first eight pages */

static struct space {
    struct mm_struct *mm; /* NULL: nobody runs here */
    uint64_t value[PAGES];
    bool own[PAGES];
    uint8_t prot[PAGES];
} spaces[SPACES];

/* A private page that somebody looks at since the last fork: it must stay as it was. */
static struct page *watched;
static uint64_t watched_value;

static unsigned below(unsigned n)
{
    return (unsigned)rng_below(&rng, n);
}

static uint64_t addr_of(unsigned page)
{
    return BASE + page * PAGE_SIZE;
}

static uint64_t value_of(const struct space *s, unsigned page)
{
    if (s->own[page])
        return s->value[page];
    return page < FIRST_PRIVATE ? 0 : file_value[page % 8];
}

/* --- steps ------------------------------------------------------------------------------------ */

static void map_all(struct space *s)
{
    const uint64_t rw = PROT_READ | PROT_WRITE;
    s->mm = space_new(TOP);
    lab_map(s->mm, ANON, addr_of(0), FIRST_PRIVATE, rw);
    lab_map(s->mm, FILE_PRIVATE, addr_of(FIRST_PRIVATE), FIRST_SHARED - FIRST_PRIVATE, rw);
    lab_map(s->mm, FILE_SHARED, addr_of(FIRST_SHARED), PAGES - FIRST_SHARED, rw);
    memset(s->own, 0, sizeof(s->own));
    memset(s->prot, PROT_READ | PROT_WRITE, sizeof(s->prot));
}

static void step_load(struct space *s, unsigned page, bool may_fail)
{
    uint64_t first = ~0UL, last = ~0UL;
    enum fault_result wanted = s->prot[page] ? FAULT_DONE : FAULT_ACCERR;
    enum fault_result result = lab_load(s->mm, addr_of(page), &first);
    if (may_fail && result == FAULT_OOM)
        return;
    expect_equal(result, wanted, "a load from page %u", page);
    if (wanted != FAULT_DONE)
        return;
    expect_equal(first, value_of(s, page), "the first word of page %u", page);
    if (lab_load(s->mm, addr_of(page) + LAST_WORD, &last) == FAULT_DONE)
        expect_equal(last, value_of(s, page), "the last word of page %u", page);
}

static void step_store(struct space *s, unsigned page, bool may_fail)
{
    uint64_t value = ++next_value;
    enum fault_result wanted = s->prot[page] & PROT_WRITE ? FAULT_DONE : FAULT_ACCERR;
    enum fault_result result = lab_store(s->mm, addr_of(page), value);
    if (may_fail && result == FAULT_OOM)
        return;
    expect_equal(result, wanted, "a store to page %u", page);
    if (wanted != FAULT_DONE)
        return;
    expect_equal(lab_store(s->mm, addr_of(page) + LAST_WORD, value), FAULT_DONE, "a second store");
    if (page >= FIRST_SHARED) {
        file_value[page % 8] = value;
    } else {
        s->own[page] = true;
        s->value[page] = value;
    }
}

static void step_unwatch(void)
{
    if (!watched)
        return;
    expect_equal(*(uint64_t *)page_address(watched), watched_value,
                 "the first word of a page that somebody looks at since a fork");
    put_page(watched);
    watched = NULL;
}

static void step_watch(const struct space *s, unsigned page)
{
    pte_t e = lab_entry(s->mm, addr_of(page));
    if (page >= FIRST_PRIVATE || !pte_leaf(e) || pte_special(e) || pte_writable(e))
        return;
    watched = pfn_to_page(pte_pfn(e));
    watched_value = s->value[page];
    get_page(watched);
}

static void step_fork(struct space *s)
{
    struct space *child = &spaces[below(SPACES)];
    if (child == s)
        return;
    if (child->mm)
        mmput(child->mm);
    *child = *s;
    child->mm = space_new(TOP);
    expect_equal(dup_mmap(child->mm, s->mm), 0, "what dup_mmap() returns");
    step_unwatch();
    step_watch(s, below(PAGES));
}

static void step_forget(struct space *s, unsigned first, unsigned n)
{
    expect_equal(do_madvise(s->mm, addr_of(first), n * PAGE_SIZE, MADV_DONTNEED), 0, "madvise()");
    memset(&s->own[first], 0, n);
}

static void step_protect(struct space *s, unsigned first, unsigned n)
{
    static const uint8_t prots[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE};
    uint8_t prot = prots[below(3)];
    expect_equal(do_mprotect(s->mm, addr_of(first), n * PAGE_SIZE, prot), 0, "mprotect()");
    memset(&s->prot[first], prot, n);
}

static void step_in_need(struct space *s)
{
    lab_leave(below(3));
    for (unsigned i = 0; i < 6; i++) {
        unsigned page = below(PAGES);
        below(2) ? step_store(s, page, true) : step_load(s, page, true);
    }
    lab_give_back();
}

static void step(void)
{
    struct space *s = &spaces[below(SPACES)];
    unsigned n = 1 + below(8), first = below(PAGES - n), what = below(100);
    host_become(below(2));
    if (!s->mm)
        map_all(s);
    if (what < 8) {
        step_fork(s);
    } else if (what < 9) {
        mmput(s->mm);
        s->mm = NULL;
    } else if (what < 13) {
        step_forget(s, first, n);
    } else if (what < 20) {
        step_protect(s, first, n);
    } else if (what < 24) {
        step_in_need(s);
    } else {
        for (unsigned i = 0; i < 4; i++) {
            unsigned page = below(PAGES);
            below(2) ? step_store(s, page, false) : step_load(s, page, false);
        }
    }
}

/* --- looking at all of it --------------------------------------------------------------------- */

/* How many entries of all spaces map the page. */
static int entries_of(const struct page *page)
{
    int n = 0;
    for (unsigned s = 0; s < SPACES; s++) {
        for (unsigned i = 0; spaces[s].mm && i < PAGES; i++) {
            pte_t e = lab_entry(spaces[s].mm, addr_of(i));
            n += pte_maps_page(e) && pte_pfn(e).v == page_to_pfn(page).v;
        }
    }
    return n;
}

static void audit_page(struct page *page)
{
    int n = entries_of(page), extra = (page->type == PAGE_FILE) + (page == watched);
    expect_equal(page->mapcount, n, "mapcount of a page that %d entries map", n);
    expect_equal(page_count(page), n + extra, "references of a page that %d entries map, %d others",
                 n, extra);
}

static void audit_translations(const struct mm_struct *space)
{
    for (uint32_t hart = 0; hart < MODEL_HARTS; hart++) {
        for (unsigned i = 0; i < PAGES; i++) {
            const struct translation *t = tlb_find(hart, &space->tlb, addr_of(i));
            pte_t e = lab_entry((struct mm_struct *)space, addr_of(i));
            expect_true(!t || !pte_leaf(e) ||
                            (pte_pfn(t->e).v == pte_pfn(e).v && !(t->e.v & ~e.v & PTE_W)),
                        "hart %u remembers what page %u's entry says no more", hart, i);
        }
    }
}

static void audit(void)
{
    unsigned faults = 0;
    host_become(0);
    lru_add_drain_all();
    for (unsigned s = 0; s < SPACES; s++) {
        if (!spaces[s].mm)
            continue;
        faults += mm_check(spaces[s].mm, &stderr_sink);
        audit_translations(spaces[s].mm);
        for (unsigned i = 0; i < PAGES; i++) {
            pte_t e = lab_entry(spaces[s].mm, addr_of(i));
            if (pte_maps_page(e) && !pte_special(e))
                audit_page(pfn_to_page(pte_pfn(e)));
        }
    }
    expect_equal(faults + lru_check(&stderr_sink), 0, "faults that the checks find");
    expect_equal(zero_page->mapcount, 0, "mapcount of the page of zeros");
    lab_expect_zeros(zero_page, "the page of zeros");
    lab_expect_fences();
}

static void a_family_at_random(void **state)
{
    (void)state;
    rng_seed(&rng, lab_seed());
    memset(spaces, 0, sizeof(spaces));
    for (unsigned i = 0; i < 8; i++) {
        int err;
        struct page *page = shmem_get_page(&lab_file, i, &err);
        *(uint64_t *)((char *)page_address(page) + LAST_WORD) = file_value[i] = FILE_WORD(i);
        put_page(page);
    }
    for (unsigned i = 0; i < STEPS; i++) {
        step();
        if (i % 24 == 0)
            audit();
    }
    host_become(0);
    step_unwatch();
    for (unsigned s = 0; s < SPACES; s++)
        if (spaces[s].mm)
            mmput(spaces[s].mm);
    lab_all_is_back();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_family_at_random, lab_boot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
