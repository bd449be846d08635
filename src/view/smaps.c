/* SPDX-License-Identifier: MIT */
/*
 * smaps.c - /proc/PID/{smaps,smaps_rollup,numa_maps}: where the pages of each range are, and whose.
 *
 *      each page of a VMA --> shared or private (mapcount), clean or dirty, on which node
 *
 * Locks: mmap_lock for reading; entries are read as they stand.
 * Linux's counterpart: fs/proc/task_mmu.c; proc_pid_smaps(5), numa(7).
 */
#include "base/string.h"
#include "phys/node.h"
#include "view/guest_view.h"
#include "view/maps.h"
#include "view/view.h"
#include "virt/mapping.h"
#include "virt/vma_print.h"

#define PAGE_KB (PAGE_SIZE >> 10)

/* --- smaps ------------------------------------------------------------------------------------ */

/* Pages of a range by who shares them and whether they were written. */
struct usage {
    uint64_t size, rss, pss, shared_clean, shared_dirty, private_clean, private_dirty;
    uint64_t referenced, anonymous, swap, locked;
    uint64_t node_pages[MAX_NODES];
};

static void use_page(struct usage *u, const struct vm_area_struct *vma, pte_t e)
{
    if (pte_special(e) || !pfn_valid(pte_pfn(e)))
        return;
    struct page *page = pfn_to_page(pte_pfn(e));
    int sharers = MAX(load_relaxed(&page->mapcount), 1);
    bool dirty = page->type == PAGE_ANON || pte_dirty(e);
    u->rss++;
    u->pss += (PAGE_SIZE << 12) / (uint64_t)sharers >> 12; /* bytes */
    u->locked += vma->vm_flags & VM_LOCKED ? (PAGE_SIZE << 12) / (uint64_t)sharers >> 12 : 0;
    u->referenced += pte_young(e);
    u->anonymous += page->type == PAGE_ANON;
    u->node_pages[page->nid]++;
    if (sharers > 1 && dirty)
        u->shared_dirty++;
    else if (sharers > 1)
        u->shared_clean++;
    else if (dirty)
        u->private_dirty++;
    else
        u->private_clean++;
}

static void add_vma(struct usage *u, struct vm_area_struct *vma)
{
    u->size += vma_pages(vma);
    for (uint64_t at = vma->vm_start; at < vma->vm_end;) {
        pte_t *entry = mm_find_pte(vma->vm_mm, at);
        if (!entry) { /* no table: nothing for the rest of its 2 MiB */
            at = ALIGN_DOWN(at, pt_level_size(1)) + pt_level_size(1);
            continue;
        }
        pte_t e = pte_load(entry);
        if (pte_maps_page(e))
            use_page(u, vma, e);
        else if (pte_is_swap(e))
            u->swap++;
        at += PAGE_SIZE;
    }
}

static void usage_rows(struct sink *out, const struct usage *u, bool with_size)
{
    const struct {
        const char *name;
        uint64_t kb;
    } rows[] = {
        {"Size:", u->size * PAGE_KB},
        {"KernelPageSize:", PAGE_KB},
        {"MMUPageSize:", PAGE_KB},
        {"Rss:", u->rss * PAGE_KB},
        {"Pss:", u->pss >> 10},
        {"Shared_Clean:", u->shared_clean * PAGE_KB},
        {"Shared_Dirty:", u->shared_dirty * PAGE_KB},
        {"Private_Clean:", u->private_clean * PAGE_KB},
        {"Private_Dirty:", u->private_dirty * PAGE_KB},
        {"Referenced:", u->referenced * PAGE_KB},
        {"Anonymous:", u->anonymous * PAGE_KB},
        {"LazyFree:", 0},
        {"AnonHugePages:", 0},
        {"ShmemPmdMapped:", 0},
        {"FilePmdMapped:", 0},
        {"Shared_Hugetlb:", 0},
        {"Private_Hugetlb:", 0},
        {"Swap:", u->swap * PAGE_KB},
        {"SwapPss:", u->swap * PAGE_KB},
        {"Locked:", u->locked >> 10},
    };
    for (unsigned i = with_size ? 0 : 3; i < ARRAY_SIZE(rows); i++)
        print(out, "%-15s %8lu kB\n", rows[i].name, rows[i].kb);
}

