/* SPDX-License-Identifier: MIT */
/*
 * kernel_map_check.c - what must hold of every leaf of the monitor's half.
 *
 *      never W and X together      only the image's text is X      G, never U
 *      a frame of text or of constants is not W by any of its names
 *
 * Locks: none; entries of VMALLOC may come and go meanwhile, each is judged by itself.
 * Linux's counterpart: ptdump_check_wx(), mm/ptdump.c.
 */
#include "virt/kernel_map.h"

struct audit {
    struct sink *out;
    unsigned faults;
};

/* Does the leaf reach into a part of the image that may not be written? */
static bool covers_constant(pte_t e, uint64_t size)
{
    uint64_t start = pfn_to_paddr(pte_pfn(e)).v;
    for (uint32_t i = 0; i < nr_image_sections; i++) {
        const struct image_section *s = &image_sections[i];
        uint64_t first = virt_to_phys(s->start).v, end = virt_to_phys(s->end).v;
        if (!(s->prot & PTE_W) && start < end && first < start + size)
            return true;
    }
    return false;
}

static const char *fault_of(pte_t e, uint64_t va, uint64_t size)
{
    if (pte_writable(e) && pte_executable(e))
        return "writable and executable";
    if (pte_executable(e) && !vaddr_is_text(va))
        return "executable and not text";
    if (pte_user(e) || !(e.v & PTE_G))
        return "the user's or not global";
    if (pte_writable(e) && covers_constant(e, size))
        return "writable and part of the image's constants";
    return NULL;
}

static void check_table(struct audit *a, const pte_t *table, unsigned level, uint64_t base)
{
    uint64_t size = pt_level_size(level);
    for (unsigned i = 0; i < PT_ENTRIES; i++) {
        pte_t e = pte_load(&table[i]);
        uint64_t va = base + i * size;
        if (level == PT_LEVELS - 1 && i < LINEAR_ROOT_FIRST)
            continue;
        if (pte_table(e) && level)
            check_table(a, pt_table_of(e), level - 1, va);
        const char *fault = pte_leaf(e) ? fault_of(e, va, size) : NULL;
        if (fault) {
            print(a->out, "kernel map: the leaf at 0x%lx is %s\n", va, fault);
            a->faults++;
        }
    }
}

unsigned kernel_map_check(struct sink *out)
{
    struct audit a = {.out = out};
    /* index 256 stands for the first address of the upper half: sign-extended */
    check_table(&a, kernel_pgtable.root, PT_LEVELS - 1,
                LINEAR_BASE - LINEAR_ROOT_FIRST * pt_level_size(PT_LEVELS - 1));
    return a.faults;
}
