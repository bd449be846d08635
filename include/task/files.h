/* SPDX-License-Identifier: MIT */
/*
 * files.h - what a guest has open.
 *
 *      file_table [0][1][2][3]...  -->  struct file: ops, position, flags
 *                                        `-- the terminal, an inode, a view, a device
 *
 * Locks: table->lock (RANK_FILE) for the array; a file's position is its users' own business, as it
 * is between threads of any program.
 * Linux's counterpart: struct files_struct, struct file.
 */
#ifndef PAGODA_TASK_FILES_H
#define PAGODA_TASK_FILES_H

#include "file/inode.h"
#include "kern/lock.h"
#include "task/task.h"

#define O_ACCMODE 3u
#define O_RDONLY 0u
#define O_WRONLY 1u
#define O_RDWR 2u
#define O_CREAT 0100u
#define O_EXCL 0200u
#define O_TRUNC 01000u
#define O_APPEND 02000u
#define O_NONBLOCK 04000u
#define O_DIRECTORY 0200000u
#define O_CLOEXEC 02000000u

struct file;

struct file_ops {
    /** To and from the guest's memory, at *pos, which moves along. Bytes, -Exxx. NULL: -EINVAL. */
    int64_t (*read)(struct file *f, vaddr_t buf, size_t n, uint64_t *pos);
    int64_t (*write)(struct file *f, vaddr_t buf, size_t n, uint64_t *pos);
    int64_t (*ioctl)(struct file *f, uint64_t cmd, uint64_t arg);
    void (*close)(struct file *f);
    bool seekable;
};

struct file {
    const struct file_ops *ops;
    uint32_t refcount; /* (a) */
    uint32_t flags;    /* O_* */
    uint32_t mode;     /* S_IF* and permissions, for stat */
    uint64_t pos;
    struct inode *inode; /* a file of the archive, or NULL */
    struct sink *out;    /* the terminal of the guest */
    char *text;          /* a view's text as it was when first read; kmalloc */
    size_t text_len;
    char path[64]; /* a view's; cut if longer, for others */
};

#define FILES_MAX 256

struct file_table {
    uint32_t refcount; /* (a) guests that share it */
    struct spinlock lock;
    struct file *files[FILES_MAX];          /* (lock) */
    uint64_t close_on_exec[FILES_MAX / 64]; /* (lock) */
};

/** Boot only. */
void files_init(void);

/** 0, 1 and 2 are the terminal (0 at its end when no_input). NULL when out of memory. */
struct file_table *file_table_create(struct sink *out, bool no_input);
struct file_table *file_table_copy(struct file_table *from);
void file_table_put(struct file_table *files);
void file_table_close_on_exec(struct file_table *files);

/** The open file of a number, with a reference; NULL: -EBADF. */
struct file *file_get(struct file_table *files, uint64_t fd);
void file_put(struct file *f);

/** Put it at the lowest free number >= from; the reference goes along. fd or -EMFILE. */
int64_t file_install(struct file_table *files, struct file *f, uint64_t from, bool cloexec);

/** Put it at exactly this number, closing what was there. fd or -EBADF. */
int64_t file_install_at(struct file_table *files, struct file *f, uint64_t fd, bool cloexec);

/** 0 or -EBADF. */
int file_close(struct file_table *files, uint64_t fd) must_check;

/** A struct file with one reference, zeroed but for ops and mode. */
struct file *file_alloc(const struct file_ops *ops, uint32_t mode);

/** Open an absolute path for g. NULL with *err. */
struct file *file_open(struct guest *g, const char *path, uint32_t flags, int *err);

/** The terminal, as a file. */
struct file *tty_file(struct sink *out, bool no_input);

#endif
