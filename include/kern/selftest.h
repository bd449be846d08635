/* SPDX-License-Identifier: MIT */
/*
 * selftest.h - suites that run inside the monitor, with KTAP output.
 *
 *      KTAP version 1
 *      1..2
 *          KTAP version 1
 *          1..1
 *          ok 1 two harts count to a million under one lock
 *      ok 1 lock
 *
 * A suite is a table of named functions; a function reports failed expectations and returns. Each
 * floor registers its suites at boot; the console command `selftest [SUITE]` runs them.
 *
 * Locks: suites run one at a time, in a thread, and may block.
 * Linux's counterpart: KUnit.
 */
#ifndef PAGODA_KERN_SELFTEST_H
#define PAGODA_KERN_SELFTEST_H

#include "base/format.h"
#include "base/list.h"
#include "base/types.h"

/** One run of one test. */
struct selftest {
    struct sink *out;
    uint32_t failures;
    const char *skip; /* why it could not run, or NULL */
};

struct selftest_case {
    const char *name;
    void (*run)(struct selftest *);
};

struct selftest_suite {
    const char *name;
    const struct selftest_case *cases;
    uint32_t nr_cases;
    struct list_head node;
};

#define SELFTEST_SUITE(suite_name, table)                                     \
    {                                                                         \
        .name = (suite_name), .cases = (table), .nr_cases = ARRAY_SIZE(table) \
    }

/** At boot, once a suite; the struct stays where it is. */
void selftest_register(struct selftest_suite *suite);

/** Run the suite of this name, or all when NULL. The number of failed tests, or -ENOENT. */
must_check int selftest_run(const char *name, struct sink *out);

/** Call fn for each suite's name. */
void selftest_for_each(void (*fn)(const struct selftest_suite *, void *), void *arg);

/** Where EXPECT ends: prints the failed expectation as a KTAP diagnostic. */
void selftest_fail(struct selftest *t, const char *what, const char *file, int line);

#define EXPECT(t, x)                                    \
    do {                                                \
        if (unlikely(!(x)))                             \
            selftest_fail((t), #x, __FILE__, __LINE__); \
    } while (0)

/** This machine cannot run the test (too few harts, say). */
#define SELFTEST_SKIP(t, why) \
    do {                      \
        (t)->skip = (why);    \
        return;               \
    } while (0)

/** The suites of this floor. */
void kern_selftests_register(void);

#endif
