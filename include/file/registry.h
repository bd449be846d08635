/* SPDX-License-Identifier: MIT */
/*
 * file/registry.h - the views: every fact that can be seen, by its path.
 */
#ifndef PAGODA_FILE_REGISTRY_H
#define PAGODA_FILE_REGISTRY_H

#include "base/format.h"
#include "base/types.h"

struct inode;

#define VIEW_NUMBERS 2 /* the most numbers in one path: /sys/.../nodeN/cpuM */
#define VIEW_PATH 128  /* the longest path, with its final NUL */

/** The numbers that stand in a path, in order: {7} for /proc/7/maps. */
struct view_args {
    unsigned long number[VIEW_NUMBERS];
};

#define VIEW_END UINT64_MAX

/**
 * One fact. @path may hold numbers as letters: %p a pid, %n a node, %c a hart, %f
 * an open file of the pid before it: "/proc/%p/maps".
 * @show prints it in Linux's format and returns 0 or -Exxx (-ENOENT when its object is gone).
 * @show_part, for a text of any length: prints a part of it, from what *from says (0: its start),
 * and sets *from to where the next part begins, or VIEW_END.
 * @store, or NULL, takes what was written; it validates wholly before it changes anything.
 * @read_at, or NULL, is for binary files too big to print: it copies up to @n bytes from offset
 * @at into @buf and returns how many, 0 at the end.
 * @link makes it a symbolic link: it prints where to. @follow, or NULL, leads to the file itself,
 * whatever its name is: referenced, or NULL with *err.
 * @write_at, or NULL, of a view with @read_at: takes up to @n bytes for offset @at, says how many.
 * A view has one of @show, @show_part, @read_at and @link.
 */
struct view {
    const char *path;
    uint32_t mode; /* permissions; 0: for all to read, and for root to write if that is possible */
    int (*show)(struct sink *out, const struct view_args *args);
    int (*show_part)(struct sink *out, const struct view_args *args, uint64_t *from);
    int (*store)(const char *text, size_t n, const struct view_args *args);
    pagoda_ssize_t (*read_at)(char *buf, size_t n, uint64_t at, const struct view_args *args);
    pagoda_ssize_t (*write_at)(const char *buf, size_t n, uint64_t at,
                               const struct view_args *args);
    int (*link)(struct sink *out, const struct view_args *args);
    struct inode *(*follow)(const struct view_args *args, int *err);
};

/** Add @n views; @table must live for ever. Boot only. Panics when the registry is full. */
void view_register(const struct view *table, unsigned n);

/**
 * Say which numbers exist for a letter: @next returns the smallest existing number >= @from, or
 * -ENOENT; @args are the numbers before it in the path. Boot only.
 */
typedef long view_next_fn(unsigned long from, const struct view_args *args);
void view_register_numbers(char letter, view_next_fn *next);

/** The view at @path and the numbers in it, or NULL. "." and ".." are not understood. */
const struct view *view_find(const char *path, struct view_args *args);

/** Both at once: the view, or NULL; then *is_dir when @path is a directory above some. */
const struct view *view_resolve(const char *path, struct view_args *args, bool *is_dir);

/** Print the view at @path. 0, -ENOENT (no such view), -EISDIR, -EINVAL (a binary one). */
int view_read(const char *path, struct sink *out) must_check;

/** A part of it, as @show_part; a view without that has one part. */
int view_read_part(const char *path, struct sink *out, uint64_t *from) must_check;

/** Write @n bytes to the view. 0, -ENOENT, -EACCES (read-only), or what the view says. */
int view_write(const char *path, const char *text, size_t n) must_check;

/**
 * Call @entry for every name directly in the directory @dir, each once, files and directories.
 * Returns 0, or -ENOENT when no view lies below @dir. Names are sorted as registered.
 */
int view_list(const char *dir, void (*entry)(void *arg, const char *name, bool is_dir),
              void *arg) must_check;

/** Is @path a directory that some view lies below? */
bool view_is_dir(const char *path);

#endif
