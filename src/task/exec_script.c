/* SPDX-License-Identifier: MIT */
/*
 * exec_script.c - files that say who is to read them.
 *
 *      "#!/bin/sh -e\n..."   executed as ./script a b
 *      words:  /bin/sh  -e  ./script  a  b          the file: /bin/sh
 *
 * What the interpreter is may be a script again, four times at most.
 *
 * Locks: none. Linux's counterpart: fs/binfmt_script.c.
 */
#include "base/errno.h"
#include "base/string.h"
#include "file/root.h"
#include "file/viewfs.h"
#include "task/exec.h"

#define LINE_SIZE 256
#define DEPTH 4

int exec_permission(const struct inode *file, const struct cred *cred)
{
    if (!inode_is(file, S_IFREG) || viewfs_owns(file))
        return -EACCES;
    return inode_permission(file, cred, MAY_EXEC);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* Cut "#!  name  the rest  " into name and the rest; NULL when there is no name. */
static char *parse(char *line, char **argument)
{
    char *end = strchr(line, '\n');
    end = end ? end : line + strlen(line);
    while (end > line && is_space(end[-1]))
        end--;
    *end = '\0';
    char *name = line + 2;
    while (is_space(*name))
        name++;
    char *rest = name;
    while (*rest && !is_space(*rest))
        rest++;
    if (*rest)
        *rest++ = '\0';
    while (is_space(*rest))
        rest++;
    *argument = *rest ? rest : NULL;
    return *name ? name : NULL;
}

/* The words of this level come before those that are there; so they are put together anew. */
static int put_words(struct exec_words *w, const char *name, const char *argument, const char *path)
{
    struct exec_words all = {.argc = argument ? 2 : 1};
    int err = exec_words_add(&all, name);
    if (!err && argument)
        err = exec_words_add(&all, argument);
    const char *word = w->bytes; /* of the level before: its first one is the script to read now */
    if (!err && !w->argc)
        err = exec_words_add(&all, path);
    for (uint32_t i = 0; !err && i < w->argc; i++, word += strlen(word) + 1)
        err = exec_words_add(&all, word);
    all.argc += MAX(w->argc, 1u);
    exec_words_free(w);
    *w = all;
    return err;
}

static struct inode *find(const char *name, const struct path_base *base, int *err)
{
    static const struct cred root;
    struct inode *file = base ? path_lookup(base, name, PATH_FOLLOW, err) : file_find(name, err);
    if (!file)
        return NULL;
    *err = exec_permission(file, base ? base->cred : &root);
    if (!*err)
        return file;
    inode_put(file);
    return NULL;
}

int exec_script(struct exec_request *req, const struct path_base *base)
{
    const char *path = req->path;
    char line[LINE_SIZE], *argument;
    for (int depth = 0;; depth++) {
        pagoda_ssize_t n = inode_read(req->file, line, sizeof(line) - 1, 0);
        if (n < 2 || line[0] != '#' || line[1] != '!')
            return 0;
        line[n] = '\0';
        char *name = parse(line, &argument);
        if (!name)
            return -ENOEXEC;
        if (depth == DEPTH)
            return -ELOOP;
        int err = put_words(&req->words, name, argument, path);
        struct inode *file = err ? NULL : find(name, base, &err);
        if (!file)
            return err;
        inode_put(req->file);
        req->file = file;
    }
}
