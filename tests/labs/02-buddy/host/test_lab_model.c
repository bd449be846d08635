/* SPDX-License-Identifier: MIT */
/*
 * test_lab_model.c - taking and giving in any order, against a model of one byte a frame.
 */
#include "lists.h"

static uint8_t used[FRAMES];
static struct {
    unsigned at, order;
} live[FRAMES];

static void model_take(struct rng *rng, unsigned *n)
{
    unsigned order = (unsigned)rng_below(rng, 3) ? (unsigned)rng_below(rng, 3)
                                                 : (unsigned)rng_below(rng, NR_ORDERS);
    struct page *page = take(order, MIGRATE_MOVABLE);
    if (!page)
        return;
    unsigned at = (unsigned)(page - frame(0));
    for (unsigned i = at; i < at + (1u << order); i++) {
        expect_equal(used[i], 0, "frame %u is handed out twice", i);
        used[i] = 1;
    }
    page_set_type(page, PAGE_KERNEL);
    live[*n].at = at;
    live[(*n)++].order = order;
}

static void model_give(struct rng *rng, unsigned *n)
{
    if (!*n)
        return;
    unsigned i = (unsigned)rng_below(rng, *n), at = live[i].at, order = live[i].order;
    memset(used + at, 0, 1u << order);
    live[i] = live[--*n];
    page_set_type(frame(at), PAGE_TAIL);
    give(at, order);
}

static void anything_in_any_order(void **state)
{
    struct rng rng;
    unsigned n = 0, most = 0;
    (void)state;
    rng_seed(&rng, lab_seed());
    memset(used, 0, sizeof(used));
    for (unsigned at = 0; at < FRAMES; at += 1024)
        lay(at, MAX_ORDER);
    for (unsigned step = 1; step <= 20000; step++) {
        if (rng_below(&rng, 100) < (step / 4000 % 2 ? 40u : 60u))
            model_take(&rng, &n);
        else
            model_give(&rng, &n);
        most = MAX(most, n);
        if (step % 500)
            continue;
        audit();
        for (unsigned i = 0; i < FRAMES; i++)
            expect_equal(listed[i], !used[i], "is frame %u free, after %u steps", i, step);
    }
    expect_true(most > 100, "there is room for more than %u blocks at once", most);
    while (n)
        model_give(&rng, &n);
    expect_equal(blocks(MAX_ORDER), FRAMES / 1024, "largest blocks when all has come back");
    audit();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(anything_in_any_order, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
