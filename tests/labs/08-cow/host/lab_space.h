/* SPDX-License-Identifier: MIT */
/*
 * lab_space.h - the machine of this lab's tests: two nodes, a hart on each, page tables and TLBs.
 *
 *      lab_map(mm, ANON, ...)      a range                   lab_store(), lab_load()   as a hart
 *      lab_put(vma, addr, ...)     a page by hand: no        lab_all_is_back()         what came
 *                                  code of the lab runs                                went
 *
 * Free pages are filled with a pattern (page_poison=1): who forgets to clear a page sees it, and
 * who writes to a page after it was freed is found when it is next used.
 */
#ifndef LAB_SPACE_H
#define LAB_SPACE_H

#include "labs/wire/expect.h"

#include "tlb_model.h"

#define SPACE_HAS_TLB
#include "virt/space.h"

#include "base/string.h"
#include "fault/fault_kinds.h"
#include "phys/pcp.h"
#include "phys/pressure.h"

#define BASE (GIB(1) - 16 * PAGE_SIZE) /* so that ranges lie in two tables */
#define TOP GIB(4)
#define FILE_PAGES 32
#define WRITABLE (PTE_U | PTE_R | PTE_W | PTE_A | PTE_D) /* an entry of a range of rw- */
#define FILE_WORD(i) (0xf11e000000000000UL + (i))

enum kind { ANON, FILE_PRIVATE, FILE_SHARED };

static struct address_space lab_file;
static struct mm_struct *mm, *other; /* two spaces */
static uint64_t free_at_start;
static long objects_at_start;

/* What happens while the allocator looks for memory that is short, once; NULL: nothing. */
static void (*lab_meanwhile)(void);
static struct page *hoard[16384]; /* what is taken away so that memory is short */
static unsigned nr_hoard;

/* --- memory that is short --------------------------------------------------------------------- */

/** Free pages of all zones, those on pagesets included. */
static inline uint64_t lab_free_pages(void)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < nr_zones; i++)
        n += zones[i]->nr_free_pages + zone_pcp_pages(zones[i]);
    return n;
}

/** Take memory away until nothing is left; then give so many pages back. */
static inline void lab_leave(unsigned pages)
{
    struct page *page;
    void (*meanwhile)(void) = lab_meanwhile;
    lab_meanwhile = NULL;
    while ((page = alloc_page(GFP_KERNEL | __GFP_MEMALLOC)))
        hoard[nr_hoard++] = page;
    while (pages-- && nr_hoard)
        __free_page(hoard[--nr_hoard]);
    lab_meanwhile = meanwhile;
}

static inline void lab_give_back(void)
{
    while (nr_hoard)
        __free_page(hoard[--nr_hoard]);
}

/* The ladder's only rung: another hart does something just now, and then there is memory. */
static enum relief_result lab_relieve(struct relief_request *request)
{
    void (*meanwhile)(void) = lab_meanwhile;
    (void)request;
    if (!meanwhile)
        return RELIEF_NONE;
    lab_meanwhile = NULL;
    lab_give_back();
    meanwhile();
    return RELIEF_PROGRESS;
}

static struct relief lab_rung = {
    .name = "meanwhile", .rank = RELIEF_RANK_COMPACT, .relieve = lab_relieve};

/* --- the machine ------------------------------------------------------------------------------ */

static const struct address_space_ops lab_file_ops = {
    .get_page = shmem_get_page,
    .replace_page = shmem_replace_page,
};

static inline void lab_file_make(void)
{
    int err = 0;
    address_space_init(&lab_file, &lab_file_ops, NULL, FILE_PAGES * PAGE_SIZE);
    for (unsigned i = 0; i < FILE_PAGES; i++) {
        struct page *page = shmem_get_page(&lab_file, i, &err);
        assert_non_null(page);
        *(uint64_t *)page_address(page) = FILE_WORD(i);
        put_page(page);
    }
}

/** The space's VMA at the address. */
static inline struct vm_area_struct *lab_vma(struct mm_struct *space, uint64_t addr)
{
    struct vm_area_struct *vma = vma_lookup(space, addr);
    assert_non_null(vma);
    return vma;
}

/** Map so many pages; a file's from its first page on. Returns the VMA. */
static inline struct vm_area_struct *lab_map(struct mm_struct *space, enum kind kind, uint64_t addr,
                                             uint64_t pages, uint64_t prot)
{
    struct mmap_request req = {
        .addr = addr,
        .len = pages * PAGE_SIZE,
        .prot = prot,
        .flags = MAP_FIXED | MAP_NORESERVE | (kind == FILE_SHARED ? MAP_SHARED : MAP_PRIVATE) |
                 (kind == ANON ? MAP_ANONYMOUS : 0),
        .mapping = kind == ANON ? NULL : &lab_file,
    };
    assert_int_equal(do_mmap(space, &req), addr);
    return lab_vma(space, addr);
}

