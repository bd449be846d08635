/* SPDX-License-Identifier: MIT */
/*
 * test_string.c - bytes and words against the C library, at every alignment.
 *
 *      | guard | offset 0..15 | n bytes | guard |       the guards must stay as they are
 *
 * The functions under test carry the names that host.mk gives them, so that both kinds exist here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/types.h"

void *pagoda_memcpy(void *dst, const void *src, size_t n);
void *pagoda_memmove(void *dst, const void *src, size_t n);
void *pagoda_memset(void *dst, int c, size_t n);
int pagoda_memcmp(const void *a, const void *b, size_t n);
void *pagoda_memchr(const void *s, int c, size_t n);
size_t pagoda_strlen(const char *s);
size_t pagoda_strnlen(const char *s, size_t max);
int pagoda_strcmp(const char *a, const char *b);
int pagoda_strncmp(const char *a, const char *b, size_t n);
char *pagoda_strchr(const char *s, int c);
char *pagoda_strrchr(const char *s, int c);
char *pagoda_strstr(const char *s, const char *needle);
size_t strlcpy(char *dst, const char *src, size_t size);
void clear_page(void *page);
void copy_page(void *dst, const void *src);

enum { ROOM = 256, ROUNDS = 20000 };

static struct rng rng;
static _Alignas(16) unsigned char ours[ROOM], theirs[ROOM], source[ROOM];

static int begin(void **state)
{
    (void)state;
    rng_seed(&rng, 21);
    return 0;
}

static void fill_all(void)
{
    for (size_t i = 0; i < ROOM; i++) {
        ours[i] = theirs[i] = (unsigned char)rng_next(&rng);
        source[i] = (unsigned char)rng_next(&rng);
    }
}

static int sign(int v)
{
    return (v > 0) - (v < 0);
}

/* --- bytes ------------------------------------------------------------------------------------ */

static void copies(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        size_t to = rng_below(&rng, 16), from = rng_below(&rng, 16);
        size_t n = rng_below(&rng, ROOM - 15);
        fill_all();
        assert_ptr_equal(pagoda_memcpy(ours + to, source + from, n), ours + to);
        memcpy(theirs + to, source + from, n);
        assert_memory_equal(ours, theirs, ROOM);
    }
}

static void moves_over_itself(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        size_t n = rng_below(&rng, ROOM / 2);
        size_t to = rng_below(&rng, ROOM - n), from = rng_below(&rng, ROOM - n);
        fill_all();
        assert_ptr_equal(pagoda_memmove(ours + to, ours + from, n), ours + to);
        memmove(theirs + to, theirs + from, n);
        assert_memory_equal(ours, theirs, ROOM);
    }
}

static void sets(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        size_t to = rng_below(&rng, 16), n = rng_below(&rng, ROOM - 15);
        int c = (int)rng_below(&rng, 1024) - 512;
        fill_all();
        assert_ptr_equal(pagoda_memset(ours + to, c, n), ours + to);
        memset(theirs + to, c, n);
        assert_memory_equal(ours, theirs, ROOM);
    }
}

static void compares_and_finds(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        size_t n = rng_below(&rng, 32);
        for (size_t i = 0; i < n; i++)
            ours[i] = theirs[i] = (unsigned char)rng_below(&rng, 8);
        if (n)
            theirs[rng_below(&rng, n)] = (unsigned char)rng_next(&rng);
        assert_int_equal(sign(pagoda_memcmp(ours, theirs, n)), sign(memcmp(ours, theirs, n)));
        int c = (int)rng_below(&rng, 10) + (round % 2 ? 256 : 0);
        assert_ptr_equal(pagoda_memchr(ours, c, n), memchr(ours, c, n));
    }
}

static void whole_pages(void **state)
{
    static _Alignas(4096) unsigned char a[3 * PAGE_SIZE], b[PAGE_SIZE];
    (void)state;
    memset(a, 0xaa, sizeof(a));
    for (size_t i = 0; i < sizeof(b); i++)
        b[i] = (unsigned char)rng_next(&rng);
    copy_page(a + PAGE_SIZE, b);
    assert_memory_equal(a + PAGE_SIZE, b, PAGE_SIZE);
    assert_int_equal(a[PAGE_SIZE - 1], 0xaa);
    assert_int_equal(a[2 * PAGE_SIZE], 0xaa);
    clear_page(a + PAGE_SIZE);
    memset(b, 0, sizeof(b));
    assert_memory_equal(a + PAGE_SIZE, b, PAGE_SIZE);
    assert_int_equal(a[PAGE_SIZE - 1], 0xaa);
    assert_int_equal(a[2 * PAGE_SIZE], 0xaa);
}

/* --- words ------------------------------------------------------------------------------------ */

/* Words of few letters, so that they meet often; some letters are negative as char. */
static void random_word(char *s, size_t max)
{
    static const char letters[] = {'a', 'b', (char)0xe4, 'a'};
    size_t n = rng_below(&rng, max);
    for (size_t i = 0; i < n; i++)
        s[i] = letters[rng_below(&rng, sizeof(letters))];
    s[n] = '\0';
}

static void words(void **state)
{
    char a[16], b[16];
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        size_t n = rng_below(&rng, 16);
        random_word(a, sizeof(a));
        random_word(b, round % 2 ? sizeof(b) : 4);
        assert_int_equal(pagoda_strlen(a), strlen(a));
        assert_int_equal(pagoda_strnlen(a, n), strnlen(a, n));
        assert_int_equal(sign(pagoda_strcmp(a, b)), sign(strcmp(a, b)));
        assert_int_equal(sign(pagoda_strncmp(a, b, n)), sign(strncmp(a, b, n)));
        assert_ptr_equal(pagoda_strstr(a, b), strstr(a, b));
        assert_ptr_equal(pagoda_strchr(a, b[0]), strchr(a, b[0]));
        assert_ptr_equal(pagoda_strrchr(a, b[0]), strrchr(a, b[0]));
    }
}

static void equal_words_are_equal(void **state)
{
    (void)state;
    assert_int_equal(pagoda_strcmp("", ""), 0);
    assert_int_equal(pagoda_strcmp("pagoda", "pagoda"), 0);
    assert_int_equal(pagoda_strncmp("pagoda", "pagan", 3), 0);
    assert_int_equal(pagoda_strncmp("a", "b", 0), 0);
    assert_int_equal(pagoda_strncmp("a", "a", 10), 0);
}

static void copies_words_that_fit(void **state)
{
    char a[16], b[20];
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        size_t size = rng_below(&rng, 18);
        random_word(a, sizeof(a));
        memset(b, '#', sizeof(b));
        assert_int_equal(strlcpy(b, a, size), strlen(a));
        size_t kept = size ? MIN(strlen(a), size - 1) : 0;
        assert_memory_equal(b, a, kept);
        if (size)
            assert_int_equal(b[kept], '\0');
        for (size_t i = size ? kept + 1 : 0; i < sizeof(b); i++)
            assert_int_equal(b[i], '#');
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies),
        cmocka_unit_test(moves_over_itself),
        cmocka_unit_test(sets),
        cmocka_unit_test(compares_and_finds),
        cmocka_unit_test(whole_pages),
        cmocka_unit_test(words),
        cmocka_unit_test(equal_words_are_equal),
        cmocka_unit_test(copies_words_that_fit),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
