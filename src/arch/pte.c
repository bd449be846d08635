/* SPDX-License-Identifier: MIT */
/*
 * pte.c - page-table entries in words.
 *
 * Locks: none. Linux's counterpart: arch/riscv/mm/ptdump.c.
 */
#include "arch/pte.h"

static void print_flags(struct sink *out, pte_t e)
{
    static const struct {
        uint64_t bit;
        char letter;
    } flags[] = {{PTE_R, 'r'}, {PTE_W, 'w'}, {PTE_X, 'x'}, {PTE_U, 'u'},
                 {PTE_G, 'g'}, {PTE_A, 'a'}, {PTE_D, 'd'}};
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        print(out, "%c", e.v & flags[i].bit ? flags[i].letter : '-');
    if (e.v & PTE_SPECIAL)
        print(out, " special");
    if (e.v & PTE_RESERVED)
        print(out, " reserved bits 0x%lx", e.v >> 54);
}

static void describe_absent(struct sink *out, pte_t e)
{
    enum pte_type type = pte_type(e);
    if (pte_none(e))
        print(out, "none");
    else if (type == PTE_TYPE_MIGRATION_READ)
        print(out, "migration-read pfn 0x%lx", pte_offset(e));
    else if (type == PTE_TYPE_MIGRATION_WRITE)
        print(out, "migration-write pfn 0x%lx", pte_offset(e));
    else if (type == PTE_TYPE_PROT_NONE)
        print(out, "prot-none pfn 0x%lx", pte_offset(e));
    else if (type == PTE_TYPE_HWPOISON)
        print(out, "hwpoison pfn 0x%lx", pte_offset(e));
    else if (type >= PTE_TYPE_SWAP)
        print(out, "swap %u slot %lu", (unsigned)(type - PTE_TYPE_SWAP), pte_offset(e));
    else
        print(out, "corrupt 0x%016lx", e.v);
}

void pte_describe(struct sink *out, pte_t e, unsigned level)
{
    static const char *const sizes[PT_LEVELS] = {"4K", "2M", "1G"};
    if (!pte_present(e)) {
        describe_absent(out, e);
    } else if (pte_table(e)) {
        print(out, "table pfn 0x%lx", pte_pfn(e).v);
    } else if (!pte_readable(e) && pte_writable(e)) {
        print(out, "corrupt (W without R) 0x%016lx", e.v);
    } else {
        print(out, "leaf %s pfn 0x%lx ", level < PT_LEVELS ? sizes[level] : "?", pte_pfn(e).v);
        print_flags(out, e);
    }
}
