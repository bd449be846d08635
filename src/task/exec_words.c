/* SPDX-License-Identifier: MIT */
/*
 * exec_words.c - argv and envp on their way from one address space to another.
 *
 *      argv[0]\0 argv[1]\0 envp[0]\0 ...        one buffer, bounded
 *
 * Locks: none; may block. Linux's counterpart: copy_strings().
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "slab/kmalloc.h"
#include "task/exec.h"

static int make_room(struct exec_words *w, size_t more)
{
    if (w->len + more > EXEC_WORDS_MAX)
        return -E2BIG;
    if (w->len + more <= w->size)
        return 0;
    size_t size = MAX(w->size * 2, (size_t)KIB(2));
    while (size < w->len + more)
        size *= 2;
    char *bytes = krealloc(w->bytes, size, GFP_KERNEL);
    if (!bytes)
        return -ENOMEM;
    w->bytes = bytes;
    w->size = size;
    return 0;
}

int exec_words_add(struct exec_words *w, const char *word)
{
    size_t len = strlen(word) + 1;
    int err = make_room(w, len);
    if (err)
        return err;
    memcpy(w->bytes + w->len, word, len);
    w->len += len;
    return 0;
}

static int add_user_word(struct exec_words *w, vaddr_t word)
{
    for (size_t room = 256;; room *= 2) {
        int err = make_room(w, room);
        if (err)
            return err;
        int64_t n = strncpy_from_user(w->bytes + w->len, word, room);
        if (n == -ENAMETOOLONG && w->len + room < EXEC_WORDS_MAX)
            continue;
        if (n < 0)
            return n == -ENAMETOOLONG ? -E2BIG : (int)n;
        w->len += (size_t)n + 1;
        return 0;
    }
}

int exec_words_add_user(struct exec_words *w, vaddr_t array, uint32_t *count)
{
    uint64_t word;
    if (!array.v) /* Linux takes a NULL array for an empty one */
        return 0;
    for (;; array.v += sizeof(word)) {
        if (get_user_u64(&word, array))
            return -EFAULT;
        if (!word)
            return 0;
        int err = add_user_word(w, mk_vaddr(word));
        if (err)
            return err;
        ++*count;
    }
}

void exec_words_free(struct exec_words *w)
{
    kfree(w->bytes);
    w->bytes = NULL;
}
