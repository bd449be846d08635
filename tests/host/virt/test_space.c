/* SPDX-License-Identifier: MIT */
/*
 * test_space.c - guests that map, fork, write and unmap at random, against what each should see.
 *
 *      model: for each space and page   what is mapped, its rights, and the value it was given
 *             for the file              the value of each page
 *
 * And after each few steps the way back: every page must find exactly the entries that map it,
 * through chains of anon_vmas that forks, splits, merges and moves have left, and through the
 * file's tree. The entries are collected by walking all page tables.
 */
#include "virt/space.h"

#include "base/random.h"
#include "fault/zap.h"
#include "pressure/migrate.h"

#define SPACES 6u
#define PAGES 96u
#define FILE_PAGES 64u
#define BASE (GIB(1) - 40 * PAGE_SIZE) /* so there are two tables on each level below the root */
#define TOP (BASE + PAGES * PAGE_SIZE)
#define STEPS 6000u

#define MADV_DONTNEED 4

enum kind { NONE, ANON, FILE_PRIVATE, FILE_SHARED };

struct model_page {
    uint8_t kind;
    uint8_t prot;
    bool own;       /* was written to, privately */
    uint32_t index; /* of the file */
    uint64_t value; /* own: what was written last */
};

static struct world {
    struct rng rng;
    struct mm_struct *mm[SPACES];
    struct model_page model[SPACES][PAGES];
    struct address_space file;
    uint64_t content[FILE_PAGES];
    uint64_t next_value;
} w;

static const struct address_space_ops file_ops = {
    .get_page = shmem_get_page,
    .replace_page = shmem_replace_page,
};

static unsigned below(unsigned n)
{
    return (unsigned)rng_below(&w.rng, n);
}

static uint64_t addr_of(unsigned page)
{
    return BASE + page * PAGE_SIZE;
}

/* --- a single access -------------------------------------------------------------------------- */

static uint64_t value_of(const struct model_page *p)
{
    if (p->own)
        return p->value;
    return p->kind == ANON ? 0 : w.content[p->index];
}

static enum fault_result expected(const struct model_page *p, unsigned prot)
{
    if (!p->kind)
        return FAULT_MAPERR;
    if (!(p->prot & prot || (prot == PROT_READ && (p->prot & PROT_WRITE))))
        return FAULT_ACCERR;
    return p->kind != ANON && p->index >= FILE_PAGES && !p->own ? FAULT_SIGBUS : FAULT_DONE;
}

static void load(unsigned s, unsigned page)
{
    const struct model_page *p = &w.model[s][page];
    uint64_t value = 0;
    enum fault_result wanted = expected(p, PROT_READ);
    assert_int_equal(space_load(w.mm[s], addr_of(page), &value), wanted);
    if (wanted == FAULT_DONE)
        assert_int_equal(value, value_of(p));
}

static void store(unsigned s, unsigned page)
{
    struct model_page *p = &w.model[s][page];
    enum fault_result wanted = expected(p, PROT_WRITE);
    uint64_t value = ++w.next_value;
    assert_int_equal(space_store(w.mm[s], addr_of(page), value), wanted);
    if (wanted != FAULT_DONE)
        return;
    if (p->kind == FILE_SHARED) {
        w.content[p->index] = value;
    } else {
        p->own = true;
        p->value = value;
    }
}

/* --- the way back ----------------------------------------------------------------------------- */

#define MAX_ENTRIES (SPACES * PAGES)

static struct entry {
    struct page *page;
    const struct mm_struct *mm;
    uint64_t addr;
    bool found;
} entries[MAX_ENTRIES];
static unsigned nr_entries;

static void collect(void)
{
    nr_entries = 0;
    for (unsigned s = 0; s < SPACES; s++) {
        for (unsigned i = 0; w.mm[s] && i < PAGES; i++) {
            const pte_t *pte = mm_find_pte(w.mm[s], addr_of(i));
            pte_t e = pte ? pte_load(pte) : mk_pte(0);
            assert_false(pte_is_migration(e));
            if (pte_maps_page(e) && !pte_special(e))
                entries[nr_entries++] =
                    (struct entry){pfn_to_page(pte_pfn(e)), w.mm[s], addr_of(i), false};
        }
    }
}

