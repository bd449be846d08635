/* SPDX-License-Identifier: MIT */
/*
 * selftest_arch.c - does the floor below keep its word? It lies too low to test itself.
 *
 *      user half of the kernel's tables: empty       so every uaccess must fault, and be fixed up
 *
 * Locks: none. Linux's counterpart: lib/test_user_copy.c, lib/usercopy_kunit.c.
 */
#include "kern/selftest_suites.h"

#include "arch/backtrace.h"
#include "arch/extable.h"
#include "arch/layout.h"
#include "arch/pte.h"
#include "arch/symbols.h"
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "kern/panic.h"
#include "sbi/sbi.h"

#define UNMAPPED 0x123456000UL
#define COPY_SIZE 300

/* --- user memory ----------------------------------------------------------------------------- */

static void faults_are_fixed_up(struct selftest *t)
{
    static char buf[COPY_SIZE];
    uint32_t word = 0;
    uint64_t wide = 0;

    EXPECT(t, extable_check());
    EXPECT(t, extable_fixup((uint64_t)faults_are_fixed_up) == 0);
    uaccess_nofault_begin();
    for (size_t n = 1; n < COPY_SIZE; n += 13) {
        vaddr_t at = mk_vaddr(UNMAPPED + n % sizeof(uint64_t));
        EXPECT(t, copy_from_user(buf, at, n) == n);
        EXPECT(t, copy_to_user(at, buf, n) == n);
        EXPECT(t, clear_user(at, n) == n);
    }
    EXPECT(t, strncpy_from_user(buf, mk_vaddr(UNMAPPED), COPY_SIZE) == -EFAULT);
    EXPECT(t, get_user_u32(&word, mk_vaddr(UNMAPPED)) == -EFAULT);
    EXPECT(t, get_user_u64(&wide, mk_vaddr(UNMAPPED)) == -EFAULT);
    EXPECT(t, put_user_u32(1, mk_vaddr(UNMAPPED)) == -EFAULT);
    EXPECT(t, put_user_u64(1, mk_vaddr(UNMAPPED)) == -EFAULT);
    EXPECT(t, cmpxchg_user_u32(mk_vaddr(UNMAPPED), &word, 1) == -EFAULT);
    uaccess_nofault_end();
    EXPECT(t, !(csr_read(sstatus) & SSTATUS_SUM));
}

static void the_monitor_is_not_user_memory(struct selftest *t)
{
    static char mine[COPY_SIZE];
    char buf[sizeof(uint64_t)];
    vaddr_t here = mk_vaddr((uint64_t)mine);
    vaddr_t linear = mk_vaddr((uint64_t)phys_to_virt(virt_to_phys(mine)));

    EXPECT(t, copy_from_user(buf, here, sizeof(buf)) == sizeof(buf));
    EXPECT(t, copy_to_user(linear, buf, sizeof(buf)) == sizeof(buf));
    EXPECT(t, copy_to_user(mk_vaddr(USER_TOP - 1), buf, sizeof(buf)) == sizeof(buf));
    EXPECT(t, clear_user(mk_vaddr(UNMAPPED), UINT64_MAX) == UINT64_MAX);
    EXPECT(t, copy_from_user(buf, mk_vaddr(UINT64_MAX), 2) == 2);
    EXPECT(t, strncpy_from_user(buf, here, sizeof(buf)) == -EFAULT);
}

/* --- entries --------------------------------------------------------------------------------- */

static bool describes(pte_t e, unsigned level, const char *expected)
{
    char text[80];
    struct buffer_sink b;
    buffer_sink_init(&b, text, sizeof(text));
    pte_describe(&b.sink, e, level);
    return strcmp(text, expected) == 0;
}

static void entries_keep_what_they_hold(struct selftest *t)
{
    pfn_t pfn = mk_pfn(0x80512);
    pte_t leaf = pte_make(pfn, PTE_R | PTE_W | PTE_U | PTE_A);
    pte_t moving = pte_make_absent(PTE_TYPE_MIGRATION_WRITE, pfn.v, PTE_D);
    pte_t swapped = pte_make_absent(PTE_TYPE_SWAP + 1, (1UL << PTE_PFN_BITS) - 1, 0);

    EXPECT(t, pte_pfn(leaf).v == pfn.v && pte_leaf(leaf) && !pte_table(leaf));
    EXPECT(t, describes(leaf, 0, "leaf 4K pfn 0x80512 rw-u-a-"));
    EXPECT(t, pte_fault_sets(leaf, PTE_W) == PTE_D && pte_fault_sets(leaf, PTE_R) == 0);
    EXPECT(t, pte_permits(leaf, PTE_W) && !pte_permits(leaf, PTE_X));
    EXPECT(t, pte_table(pte_make_table(pfn)) && !pte_leaf(pte_make_table(pfn)));
    EXPECT(t, !pte_present(moving) && pte_is_migration(moving) && pte_dirty(moving));
    EXPECT(t, pte_offset(moving) == pfn.v && !pte_is_swap(moving));
    EXPECT(t, pte_is_swap(swapped) && !pte_is_migration(swapped) && !pte_none(swapped));
    EXPECT(t, describes(moving, 0, "migration-write pfn 0x80512"));
    EXPECT(t, pte_none(mk_pte(0)) && describes(mk_pte(0), 0, "none"));
}

/* --- firmware, backtraces -------------------------------------------------------------------- */

static void sparse_hart_ids_become_windows(struct selftest *t)
{
    uint64_t ids[] = {70, 3, 0, 66, 63, 1000};
    size_t n = ARRAY_SIZE(ids);
    uint64_t mask, base;

    EXPECT(t, sbi_next_window(ids, &n, &mask, &base));
    EXPECT(t, base == 0 && mask == (1UL << 63 | 1UL << 3 | 1));
    EXPECT(t, sbi_next_window(ids, &n, &mask, &base));
    EXPECT(t, base == 66 && mask == (1UL << 4 | 1));
    EXPECT(t, sbi_next_window(ids, &n, &mask, &base));
    EXPECT(t, base == 1000 && mask == 1 && n == 0);
    EXPECT(t, !sbi_next_window(ids, &n, &mask, &base));
}

static void backtraces_find_their_caller(struct selftest *t)
{
    uint64_t pcs[BACKTRACE_MAX];
    size_t n = backtrace_capture(pcs, ARRAY_SIZE(pcs));
    EXPECT(t, n >= 1);
    for (size_t i = 0; i < n; i++)
        EXPECT(t, vaddr_is_text(pcs[i]));
    uint64_t offset;
    const char *name = symbol_of(pcs[0], &offset);
    EXPECT(t, name && strncmp(name, __func__, strlen(__func__)) == 0 && offset > 0);
    uint64_t here = (uint64_t)backtraces_find_their_caller;
    EXPECT(t, pcs[0] > here && pcs[0] < here + KIB(1));
    if (CONFIG_DEBUG)
        EXPECT(t, n >= 3); /* this test, the runner, whoever asked for it */
}

static const struct selftest_case cases[] = {
    {"faults of uaccess are fixed up", faults_are_fixed_up},
    {"the monitor is not user memory", the_monitor_is_not_user_memory},
    {"page-table entries keep what they hold", entries_keep_what_they_hold},
    {"sparse hart ids become windows", sparse_hart_ids_become_windows},
    {"backtraces find their caller", backtraces_find_their_caller},
};

struct selftest_suite selftest_arch = SELFTEST_SUITE("arch", cases);
