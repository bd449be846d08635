/* SPDX-License-Identifier: MIT */
/*
 * types.h - the words of the book.
 *
 * Four kinds of number live in a memory manager: physical addresses, virtual addresses, frame
 * numbers and page-table entries. They are all 64 bits wide and all too easy to mix up, so each
 * is a struct of one field: the compiler passes it in one register and refuses the mixture.
 *
 *      paddr_t  --(>> 12)-->  pfn_t        a byte of RAM        and the frame it lies in
 *      vaddr_t                             a byte as a program sees it
 *      pte_t                               one Sv39 page-table entry, arch/pte.h
 *
 * Locks: none. State: none.
 */
#ifndef PAGODA_BASE_TYPES_H
#define PAGODA_BASE_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t v;
} paddr_t;
typedef struct {
    uint64_t v;
} vaddr_t;
typedef struct {
    uint64_t v;
} pfn_t;
typedef struct {
    uint64_t v;
} pte_t;

/** A signed size, as POSIX has it: a count of bytes, or -Exxx. */
typedef int64_t pagoda_ssize_t;

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

static inline paddr_t mk_paddr(uint64_t v)
{
    return (paddr_t){v};
}
static inline vaddr_t mk_vaddr(uint64_t v)
{
    return (vaddr_t){v};
}
static inline pfn_t mk_pfn(uint64_t v)
{
    return (pfn_t){v};
}
static inline pfn_t paddr_to_pfn(paddr_t p)
{
    return (pfn_t){p.v >> PAGE_SHIFT};
}
static inline paddr_t pfn_to_paddr(pfn_t f)
{
    return (paddr_t){f.v << PAGE_SHIFT};
}

#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define ALIGN_UP(x, a) (((x) + ((__typeof__(x))(a)-1)) & ~((__typeof__(x))(a)-1))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a)-1)) == 0)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/* Both look at an argument twice: no side effects in it. */
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define must_check __attribute__((warn_unused_result))
#define noreturn __attribute__((noreturn))
#define format_printf(f, a) __attribute__((format(printf, f, a)))
#define cache_aligned __attribute__((aligned(64)))
#define unused __attribute__((unused))
#define noinline __attribute__((noinline))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#endif
