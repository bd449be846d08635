/* SPDX-License-Identifier: MIT */
/*
 * expect.h - expectations that say what was wanted, for the tests of labs.
 *
 *      expect_equal(zone->nr_free_pages, 12, "free pages after the split");
 *
 *      -> 13 != 12
 *         free pages after the split
 *
 *      expect_true(!page_flag(page, PG_lru), "the page is on no list");
 *
 *      -> not true: !page_flag(page, PG_lru)
 *         the page is on no list
 */
#ifndef LABS_EXPECT_H
#define LABS_EXPECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define expect_equal(got, want, ...)                                              \
    do {                                                                          \
        unsigned long got_ = (unsigned long)(got), want_ = (unsigned long)(want); \
        char text_[256];                                                          \
        if (got_ != want_) {                                                      \
            snprintf(text_, sizeof(text_), __VA_ARGS__);                          \
            fail_msg("%ld != %ld\n%s", (long)got_, (long)want_, text_);           \
        }                                                                         \
    } while (0)

#define expect_true(condition, ...)                          \
    do {                                                     \
        char text_[256];                                     \
        if (!(condition)) {                                  \
            snprintf(text_, sizeof(text_), __VA_ARGS__);     \
            fail_msg("not true: %s\n%s", #condition, text_); \
        }                                                    \
    } while (0)

/** The seed of this grading; another one each time. */
static inline uint64_t lab_seed(void)
{
    const char *text = getenv("LAB_SEED");
    return text ? strtoull(text, NULL, 0) : 1;
}

#endif
