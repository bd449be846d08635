/* SPDX-License-Identifier: MIT */
/*
 * selftest.c - runs the registered suites and prints KTAP.
 *
 *      suites:  [lock]-[wait]-[timer]-...        registered at boot, in that order
 *                  |
 *                  +-- { name, run } { name, run } ...
 *
 * Locks: running (a mutex): one run at a time. The list changes at boot only.
 * Linux's counterpart: lib/kunit/test.c.
 */
#include "kern/selftest.h"

#include "base/errno.h"
#include "base/string.h"
#include "kern/mutex.h"

static LIST_HEAD(suites);
static struct mutex running = MUTEX_INIT(running);

void selftest_register(struct selftest_suite *suite)
{
    list_add_tail(&suite->node, &suites);
}

void selftest_for_each(void (*fn)(const struct selftest_suite *, void *), void *arg)
{
    struct selftest_suite *suite;
    list_for_each_entry(suite, &suites, node) {
        fn(suite, arg);
    }
}

void selftest_fail(struct selftest *t, const char *what, const char *file, int line)
{
    t->failures++;
    print(t->out, "    # EXPECTATION FAILED at %s:%d: %s\n", file, line, what);
}

/* One test: 0 passed or skipped, 1 failed. */
static int run_case(const struct selftest_case *c, uint32_t number, struct sink *out)
{
    struct selftest t = {.out = out};
    c->run(&t);
    if (t.skip)
        print(out, "    ok %u %s # SKIP %s\n", number, c->name, t.skip);
    else
        print(out, "    %s %u %s\n", t.failures ? "not ok" : "ok", number, c->name);
    return t.failures ? 1 : 0;
}

static int run_suite(const struct selftest_suite *suite, uint32_t number, struct sink *out)
{
    int failed = 0;
    print(out, "    KTAP version 1\n    # Subtest: %s\n    1..%u\n", suite->name, suite->nr_cases);
    for (uint32_t i = 0; i < suite->nr_cases; i++)
        failed += run_case(&suite->cases[i], i + 1, out);
    print(out, "%s %u %s\n", failed ? "not ok" : "ok", number, suite->name);
    return failed;
}

int selftest_run(const char *name, struct sink *out)
{
    struct selftest_suite *suite;
    uint32_t wanted = 0, number = 0;
    int failed = 0;

    list_for_each_entry(suite, &suites, node) {
        wanted += !name || strcmp(name, suite->name) == 0;
    }
    if (wanted == 0)
        return -ENOENT;

    mutex_lock(&running);
    print(out, "KTAP version 1\n1..%u\n", wanted);
    list_for_each_entry(suite, &suites, node) {
        if (!name || strcmp(name, suite->name) == 0)
            failed += run_suite(suite, ++number, out);
    }
    mutex_unlock(&running);
    return failed;
}