static inline int lab_boot(void **state)
{
    static pte_t root[PT_ENTRIES];
    static bool registered;
    (void)state;
    memset(tlb_model, 0, sizeof(tlb_model));
    memset(lru_batches, 0, sizeof(lru_batches));
    tlb_complaint[0] = '\0';
    lab_meanwhile = NULL;
    nr_hoard = 0;
    objects_left = LONG_MAX;
    fake_begin();
    fake_memory(0, 0, MIB(8));
    fake_memory(1, MIB(16), MIB(8));
    fake_hart(0);
    fake_hart(1);
    fake_boot("page_poison=1");
    if (!registered)
        relief_register(&lab_rung);
    registered = true;
    kernel_pgtable.root = root;
    mm_init();
    fault_init();
    sysctl_overcommit_memory = OVERCOMMIT_ALWAYS;
    lab_leave(0);
    lab_give_back(); /* now all free pages have the pattern */
    lab_file_make();
    lru_add_drain_all();
    free_at_start = lab_free_pages();
    objects_at_start = objects_out;
    mm = space_new(TOP);
    other = space_new(TOP);
    return 0;
}

/** Both spaces go. Every page, object and count that they had is back. */
static inline void lab_all_is_back(void)
{
    lab_give_back();
    objects_left = LONG_MAX;
    host_become(0);
    mmput(other);
    mmput(mm);
    lru_add_drain_all();
    expect_equal(global_node_state(NR_ANON_MAPPED), 0, "private pages mapped, when all are gone");
    expect_equal(global_node_state(NR_FILE_MAPPED), 0, "pages of files mapped, when all are gone");
    expect_equal(lab_free_pages(), free_at_start, "free pages, when all spaces are gone");
    expect_equal(objects_out, objects_at_start, "VMAs, anon_vmas and the like, when all are gone");
    expect_equal(lru_check(&stderr_sink), 0, "faults of the LRU lists");
    fake_check();
}

/* --- pages and entries, by hand --------------------------------------------------------------- */

static inline pte_t *lab_pte(struct mm_struct *space, uint64_t addr)
{
    pte_t *pte = mm_make_pte(space, addr);
    assert_non_null(pte);
    return pte;
}

static inline pte_t lab_entry(struct mm_struct *space, uint64_t addr)
{
    const pte_t *pte = mm_find_pte(space, addr);
    return pte ? pte_load(pte) : mk_pte(0);
}

static inline const char *lab_describe(pte_t e, char *text, size_t size)
{
    const char *type = pte_is_migration(e)   ? "on the move"
                       : pte_is_prot_none(e) ? "PROT_NONE"
                                             : "not present";
    if (pte_none(e))
        snprintf(text, size, "empty");
    else if (!pte_present(e))
        snprintf(text, size, "%s, type %u, frame %#lx", type, pte_type(e), pte_offset(e));
    else
        snprintf(text, size, "frame %#lx %c%c%c%c%c%c%s", pte_pfn(e).v, e.v & PTE_R ? 'r' : '-',
                 e.v & PTE_W ? 'w' : '-', e.v & PTE_X ? 'x' : '-', e.v & PTE_U ? 'u' : '-',
                 e.v & PTE_A ? 'a' : '-', e.v & PTE_D ? 'd' : '-',
                 pte_special(e) ? " special" : "");
    return text;
}

static inline void lab_expect_entry(pte_t got, pte_t want, const char *what)
{
    char is[64], should[64];
    if (got.v != want.v)
        fail_msg("%s != %s\n%s", lab_describe(got, is, sizeof(is)),
                 lab_describe(want, should, sizeof(should)), what);
}

/** What the entry maps, which must be a page. */
static inline struct page *lab_page(struct mm_struct *space, uint64_t addr)
{
    pte_t e = lab_entry(space, addr);
    char text[64];
    expect_true(pte_maps_page(e), "the entry of %#lx maps a page; it is: %s", addr,
                lab_describe(e, text, sizeof(text)));
    return pfn_to_page(pte_pfn(e));
}

/** A private page full of `word` at addr, with these rights; on the LRU list. */
static inline struct page *lab_put(struct vm_area_struct *vma, uint64_t addr, uint64_t word,
                                   uint64_t prot)
{
    assert_int_equal(anon_vma_prepare(vma), 0);
    pte_t *pte = lab_pte(vma->vm_mm, addr);
    struct page *page = alloc_page(GFP_HIGHUSER_MOVABLE);
    assert_non_null(page);
    uint64_t *words = page_address(page);
    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++)
        words[i] = word + i;
    spin_lock(&vma->vm_mm->page_table_lock);
    page_add_new_anon_rmap(page, vma, addr);
    mm_count(vma->vm_mm, MM_ANONPAGES, 1);
    lru_cache_add(page);
    pte_store(pte, pte_make(page_to_pfn(page), prot | PTE_U | PTE_A | PTE_D));
    spin_unlock(&vma->vm_mm->page_table_lock);
    lru_add_drain();
    return page;
}

