/* SPDX-License-Identifier: MIT */
/*
 * plic.c - the platform-level interrupt controller, and all of them that the machine has.
 *
 *      plics[0]   regs --> priority[source]              0x000000 + 4 * source
 *                          enable[context] bit source    0x002000 + 0x80 * context
 *                          threshold[context]            0x200000 + 0x1000 * context
 *                          claim/complete[context]       0x200004 + 0x1000 * context
 *                 lines[source]: handler, arg, the context it is enabled at, how often
 *
 * Reading claim gives the pending source of the highest priority and takes it; writing it back
 * lets that source interrupt again. A hart has one SEIP for all its PLICs, so it asks each of them.
 *
 * Locks: none; requests come from one hart at boot, before the source is enabled.
 * Linux's counterpart: drivers/irqchip/irq-sifive-plic.c.
 */
#include "arch/plic.h"

#include "arch/barrier.h"
#include "arch/hart.h"
#include "base/errno.h"

#define PRIORITY_STRIDE 4
#define ENABLE_BASE 0x2000
#define ENABLE_STRIDE 0x80
#define THRESHOLD_BASE 0x200000
#define CLAIM_BASE 0x200004
#define CONTEXT_STRIDE 0x1000

#define PRIORITY 1 /* above every threshold that we set; all sources are equal */
#define THRESHOLD 0
#define MAX_SOURCES 128 /* QEMU's virt has 96 */
#define WORD_BITS 32

struct line {
    void (*handler)(void *);
    void *arg;
    uint64_t count;
    int16_t context;
};

struct plic {
    struct plic_desc desc;
    struct line lines[MAX_SOURCES];
};

static struct plic plics[PLIC_MAX];
static uint32_t nr_plics;
static uint64_t spurious;

static volatile uint32_t *reg(const struct plic *p, uint64_t offset)
{
    return (volatile uint32_t *)((char *)p->desc.regs + offset);
}

static volatile uint32_t *enable_word(const struct plic *p, int context, uint32_t source)
{
    return reg(p, ENABLE_BASE + ENABLE_STRIDE * (uint64_t)context +
                      source / WORD_BITS * sizeof(uint32_t));
}

static volatile uint32_t *claim(const struct plic *p, int context)
{
    return reg(p, CLAIM_BASE + CONTEXT_STRIDE * (uint64_t)context);
}

static void set_enabled(const struct plic *p, int context, uint32_t source, bool enabled)
{
    volatile uint32_t *word = enable_word(p, context, source);
    uint32_t bit = 1u << (source % WORD_BITS);
    *word = enabled ? *word | bit : *word & ~bit;
    io_mb();
}

/* --- setting up ------------------------------------------------------------------------------ */

int plic_add(const struct plic_desc *desc)
{
    if (nr_plics == PLIC_MAX)
        return -ENOSPC;
    struct plic *p = &plics[nr_plics];
    p->desc = *desc;
    p->desc.nr_sources = MIN(desc->nr_sources, MAX_SOURCES - 1u);
    for (uint32_t hart = 0; hart < MAX_HARTS; hart++) {
        int context = desc->context[hart];
        for (uint32_t source = 0; context >= 0 && source <= p->desc.nr_sources; source += WORD_BITS)
            *enable_word(p, context, source) = 0;
    }
    io_mb();
    return (int)nr_plics++;
}

/* The hart that is wished for, or the first online one with a context here. -1: none. */
static int choose_hart(const struct plic *p, uint32_t wish, uint64_t online)
{
    if (wish < MAX_HARTS && ((online >> wish) & 1) && p->desc.context[wish] >= 0)
        return (int)wish;
    for (uint32_t hart = 0; hart < MAX_HARTS; hart++)
        if (((online >> hart) & 1) && p->desc.context[hart] >= 0)
            return (int)hart;
    return -1;
}

int plic_request(uint32_t plic, uint32_t source, void (*handler)(void *), void *arg, uint32_t hart,
                 uint64_t online_harts)
{
    if (plic >= nr_plics || source == 0 || source > plics[plic].desc.nr_sources)
        return -EINVAL;
    struct plic *p = &plics[plic];
    struct line *line = &p->lines[source];
    if (line->handler)
        return -EBUSY;
    int server = choose_hart(p, hart, online_harts);
    if (server < 0)
        return -ENODEV;
    line->handler = handler;
    line->arg = arg;
    line->context = p->desc.context[server];
    wmb(); /* the line is whole before it can interrupt */
    *reg(p, PRIORITY_STRIDE * (uint64_t)source) = PRIORITY;
    set_enabled(p, line->context, source, true);
    return server;
}

void plic_release(uint32_t plic, uint32_t source)
{
    if (plic >= nr_plics || source == 0 || source > plics[plic].desc.nr_sources)
        return;
    struct line *line = &plics[plic].lines[source];
    if (line->handler)
        set_enabled(&plics[plic], line->context, source, false);
    line->handler = NULL;
}

void plic_init_hart(void)
{
    uint32_t index = this_arch_hart()->index;
    for (uint32_t i = 0; i < nr_plics; i++) {
        int context = plics[i].desc.context[index];
        if (context >= 0)
            *reg(&plics[i], THRESHOLD_BASE + CONTEXT_STRIDE * (uint64_t)context) = THRESHOLD;
    }
    io_mb();
}

/* --- serving --------------------------------------------------------------------------------- */

static void serve(struct plic *p, int context, uint32_t source)
{
    struct line *line = source <= p->desc.nr_sources ? &p->lines[source] : NULL;
    if (line && line->handler) {
        line->count++;
        line->handler(line->arg);
    } else {
        __atomic_fetch_add(&spurious, 1, __ATOMIC_RELAXED);
        set_enabled(p, context, source, false); /* or it would never stop */
    }
    io_mb(); /* the device has been told before the PLIC is */
    *claim(p, context) = source;
}

void plic_interrupt(void)
{
    uint32_t index = this_arch_hart()->index;
    for (uint32_t i = 0; i < nr_plics; i++) {
        struct plic *p = &plics[i];
        int context = p->desc.context[index];
        if (context < 0)
            continue;
        for (uint32_t source = *claim(p, context); source; source = *claim(p, context))
            serve(p, context, source);
    }
}

uint64_t plic_count(uint32_t plic, uint32_t source)
{
    return plic < nr_plics && source < MAX_SOURCES ? plics[plic].lines[source].count : 0;
}

uint64_t plic_spurious(void)
{
    return __atomic_load_n(&spurious, __ATOMIC_RELAXED);
}
