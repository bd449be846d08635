/* SPDX-License-Identifier: MIT */
/*
 * bootargs.c - the command line, split once into words that stay.
 *
 *      text   m e m = 2 5 6 M \0 q u i e t \0
 *             ^       ^          ^          ^
 *             key     value      key        value: the empty string at its end
 *
 * Locks: none; set once at boot.
 * Linux's counterpart: kernel/params.c.
 */
#include "phys/bootargs.h"

#include "base/parse.h"
#include "base/string.h"
#include "phys/machine.h"

#define MAX_WORDS 128

struct word {
    const char *key;
    const char *value;
};

static char text_copy[MACHINE_BOOTARGS_MAX];
static struct word words[MAX_WORDS];
static uint32_t nr_words;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* '-' and '_' are one letter in a key, as in Linux's parameq(). */
static char fold(char c)
{
    return c == '-' ? '_' : c;
}

static bool key_equal(const char *a, const char *b)
{
    while (*a && fold(*a) == fold(*b)) {
        a++;
        b++;
    }
    return fold(*a) == fold(*b);
}

/*
 * Cut the word at s out of the text, its quotes removed in place. Returns where to go on. The
 * first '=' outside of quotes or in them ends the key.
 */
static char *take_word(char *s, struct word *word)
{
    char *to = s;
    char *value = NULL;
    bool quoted = false;

    word->key = s;
    for (; *s && (quoted || !is_blank(*s)); s++) {
        if (*s == '"') {
            quoted = !quoted;
        } else if (*s == '=' && !value) {
            *to++ = '\0';
            value = to;
        } else {
            *to++ = *s;
        }
    }
    if (*s)
        s++;
    *to = '\0';
    word->value = value ? value : to;
    return s;
}

void bootargs_init(const char *text)
{
    char *s = text_copy;

    strlcpy(text_copy, text, sizeof(text_copy));
    for (nr_words = 0; nr_words < MAX_WORDS; nr_words++) {
        while (is_blank(*s))
            s++;
        if (*s == '\0')
            return;
        s = take_word(s, &words[nr_words]);
    }
}

const char *bootarg_get(const char *key)
{
    for (uint32_t i = nr_words; i > 0; i--)
        if (key_equal(words[i - 1].key, key))
            return words[i - 1].value;
    return NULL;
}

uint64_t bootarg_size(const char *key, uint64_t otherwise)
{
    const char *value = bootarg_get(key);
    uint64_t size;

    return value && parse_size(value, &size) == 0 ? size : otherwise;
}

uint64_t bootarg_u64(const char *key, uint64_t otherwise)
{
    const char *value = bootarg_get(key);
    uint64_t number;

    return value && parse_u64(value, 0, &number) == 0 ? number : otherwise;
}

bool bootarg_flag(const char *key)
{
    static const char *const yes[] = {"", "1", "on", "y", "yes", "Y"};
    const char *value = bootarg_get(key);

    for (size_t i = 0; value && i < ARRAY_SIZE(yes); i++)
        if (strcmp(value, yes[i]) == 0)
            return true;
    return false;
}

uint32_t bootargs_count(void)
{
    return nr_words;
}

void bootarg_at(uint32_t i, const char **key, const char **value)
{
    *key = words[i].key;
    *value = words[i].value;
}