/** One more entry for a private page. */
static inline void lab_share(struct vm_area_struct *vma, uint64_t addr, struct page *page,
                             uint64_t prot)
{
    pte_t *pte = lab_pte(vma->vm_mm, addr);
    get_page(page);
    page_add_anon_rmap(page);
    mm_count(vma->vm_mm, MM_ANONPAGES, 1);
    pte_store(pte, pte_make(page_to_pfn(page), prot | PTE_U | PTE_A | PTE_D));
}

/** A VMA of the other space that may share the pages of this one, as after a fork. */
static inline struct vm_area_struct *lab_child(struct vm_area_struct *vma, uint64_t prot)
{
    struct vm_area_struct *child = lab_map(other, ANON, vma->vm_start, vma_pages(vma), prot);
    assert_int_equal(anon_vma_fork(child, vma), 0);
    return child;
}

/** The file's page in an entry. */
static inline struct page *lab_put_file(struct vm_area_struct *vma, uint64_t addr, uint64_t prot)
{
    int err = 0;
    pte_t *pte = lab_pte(vma->vm_mm, addr);
    struct page *page = shmem_get_page(vma->vm_mapping, vma_index(vma, addr), &err);
    assert_non_null(page);
    page_add_file_rmap(page);
    mm_count(vma->vm_mm, mm_counter_of(page), 1);
    pte_store(pte, pte_make(page_to_pfn(page), prot | PTE_U | PTE_A | PTE_D));
    return page;
}

/** The page of zeros in an entry. */
static inline void lab_put_zeros(struct vm_area_struct *vma, uint64_t addr)
{
    pte_store(lab_pte(vma->vm_mm, addr),
              pte_make(page_to_pfn(zero_page), PTE_R | PTE_U | PTE_A | PTE_SPECIAL));
}

/** Take one entry out, as another thread's MADV_DONTNEED does. */
static inline void lab_zap(struct mm_struct *space, uint64_t addr)
{
    pte_t *pte = lab_pte(space, addr);
    pte_t e = pte_load(pte);
    spin_lock(&space->page_table_lock);
    pte_exchange(pte, mk_pte(0));
    tlb_flush_page(&space->tlb, mk_vaddr(addr));
    if (pte_maps_page(e) && !pte_special(e)) {
        struct page *page = pfn_to_page(pte_pfn(e));
        mm_count(space, mm_counter_of(page), -1);
        page_remove_rmap(page);
        spin_unlock(&space->page_table_lock);
        put_page(page);
        return;
    }
    spin_unlock(&space->page_table_lock);
}

/** Does the page hold what lab_put() put there? */
static inline void lab_expect_words(const struct page *page, uint64_t word, const char *what)
{
    const uint64_t *words = page_address(page);
    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++)
        expect_equal(words[i], word + i, "word %u of %s", i, what);
}

static inline void lab_expect_zeros(const struct page *page, const char *what)
{
    const uint64_t *words = page_address(page);
    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++)
        expect_equal(words[i], 0, "word %u of %s", i, what);
}

/* --- a hart with a TLB ------------------------------------------------------------------------ */

/* May the hart do that with the entry, without setting A or D itself? */
static inline bool lab_allows(pte_t e, uint64_t access)
{
    uint64_t bits = access | PTE_U | PTE_A | (access == PTE_W ? PTE_D : 0);
    return pte_leaf(e) && (e.v & bits) == bits;
}

/** Where this hart reads or writes the word at addr. NULL: *result says why not. */
static inline uint64_t *lab_word(struct mm_struct *space, uint64_t addr, uint64_t access,
                                 enum fault_result *result)
{
    *result = FAULT_DONE;
    for (unsigned tries = 0; *result <= FAULT_MAJOR && tries < 8; tries++) {
        struct translation *t = tlb_find(hart_index(), &space->tlb, addr);
        pte_t e = t ? t->e : lab_entry(space, addr);
        if (!t && lab_allows(e, access))
            tlb_remember(space, addr, e);
        if (lab_allows(e, access))
            return (uint64_t *)((char *)page_address(pfn_to_page(pte_pfn(e))) +
                                (addr & (PAGE_SIZE - 1)));
        *result = user_fault(space, addr, access);
    }
    return NULL; /* or DONE, and still not there: a fault that leads nowhere */
}

static inline enum fault_result lab_store(struct mm_struct *space, uint64_t addr, uint64_t value)
{
    enum fault_result result;
    uint64_t *word = lab_word(space, addr, PTE_W, &result);
    expect_true(word || result > FAULT_MAJOR, "a store to %#lx comes to an end", addr);
    if (word)
        *word = value;
    return result;
}

static inline enum fault_result lab_load(struct mm_struct *space, uint64_t addr, uint64_t *value)
{
    enum fault_result result;
    const uint64_t *word = lab_word(space, addr, PTE_R, &result);
    expect_true(word || result > FAULT_MAJOR, "a load from %#lx comes to an end", addr);
    if (word)
        *value = *word;
    return result;
}

/** Nothing was wrong with flushes, and no hart reaches what the table does not map. */
static inline void lab_expect_fences(void)
{
    expect_true(!tlb_complaint[0], "%s", tlb_complaint);
}

#endif
