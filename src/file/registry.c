/* SPDX-License-Identifier: MIT */
/*
 * registry.c - the views: every fact that can be seen, by its path.
 *
 *      "/proc/buddyinfo"                  -> show()          a table of patterns; a path is matched
 *      "/proc/%p/maps"                    -> show({pid})     against them component by component,
 *      "/sys/devices/system/node/node%n/meminfo" -> show({nid})   and %p %n %c stand for numbers
 *
 * Mechanism counts and never prints; a view prints and never counts. The console (`cat`), a guest
 * (open and read of /proc) and the tests all come through here, so they see the same bytes.
 * Directories are not stored: a directory is what the patterns have in common.
 *
 * Locks: none. Views are registered at boot, by one hart, and only read afterwards.
 * Invariant: every pattern begins with '/', has no empty component, at most VIEW_NUMBERS letters.
 */
#include "file/registry.h"

#include "base/errno.h"
#include "base/parse.h"
#include "base/string.h"
#include "kern/panic.h"

#define MAX_TABLES 32

static struct {
    const struct view *views;
    unsigned n;
} tables[MAX_TABLES];
static unsigned nr_tables;

static view_next_fn *next_number[26];

void view_register(const struct view *table, unsigned n)
{
    if (nr_tables == MAX_TABLES)
        panic("view_register: %u tables are registered; raise MAX_TABLES", nr_tables);
    for (unsigned i = 0; i < n; i++)
        BUG_ON(table[i].path[0] != '/' ||
               (!table[i].show && !table[i].show_part && !table[i].read_at && !table[i].link));
    tables[nr_tables].views = table;
    tables[nr_tables++].n = n;
}

void view_register_numbers(char letter, view_next_fn *next)
{
    BUG_ON(letter < 'a' || letter > 'z');
    next_number[letter - 'a'] = next;
}

/* --- matching -------------------------------------------------------------------------------- */

static bool ends_component(char c)
{
    return c == '\0' || c == '/';
}

static bool number_exists(char letter, unsigned long n, const struct view_args *args)
{
    view_next_fn *next = next_number[letter - 'a'];
    return next && next(n, args) == (long)n;
}

/* A decimal number without leading zeros at *@text; moves *@text behind it. */
static bool take_number(const char **text, unsigned long *out)
{
    const char *s = *text;
    unsigned long n = 0;
    if (*s < '0' || *s > '9' || (s[0] == '0' && s[1] >= '0' && s[1] <= '9'))
        return false;
    for (; *s >= '0' && *s <= '9'; s++) {
        if (n > 100000000)
            return false;
        n = n * 10 + (unsigned long)(*s - '0');
    }
    *text = s;
    *out = n;
    return true;
}

/*
 * Match one component of @pattern with one of @path. Both are moved to the end of the component
 * ('/' or NUL). A letter is followed by the end or by literal text.
 */
static bool match_component(const char **pattern, const char **path, struct view_args *args,
                            unsigned *nr_args)
{
    const char *p = *pattern, *s = *path;
    while (!ends_component(*p)) {
        if (*p == '%') {
            unsigned long n;
            if (!take_number(&s, &n) || *nr_args == VIEW_NUMBERS || !number_exists(p[1], n, args))
                return false;
            args->number[(*nr_args)++] = n;
            p += 2;
        } else if (*p++ != *s++) {
            return false;
        }
    }
    *pattern = p;
    *path = s;
    return ends_component(*s);
}

enum match { MATCH_NONE, MATCH_BELOW, MATCH_EXACT };

/*
 * How @path relates to @pattern: the same, a directory above it (then *@rest is what follows in
 * the pattern, without the slash), or unrelated.
 */
static enum match match_path(const char *pattern, const char *path, struct view_args *args,
                             const char **rest)
{
    unsigned nr_args = 0;
    memset(args, 0, sizeof(*args));
    while (*path == '/')
        path++;
    pattern++;
    while (*path) {
        if (!match_component(&pattern, &path, args, &nr_args))
            return MATCH_NONE;
        while (*path == '/')
            path++;
        if (*path && *pattern != '/')
            return MATCH_NONE;
        if (*pattern == '/')
            pattern++;
    }
    *rest = pattern;
    return *pattern ? MATCH_BELOW : MATCH_EXACT;
}

/* Do they differ before the first number? Then they do not belong together: most are gone here. */
static bool differs_early(const char *pattern, const char *path)
{
    while (*path && *pattern == *path) {
        pattern++;
        path++;
    }
    return *path && *path != '/' && *pattern && *pattern != '%' && *pattern != '/';
}

