/* SPDX-License-Identifier: MIT */
/*
 * filter.c - what may stand behind a `|`: grep, head, tail and wc.
 *
 *      command --print--> [ filter ] --lines--> [ filter ] --lines--> console
 *
 * A filter is a sink in front of a sink. It gathers bytes until a line is whole and gives the line
 * to its kind. Nothing is stored but the line at hand (tail: the last few), so a pipeline over a
 * view of any length takes no memory to speak of.
 *
 * Locks: none; a pipeline is run by one thread.
 */
#include "console/filter.h"

#include "base/errno.h"
#include "base/parse.h"
#include "base/string.h"
#include "slab/kmalloc.h"

static void pass_on(struct filter *f, const char *text, size_t n)
{
    f->next->write(f->next, text, n);
    f->next->write(f->next, "\n", 1);
}

/* --- grep ------------------------------------------------------------------------------------ */

static char fold_case(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool matches_at(const struct filter *f, const char *text, size_t n, size_t pattern_len)
{
    if (pattern_len > n)
        return false;
    for (size_t i = 0; i < pattern_len; i++) {
        char want = f->pattern[i], have = text[i];
        if (f->fold ? fold_case(want) != fold_case(have) : want != have)
            return false;
    }
    return true;
}

/* The pattern is a plain string; a leading ^ ties it to the start of the line. */
static bool grep_matches(struct filter *f, const char *text, size_t n)
{
    if (f->pattern[0] == '^') {
        f->pattern++;
        bool match = matches_at(f, text, n, strlen(f->pattern));
        f->pattern--;
        return match;
    }
    size_t len = strlen(f->pattern);
    for (size_t i = 0; i + len <= n; i++)
        if (matches_at(f, text + i, n - i, len))
            return true;
    return false;
}

static int grep_options(struct filter *f, int argc, char **argv)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        for (const char *o = argv[i] + 1; *o; o++) {
            if (*o == 'v')
                f->invert = true;
            else if (*o == 'i')
                f->fold = true;
            else if (*o == 'c')
                f->count = true;
            else
                return -EINVAL;
        }
    }
    if (i != argc - 1)
        return -EINVAL;
    f->pattern = argv[i];
    return 0;
}

static void grep_line(struct filter *f, const char *text, size_t n)
{
    if (grep_matches(f, text, n) == f->invert)
        return;
    f->seen++;
    if (!f->count)
        pass_on(f, text, n);
}

static int grep_finish(struct filter *f)
{
    if (f->count)
        print(f->next, "%llu\n", (unsigned long long)f->seen);
    return f->seen ? 0 : 1;
}

/* --- head and tail --------------------------------------------------------------------------- */

static int count_options(struct filter *f, int argc, char **argv)
{
    const char *number = NULL;
    f->limit = 10;
    if (argc == 3 && strcmp(argv[1], "-n") == 0)
        number = argv[2];
    else if (argc == 2 && argv[1][0] == '-')
        number = argv[1] + 1;
    else if (argc != 1)
        return -EINVAL;
    return number ? parse_u64(number, 10, &f->limit) : 0;
}

static void head_line(struct filter *f, const char *text, size_t n)
{
    if (f->seen++ < f->limit)
        pass_on(f, text, n);
}

static int count_finish(struct filter *f)
{
    (void)f;
    return 0;
}

static int tail_options(struct filter *f, int argc, char **argv)
{
    int err = count_options(f, argc, argv);
    if (err)
        return err;
    if (f->limit > FILTER_TAIL)
        return -EINVAL;
    f->kept = kcalloc(MAX(f->limit, 1), sizeof(*f->kept), GFP_KERNEL);
    return f->kept ? 0 : -ENOMEM;
}

static void tail_line(struct filter *f, const char *text, size_t n)
{
    if (!f->limit)
        return;
    char *slot = f->kept[f->seen++ % f->limit];
    size_t len = MIN(n, FILTER_LINE - 1UL);
    memcpy(slot, text, len);
    slot[len] = '\0';
}

static int tail_finish(struct filter *f)
{
    uint64_t n = MIN(f->seen, f->limit);
    for (uint64_t i = f->seen - n; i < f->seen; i++)
        pass_on(f, f->kept[i % f->limit], strlen(f->kept[i % f->limit]));
    kfree(f->kept);
    f->kept = NULL;
    return 0;
}

/* --- wc -------------------------------------------------------------------------------------- */

static int wc_options(struct filter *f, int argc, char **argv)
{
    (void)f;
    return argc == 1 || (argc == 2 && strcmp(argv[1], "-l") == 0) ? 0 : -EINVAL;
}

static void wc_line(struct filter *f, const char *text, size_t n)
{
    (void)text;
    (void)n;
    f->seen++;
}

static int wc_finish(struct filter *f)
{
    print(f->next, "%llu\n", (unsigned long long)f->seen);
    return 0;
}

/* --- what they share ------------------------------------------------------------------------- */

static const struct filter_kind kinds[] = {
    {"grep", "[-ivc] TEXT", grep_options, grep_line, grep_finish},
    {"head", "[-n N]", count_options, head_line, count_finish},
    {"tail", "[-n N]", tail_options, tail_line, tail_finish},
    {"wc", "[-l]", wc_options, wc_line, wc_finish},
};

static const struct filter_kind *kind_find(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

bool filter_exists(const char *name)
{
    return kind_find(name) != NULL;
}

const char *filter_usage(const char *name)
{
    const struct filter_kind *kind = kind_find(name);
    return kind ? kind->usage : "";
}

static void filter_write(struct sink *sink, const char *text, size_t n)
{
    struct filter *f = container_of(sink, struct filter, sink);
    for (size_t i = 0; i < n; i++) {
        if (text[i] != '\n')
            f->text[f->used++] = text[i];
        if (text[i] == '\n' || f->used == FILTER_LINE) {
            f->kind->line(f, f->text, f->used);
            f->used = 0;
        }
    }
}

int filter_start(struct filter *f, struct sink *next, int argc, char **argv)
{
    memset(f, 0, sizeof(*f));
    f->sink.write = filter_write;
    f->next = next;
    f->kind = kind_find(argv[0]);
    return f->kind ? f->kind->options(f, argc, argv) : -EINVAL;
}

int filter_finish(struct filter *f)
{
    if (f->used)
        f->kind->line(f, f->text, f->used);
    f->used = 0;
    return f->kind->finish(f);
}