static bool tick(const struct rmap_entry *e, void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < nr_entries; i++) {
        struct entry *known = &entries[i];
        if (known->page == e->page && known->mm == e->vma->vm_mm && known->addr == e->addr) {
            assert_false(known->found); /* told twice */
            known->found = true;
            return true;
        }
    }
    fail_msg("an entry that does not map the page");
    return false;
}

static void every_page_finds_its_mappers(void)
{
    collect();
    for (unsigned i = 0; i < nr_entries; i++) {
        struct page *page = entries[i].page;
        int32_t mappers = 0;
        for (unsigned j = 0; j < nr_entries; j++)
            mappers += entries[j].page == page;
        assert_int_equal(page->mapcount, mappers);
        if (!entries[i].found)
            rmap_walk(page, tick, NULL);
        assert_true(entries[i].found);
    }
}

static void audit(void)
{
    unsigned faults = lru_check(&stderr_sink);
    every_page_finds_its_mappers();
    for (unsigned s = 0; s < SPACES; s++)
        if (w.mm[s])
            faults += mm_check(w.mm[s], &stderr_sink);
    assert_int_equal(faults, 0);
    fake_check();
}

/* --- steps that change what is mapped --------------------------------------------------------- */

static bool all_mapped(unsigned s, unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++)
        if (!w.model[s][i].kind)
            return false;
    return true;
}

static void step_map(unsigned s, unsigned first, unsigned n, unsigned prot)
{
    enum kind kind = below(3) ? ANON : below(2) ? FILE_PRIVATE : FILE_SHARED;
    /* few different offsets, so that neighbours may merge */
    unsigned index = below(4) ? first % FILE_PAGES : below(FILE_PAGES);
    struct mmap_request req = {
        .addr = addr_of(first),
        .len = n * PAGE_SIZE,
        .prot = prot,
        .flags = MAP_FIXED | (kind == FILE_SHARED ? MAP_SHARED : MAP_PRIVATE) |
                 (kind == ANON ? MAP_ANONYMOUS : 0),
        .mapping = kind == ANON ? NULL : &w.file,
        .pgoff = kind == ANON ? 0 : index,
    };
    assert_int_equal(do_mmap(w.mm[s], &req), addr_of(first));
    for (unsigned i = 0; i < n; i++)
        w.model[s][first + i] = (struct model_page){.kind = kind, .prot = prot, .index = index + i};
}

static void step_unmap(unsigned s, unsigned first, unsigned n)
{
    assert_int_equal(do_munmap(w.mm[s], addr_of(first), n * PAGE_SIZE), 0);
    memset(&w.model[s][first], 0, n * sizeof(struct model_page));
}

static void step_protect(unsigned s, unsigned first, unsigned n, unsigned prot)
{
    bool whole = all_mapped(s, first, n);
    assert_int_equal(do_mprotect(w.mm[s], addr_of(first), n * PAGE_SIZE, prot),
                     whole ? 0 : -ENOMEM);
    for (unsigned i = first; whole && i < first + n; i++)
        w.model[s][i].prot = (uint8_t)prot;
}

static void step_forget(unsigned s, unsigned first, unsigned n)
{
    int err = do_madvise(w.mm[s], addr_of(first), n * PAGE_SIZE, MADV_DONTNEED);
    assert_int_equal(err, all_mapped(s, first, n) ? 0 : -ENOMEM);
    for (unsigned i = first; i < first + n; i++)
        w.model[s][i].own = false;
}