const struct view *view_resolve(const char *path, struct view_args *args, bool *is_dir)
{
    struct view_args here;
    const char *rest;
    *is_dir = false;
    for (unsigned t = 0; t < nr_tables; t++) {
        for (unsigned i = 0; i < tables[t].n; i++) {
            const struct view *view = &tables[t].views[i];
            if (differs_early(view->path, path))
                continue;
            enum match match = match_path(view->path, path, &here, &rest);
            *is_dir |= match == MATCH_BELOW;
            if (match == MATCH_EXACT) {
                *args = here;
                return view;
            }
        }
    }
    return NULL;
}

const struct view *view_find(const char *path, struct view_args *args)
{
    const char *rest;
    for (unsigned t = 0; t < nr_tables; t++)
        for (unsigned i = 0; i < tables[t].n; i++)
            if (match_path(tables[t].views[i].path, path, args, &rest) == MATCH_EXACT)
                return &tables[t].views[i];
    return NULL;
}

bool view_is_dir(const char *path)
{
    struct view_args args;
    const char *rest;
    for (unsigned t = 0; t < nr_tables; t++)
        for (unsigned i = 0; i < tables[t].n; i++)
            if (match_path(tables[t].views[i].path, path, &args, &rest) == MATCH_BELOW)
                return true;
    return false;
}

/* --- reading and writing --------------------------------------------------------------------- */

int view_read_part(const char *path, struct sink *out, uint64_t *from)
{
    struct view_args args;
    const struct view *view = view_find(path, &args);
    if (!view)
        return view_is_dir(path) ? -EISDIR : -ENOENT;
    if (view->show_part)
        return view->show_part(out, &args, from);
    *from = VIEW_END;
    return view->show ? view->show(out, &args) : -EINVAL;
}

int view_read(const char *path, struct sink *out)
{
    uint64_t from = 0;
    int err = 0;
    while (!err && from != VIEW_END)
        err = view_read_part(path, out, &from);
    return err;
}

int view_write(const char *path, const char *text, size_t n)
{
    struct view_args args;
    const struct view *view = view_find(path, &args);
    if (!view)
        return view_is_dir(path) ? -EISDIR : -ENOENT;
    return view->store ? view->store(text, n, &args) : -EACCES;
}

/* --- listing --------------------------------------------------------------------------------- */

struct listing {
    const char *dir;
    void (*entry)(void *arg, const char *name, bool is_dir);
    void *arg;
};

/* The first component of @rest, as a pattern, into @name. Returns its length. */
static size_t first_component(const char *rest, char *name, size_t size)
{
    size_t n = 0;
    while (!ends_component(rest[n]) && n + 1 < size) {
        name[n] = rest[n];
        n++;
    }
    name[n] = '\0';
    return n;
}

/* Was the component @name of directory @dir met in a view before (@table, @index)? */
static bool met_before(const char *dir, const char *name, unsigned table, unsigned index)
{
    struct view_args args;
    char earlier[VIEW_PATH];
    const char *rest;
    for (unsigned t = 0; t <= table; t++) {
        unsigned n = t < table ? tables[t].n : index;
        for (unsigned i = 0; i < n; i++) {
            if (match_path(tables[t].views[i].path, dir, &args, &rest) != MATCH_BELOW)
                continue;
            first_component(rest, earlier, sizeof(earlier));
            if (strcmp(earlier, name) == 0)
                return true;
        }
    }
    return false;
}

/* Offer @name, or, when a letter stands in it, each name with an existing number. */
static void list_component(const struct listing *l, const struct view_args *args, const char *name,
                           bool is_dir)
{
    char text[VIEW_PATH];
    const char *letter = strchr(name, '%');
    if (!letter) {
        l->entry(l->arg, name, is_dir);
        return;
    }
    view_next_fn *next = next_number[letter[1] - 'a'];
    int prefix = (int)(letter - name);
    for (long n = next ? next(0, args) : -ENOENT; n >= 0; n = next((unsigned long)n + 1, args)) {
        snprintf(text, sizeof(text), "%.*s%ld%s", prefix, name, n, letter + 2);
        l->entry(l->arg, text, is_dir);
    }
}

int view_list(const char *dir, void (*entry)(void *arg, const char *name, bool is_dir), void *arg)
{
    struct listing l = {dir, entry, arg};
    struct view_args args;
    char name[VIEW_PATH];
    const char *rest;
    bool found = false;
    for (unsigned t = 0; t < nr_tables; t++) {
        for (unsigned i = 0; i < tables[t].n; i++) {
            if (match_path(tables[t].views[i].path, dir, &args, &rest) != MATCH_BELOW)
                continue;
            found = true;
            size_t n = first_component(rest, name, sizeof(name));
            if (!met_before(dir, name, t, i))
                list_component(&l, &args, name, rest[n] == '/');
        }
    }
    return found ? 0 : -ENOENT;
}
