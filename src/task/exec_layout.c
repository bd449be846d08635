/* SPDX-License-Identifier: MIT */
/*
 * exec_layout.c - where in its address space a program gets what.
 *
 *      0x10000      brk -->                   <-- mmap_base      stack_top      USER_TOP
 *      | text data |  | heap ->     ...      <- mmap |   gap   | <- stack |    | vdso
 *                  random                       random, RLIMIT_STACK    random
 *
 *      legacy:       | heap ->      | mmap ->            ...     <- stack |
 *                               USER_TOP / 3
 *
 * Each distance that is random makes an address harder to guess (ASLR); randomize_va_space 0, or a
 * personality with ADDR_NO_RANDOMIZE, makes all of them 0. The legacy layout, in which the mmap
 * area grows up, is for who asks for it, and for stacks without a limit, below which there is no
 * place to begin.
 *
 * Locks: none; the new address space is nobody else's yet.
 * Linux's counterpart: arch_pick_mmap_layout(), arch_randomize_brk() in mm/util.c.
 */
#include "arch/layout.h"
#include "base/random.h"
#include "task/exec.h"
#include "task/vdso.h"

#define STACK_GAP_MIN MIB(128)
#define STACK_GAP_MAX (USER_TOP / 6 * 5)
#define MMAP_RANDOM_PAGES 0x3ffffUL /* 1 GiB */
#define BRK_RANDOM_PAGES 0x1fffUL   /* 32 MiB */
#define STACK_RANDOM_PAGES 0x3fffUL /* 64 MiB */
#define PIE_BASE (USER_TOP / 3 * 2)
#define LEGACY_BASE (USER_TOP / 3)

#define ADDR_NO_RANDOMIZE 0x0040000u
#define ADDR_COMPAT_LAYOUT 0x0200000u

int sysctl_randomize_va_space = 2;
bool sysctl_legacy_va_layout;

static struct rng random_state;

void guest_random_seed(uint64_t seed)
{
    rng_seed(&random_state, seed);
}

uint64_t guest_random(void)
{
    /* one word that all harts add to: no two get the same number */
    struct rng r = {fetch_add_relaxed(&random_state.state, 0x9e3779b97f4a7c15UL)};
    return rng_next(&r);
}

/* Random pages, in bytes; from randomize_va_space @level on. */
static uint64_t distance(const struct guest *g, int level, uint64_t mask)
{
    bool on = sysctl_randomize_va_space >= level && !(g->personality & ADDR_NO_RANDOMIZE);
    return on ? (guest_random() & mask) << PAGE_SHIFT : 0;
}

static bool is_legacy(const struct guest *g)
{
    return sysctl_legacy_va_layout || (g->personality & ADDR_COMPAT_LAYOUT) ||
           g->limits[RLIMIT_STACK].cur == RLIM_INFINITY;
}

void layout_choose(struct mm_struct *mm, const struct guest *g)
{
    mm->stack_limit = g->limits[RLIMIT_STACK].cur;
    mm->data_limit = g->limits[RLIMIT_DATA].cur;
    mm->as_limit = g->limits[RLIMIT_AS].cur;
    mm->memlock_limit = guest_memlock_limit(g);
    mm->mmap_bottom_up = is_legacy(g);
    /* room for the whole stack, however far down it begins */
    uint64_t pad = ((STACK_RANDOM_PAGES + 1) << PAGE_SHIFT) + (stack_guard_gap << PAGE_SHIFT);
    uint64_t gap = MAX(MIN(mm->stack_limit, STACK_GAP_MAX), STACK_GAP_MIN) + pad;
    uint64_t random = distance(g, 1, MMAP_RANDOM_PAGES);
    mm->mmap_base = mm->mmap_bottom_up ? ALIGN_UP(LEGACY_BASE, PAGE_SIZE) + random
                                       : ALIGN_DOWN(VVAR_ADDR - gap - random, PAGE_SIZE);
}

uint64_t layout_heap(const struct guest *g, uint64_t end)
{
    return ALIGN_UP(end, PAGE_SIZE) + distance(g, 2, BRK_RANDOM_PAGES);
}

uint64_t layout_pie_bias(const struct guest *g)
{
    return ALIGN_DOWN(PIE_BASE, PAGE_SIZE) + distance(g, 1, MMAP_RANDOM_PAGES);
}

uint64_t layout_stack_top(const struct guest *g)
{
    return VVAR_ADDR - PAGE_SIZE - distance(g, 1, STACK_RANDOM_PAGES);
}