static void show_smap(struct sink *out, struct vm_area_struct *vma)
{
    static const struct {
        uint64_t flag;
        char text[4];
    } names[] = {
        {VM_READ, "rd"},         {VM_WRITE, "wr"},     {VM_EXEC, "ex"},
        {VM_SHARED, "sh"},       {VM_MAYREAD, "mr"},   {VM_MAYWRITE, "mw"},
        {VM_MAYEXEC, "me"},      {VM_MAYSHARE, "ms"},  {VM_GROWSDOWN, "gd"},
        {VM_UFFD_MISSING, "um"}, {VM_LOCKED, "lo"},    {VM_SEQ_READ, "sr"},
        {VM_RAND_READ, "rr"},    {VM_DONTCOPY, "dc"},  {VM_DONTEXPAND, "de"},
        {VM_LOCKONFAULT, "lf"},  {VM_ACCOUNT, "ac"},   {VM_NORESERVE, "nr"},
        {VM_WIPEONFORK, "wf"},   {VM_DONTDUMP, "dd"},  {VM_HUGEPAGE, "hg"},
        {VM_NOHUGEPAGE, "nh"},   {VM_MERGEABLE, "mg"}, {VM_SEALED, "sl"},
    };
    struct usage u = {0};
    add_vma(&u, vma);
    vma_print(out, vma);
    usage_rows(out, &u, true);
    print(out, "THPeligible:           0\nVmFlags: ");
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (vma->vm_flags & names[i].flag)
            print(out, "%s ", names[i].text);
    print(out, "\n");
}

static int show_smaps(struct sink *out, const struct view_args *args, uint64_t *from)
{
    return show_vmas(out, args, from, show_smap);
}

static int show_rollup_of(struct sink *out, struct guest *g, struct mm_struct *mm)
{
    struct usage u = {0};
    struct vm_area_struct *vma;
    uint64_t start = 0, end = 0;
    (void)g;
    if (!mm)
        return 0;
    down_read(&mm->mmap_lock);
    for_each_vma(mm, vma) {
        start = start ? start : vma->vm_start;
        end = vma->vm_end;
        add_vma(&u, vma);
    }
    up_read(&mm->mmap_lock);
    print(out, "%08lx-%08lx ---p 00000000 00:00 0                          [rollup]\n", start, end);
    usage_rows(out, &u, false);
    return 0;
}

static int show_rollup(struct sink *out, const struct view_args *args)
{
    return with_guest(out, args, show_rollup_of);
}

/* --- numa_maps -------------------------------------------------------------------------------- */

static void show_numa_map(struct sink *out, struct vm_area_struct *vma)
{
    struct usage u = {0};
    add_vma(&u, vma);
    print(out, "%08lx ", vma->vm_start);
    mpol_print(vma->vm_policy ? vma->vm_policy : vma->vm_mm->policy, out);
    if (vma->vm_mapping) {
        print(out, " file=");
        vma_print_name(out, vma);
    } else if (vma_has_name(vma)) {
        char name[16];
        struct buffer_sink b;
        buffer_sink_init(&b, name, sizeof(name));
        vma_print_name(&b.sink, vma); /* "[heap]": numa_maps leaves the brackets out */
        print(out, " %.*s", (int)strlen(name) - 2, name + 1);
    }
    if (u.anonymous)
        print(out, " anon=%lu", u.anonymous);
    if (u.rss > u.anonymous)
        print(out, " mapped=%lu", u.rss - u.anonymous);
    for (unsigned nid = 0; nid < MAX_NODES; nid++)
        if (u.node_pages[nid])
            print(out, " N%u=%lu", nid, u.node_pages[nid]);
    print(out, " kernelpagesize_kB=%lu\n", PAGE_KB);
}

static int show_numa_maps(struct sink *out, const struct view_args *args, uint64_t *from)
{
    return show_vmas(out, args, from, show_numa_map);
}

static const struct view views[] = {
    {.path = "/proc/%p/smaps", .show_part = show_smaps},
    {.path = "/proc/%p/smaps_rollup", .show = show_rollup},
    {.path = "/proc/%p/numa_maps", .show_part = show_numa_maps},
};

void view_smaps_init(void)
{
    view_register(views, ARRAY_SIZE(views));
}
