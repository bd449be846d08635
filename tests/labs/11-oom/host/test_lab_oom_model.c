/* SPDX-License-Identifier: MIT */
/*
 * test_lab_oom_model.c - one shortage after another among guests drawn from the seed, against a
 * model that knows of each what it weighs and whether it may be killed.
 */
#include "guests.h"

enum { GUESTS = 12, SHORTAGES = 900 };

static struct model {
    int64_t there, far; /* private pages on node 1, and on node 0 */
    int adj;
    bool protected, dying, gone;
} model[GUESTS];

static struct rng rng;

/* The last pages of what the guest has are node 1's. */
static void draw(unsigned i)
{
    struct model *m = &model[i];
    *m = (struct model){.there = (int64_t)rng_below(&rng, 40) * (int64_t)rng_below(&rng, 2),
                        .far = (int64_t)rng_below(&rng, 60),
                        .adj = (int)rng_below(&rng, 2001) - 1000};
    m->protected = m->adj == -1000 || rng_below(&rng, 8) == 0;
    struct mm_struct *mm = guest(i + 1, m->adj);
    if (m->protected && m->adj != -1000)
        mm->owner.ops = NULL;
    map_private(mm, AREA, 100);
    touch(mm, AREA, (unsigned)m->far, 0);
    touch(mm, AREA + (uint64_t)m->far * PAGE_SIZE, (unsigned)m->there, 1);
}

static int64_t model_badness(unsigned i, bool on_node1, int64_t total)
{
    const struct model *m = &model[i];
    if (m->protected || m->gone || (on_node1 && !m->there))
        return INT64_MIN;
    return m->there + (on_node1 ? 0 : m->far) + (int64_t)tables_of(guests[i]) +
           m->adj * (total / 1000);
}

static int64_t worst(bool on_node1, int64_t total)
{
    int64_t most = INT64_MIN;
    for (unsigned i = 0; i < GUESTS; i++)
        most = MAX(most, model_badness(i, on_node1, total));
    return most;
}

static bool somebody_dies(void)
{
    for (unsigned i = 0; i < GUESTS; i++)
        if (model[i].dying)
            return true;
    return false;
}

static int64_t usable(bool on_node1)
{
    return (int64_t)(zones[1]->managed_pages + (on_node1 ? 0 : zones[0]->managed_pages));
}

/* Somebody was killed: was it one of the worst? */
static void judge(bool on_node1)
{
    unsigned i = killed[0]->owner.pid - 1;
    int64_t total = usable(on_node1);
    expect_equal(model_badness(i, on_node1, total), worst(on_node1, total),
                 "badness of guest %u, who was killed, from the worst", i + 1);
    model[i].dying = true;
}

static void shortage(void)
{
    bool on_node1 = rng_below(&rng, 2);
    struct relief_request request = request_on(on_node1 ? &node1 : NULL);
    bool waits = somebody_dies(), any = worst(on_node1, usable(on_node1)) != INT64_MIN;
    kills = 0;
    expect_equal(ask(&request), waits || any ? RELIEF_PROGRESS : RELIEF_NONE,
                 "what the rung says when somebody is %sdying and %s may be killed",
                 waits ? "" : "not ", any ? "somebody" : "nobody");
    expect_equal(kills, !waits && any, "guests killed");
    if (kills)
        judge(on_node1);
}

static void reap_all(void)
{
    run_reaper();
    for (unsigned i = 0; i < GUESTS; i++) {
        if (!model[i].dying)
            continue;
        expect_equal(guests[i]->rss[MM_ANONPAGES], 0, "private pages of a victim that was reaped");
        model[i].dying = false;
        model[i].gone = true;
    }
}

static void one_shortage_after_another(void **state)
{
    (void)state;
    rng_seed(&rng, lab_seed());
    for (unsigned n = 0; n < SHORTAGES; n++) {
        if (n % 30 == 0) {
            no_guests(state);
            for (unsigned i = 0; i < GUESTS; i++)
                draw(i);
        }
        shortage();
        if (rng_below(&rng, 3) == 0)
            reap_all();
        for (unsigned i = 0; i < GUESTS; i++)
            expect_equal(users_of(guests[i]), 1, "users of guest %u", i + 1);
        if (n % 30 == 29) {
            reap_all();
            for (unsigned i = 0; i < GUESTS; i++)
                expect_sane(guests[i]);
            while (nr_guests)
                mmput(guests[--nr_guests]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(one_shortage_after_another)};
    return cmocka_run_group_tests(tests, machine_of_guests, NULL);
}
