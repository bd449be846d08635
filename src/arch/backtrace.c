/* SPDX-License-Identifier: MIT */
/*
 * backtrace.c - walking frame pointers, believing none of them.
 *
 *      fp[-1] return address, fp[-2] the caller's fp; the caller's frame lies above ours
 *
 * The walk stays within the stack of the current thread (stack_low .. kernel_sp), the boot stack or
 * the emergency stack: the memory that is read is always there.
 *
 * Locks: none. Linux's counterpart: walk_stackframe().
 */
#include "arch/backtrace.h"

#include "arch/hart.h"
#include "arch/layout.h"
#include "arch/symbols.h"

#define FRAME_WORDS 2 /* return address and caller's fp, below fp */

extern char trap_emergency_stack[], trap_emergency_stack_top[];

struct stack_range {
    uint64_t low, high;
};

static bool in_range(struct stack_range r, uint64_t fp)
{
    return fp >= r.low + FRAME_WORDS * sizeof(uint64_t) && fp <= r.high;
}

/* The stack that fp points into; an empty range if it is none that we know. */
static struct stack_range find_stack(uint64_t fp)
{
    const struct arch_hart *h = this_arch_hart();
    const struct stack_range known[] = {
        {h->stack_low, h->stack_low ? h->kernel_sp : 0},
        {(uint64_t)boot_stack_low, (uint64_t)boot_stack_top},
        {(uint64_t)trap_emergency_stack, (uint64_t)trap_emergency_stack_top},
    };
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (in_range(known[i], fp))
            return known[i];
    return (struct stack_range){0, 0};
}

size_t backtrace_from(uint64_t fp, uint64_t *pcs, size_t max)
{
    size_t n = 0;
    struct stack_range stack = find_stack(fp);
    while (n < max && stack.high && in_range(stack, fp) && IS_ALIGNED(fp, sizeof(fp))) {
        const uint64_t *frame = (const uint64_t *)fp;
        uint64_t pc = frame[-1], caller_fp = frame[-2];
        if (!vaddr_is_text(pc))
            break;
        pcs[n++] = pc;
        if (caller_fp <= fp)
            break;
        fp = caller_fp;
    }
    return n;
}

size_t backtrace_capture(uint64_t *pcs, size_t max)
{
    if (!CONFIG_DEBUG) {
        if (max == 0)
            return 0;
        pcs[0] = (uint64_t)__builtin_return_address(0);
        return 1;
    }
    return backtrace_from((uint64_t)__builtin_frame_address(0), pcs, max);
}

/* The first @exact of @pcs are where something happened, the others where a call returns to. */
static void print_pcs(struct sink *out, const uint64_t *pcs, size_t n, size_t exact)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t offset;
        const char *name = symbol_of(pcs[i], &offset);
        if (i >= exact && name && offset == 0) {
            /* The call was a function's last word, as it does not return; this is the next one. */
            name = symbol_of(pcs[i] - 1, &offset);
            offset++;
        }
        if (name)
            print(out, "  #%lu 0x%016lx %s+0x%lx\n", i, pcs[i], name, offset);
        else
            print(out, "  #%lu 0x%016lx\n", i, pcs[i]);
    }
}

void backtrace_print_pcs(struct sink *out, const uint64_t *pcs, size_t n)
{
    print_pcs(out, pcs, n, 0);
}

void backtrace_print(struct sink *out, const void *fp)
{
    uint64_t pcs[BACKTRACE_MAX];
    size_t n = backtrace_from((uint64_t)fp, pcs, ARRAY_SIZE(pcs));
    backtrace_print_pcs(out, pcs, n);
}

void backtrace_frame(struct sink *out, const struct trap_frame *frame)
{
    uint64_t pcs[BACKTRACE_MAX];
    uint64_t ra = frame->regs[REG_RA];
    size_t n = 1;
    pcs[0] = frame->sepc;
    if (!trap_from_user(frame)) {
        size_t room = ARRAY_SIZE(pcs) - 2;
        size_t walked = backtrace_from(frame->regs[REG_S0], pcs + 2, room);
        /* A leaf function keeps its return address in ra alone; others have it in their frame. */
        bool ra_is_news = vaddr_is_text(ra) && (walked == 0 || pcs[2] != ra);
        pcs[1] = ra;
        if (!ra_is_news)
            for (size_t i = 1; i <= walked; i++)
                pcs[i] = pcs[i + 1];
        n += walked + ra_is_news;
    }
    print_pcs(out, pcs, n, 1);
}
