/* SPDX-License-Identifier: MIT */
/*
 * exec.h - turning the current task into a program.
 */
#ifndef PAGODA_TASK_EXEC_H
#define PAGODA_TASK_EXEC_H

#include "file/path.h"
#include "task/elf.h"
#include "task/task.h"

/** All words of argv and envp, one after the other, each with its NUL. */
struct exec_words {
    char *bytes; /* kmalloc */
    size_t len, size;
    uint32_t argc, envc;
};

#define EXEC_WORDS_MAX KIB(128)

/** Add a word of the monitor's. 0, -E2BIG, -ENOMEM. */
int exec_words_add(struct exec_words *w, const char *word) must_check;

/** Add all words of a guest's array of pointers; counts them in *count. 0, -EFAULT, -E2BIG, .. */
int exec_words_add_user(struct exec_words *w, vaddr_t array, uint32_t *count) must_check;

void exec_words_free(struct exec_words *w);

/** What is to be executed, and why it could not be. */
struct exec_request {
    struct inode *file;
    const char *path; /* as given: AT_EXECFN */
    struct exec_words words;
    const char *reason; /* out: a sentence without its end, or NULL */
};

/**
 * When the file begins with "#!": take the interpreter that it names as the file instead, and its
 * name, the argument behind it and req->path as the first words. `base` NULL: as root from "/".
 * req->file changes its reference. 0, -ENOEXEC, -ENOENT, -EACCES, -ENOMEM.
 */
int exec_script(struct exec_request *req, const struct path_base *base) must_check;

/** 0, or -EACCES: it is no regular file that may be executed. */
int exec_permission(const struct inode *file, const struct cred *cred) must_check;

/**
 * Give the current task a new address space with the program in it and fill its user frame. On
 * failure before the point of no return the old space is still there; after it, *lost is set and
 * the task must end. 0 or -Exxx.
 */
int exec_program(struct task *t, struct exec_request *req, bool *lost) must_check;

/** The start-up stack of a program; returns its stack pointer, or -EFAULT, -ENOMEM. */
int64_t exec_make_stack(struct task *t, struct mm_struct *mm, const struct exec_request *req,
                        const struct elf_image *elf);

/* --- where things go in a new address space, exec_layout.c ------------------------------------ */

/** Set mmap_base, its direction and the limits of a space that is nobody else's yet. */
void layout_choose(struct mm_struct *mm, const struct guest *g);

/** Where the heap begins behind data that ends at @end; the load bias of a PIE; the stack's top. */
uint64_t layout_heap(const struct guest *g, uint64_t end);
uint64_t layout_pie_bias(const struct guest *g);
uint64_t layout_stack_top(const struct guest *g);

/** 0 off, 1 stack and mmap, 2 brk too; Linux's kernel.randomize_va_space. */
extern int sysctl_randomize_va_space;

/** The mmap area grows up from a third of the space; Linux's vm.legacy_va_layout. */
extern bool sysctl_legacy_va_layout;

/** The sequence behind AT_RANDOM, getrandom and layouts: seeded once at boot. */
void guest_random_seed(uint64_t seed);
uint64_t guest_random(void);

#endif