static void step_move(unsigned s, unsigned first, unsigned n)
{
    unsigned len = 1 + below(12), to = below(PAGES - len);
    struct model_page moved[PAGES];
    if ((first < to + len && to < first + n) || !all_mapped(s, first, n))
        return;
    memcpy(moved, &w.model[s][first], n * sizeof(moved[0]));
    int64_t got = do_mremap(w.mm[s], addr_of(first), n * PAGE_SIZE, len * PAGE_SIZE,
                            MREMAP_MAYMOVE | MREMAP_FIXED, addr_of(to));
    if (got == -EFAULT) /* more than one range */
        return;
    assert_int_equal(got, addr_of(to));
    for (unsigned i = n; i < len; i++) {
        moved[i] = moved[n - 1];
        moved[i].index += i - n + 1;
        moved[i].own = false;
    }
    memset(&w.model[s][first], 0, n * sizeof(moved[0]));
    memcpy(&w.model[s][to], moved, len * sizeof(moved[0]));
}

static void step_fork(unsigned s)
{
    unsigned child = below(SPACES);
    if (child == s)
        return;
    if (w.mm[child])
        mmput(w.mm[child]);
    w.mm[child] = space_new(TOP);
    assert_int_equal(dup_mmap(w.mm[child], w.mm[s]), 0);
    memcpy(w.model[child], w.model[s], sizeof(w.model[s]));
}

static void step_exit(unsigned s)
{
    mmput(w.mm[s]);
    w.mm[s] = space_new(TOP);
    memset(w.model[s], 0, sizeof(w.model[s]));
}

static struct page *new_page(struct page *old, void *ctx)
{
    (void)old, (void)ctx;
    return alloc_page(GFP_HIGHUSER_MOVABLE);
}

/* Move a mapped page elsewhere: nobody may notice. */
static void step_migrate(void)
{
    LIST_HEAD(pages);
    unsigned moved = 0;
    lru_add_drain();
    collect();
    if (!nr_entries)
        return;
    struct page *page = entries[below(nr_entries)].page;
    if (lru_isolate(page))
        return;
    list_add(&page->lru, &pages);
    assert_int_equal(migrate_pages(&pages, new_page, NULL, MIGRATE_SYNC, &moved), 0);
    assert_int_equal(moved, 1);
}

static void step(void)
{
    static const uint8_t prots[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
                                    PROT_READ | PROT_WRITE};
    unsigned s = below(SPACES), n = 1 + below(12), first = below(PAGES - n), what = below(100);
    unsigned prot = prots[below(4)];
    if (!w.mm[s])
        w.mm[s] = space_new(TOP);
    if (what < 14)
        step_map(s, first, n, prot);
    else if (what < 20)
        step_unmap(s, first, n);
    else if (what < 30)
        step_protect(s, first, n, prot);
    else if (what < 34)
        step_forget(s, first, n);
    else if (what < 42)
        step_move(s, first, n);
    else if (what < 46)
        step_fork(s);
    else if (what < 47)
        step_exit(s);
    else if (what < 52)
        step_migrate();
    for (unsigned i = 0; i < 6; i++)
        below(2) ? store(s, below(PAGES)) : load(s, below(PAGES));
}

static void guests_see_what_they_should(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        memset(&w, 0, sizeof(w));
        rng_seed(&w.rng, seed);
        address_space_init(&w.file, &file_ops, NULL, FILE_PAGES * PAGE_SIZE);
        for (unsigned i = 0; i < STEPS; i++) {
            step();
            if (i % 32 == 0)
                audit();
        }
        for (unsigned s = 0; s < SPACES; s++)
            if (w.mm[s])
                mmput(w.mm[s]);
        shmem_drop_pages(&w.file, 0, UINT64_MAX);
        page_tree_destroy(&w.file.pages);
        lru_add_drain();
        assert_null(w.file.i_mmap.node);
        assert_int_equal(objects_out, 0);
        assert_int_equal(global_node_state(NR_ANON_MAPPED), 0);
        assert_int_equal(global_node_state(NR_FILE_MAPPED), 0);
        assert_int_equal(global_node_state(NR_PAGETABLE), 0);
        fake_check();
    }
}

static int set_up(void **state)
{
    (void)state;
    space_boot(1);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guests_see_what_they_should),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
