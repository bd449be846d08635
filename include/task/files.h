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
#define O_NOCTTY 0400u
#define O_TRUNC 01000u
#define O_APPEND 02000u
#define O_NONBLOCK 04000u
#define O_DIRECTORY 0200000u
#define O_NOFOLLOW 0400000u
#define O_CLOEXEC 02000000u
#define O_PATH 010000000u
#define O_TMPFILE (020000000u | O_DIRECTORY)

#define SEEK_SET 0u
#define SEEK_CUR 1u
#define SEEK_END 2u
#define SEEK_DATA 3u
#define SEEK_HOLE 4u

struct file;
struct poll_wait;

/** A position: the end of the file, whatever that is when a write has the file to itself. */
#define POS_END UINT64_MAX

/** What is NULL is not possible: -EINVAL, for seek -ESPIPE, for ioctl -ENOTTY. */
struct file_ops {
    /** To and from the guest's memory, at *pos, which moves along. Bytes, -Exxx. */
    int64_t (*read)(struct file *f, vaddr_t buf, size_t n, uint64_t *pos);
    int64_t (*write)(struct file *f, vaddr_t buf, size_t n, uint64_t *pos);
    /** The same with the monitor's memory, for splice; neither waits for another guest. */
    int64_t (*splice_read)(struct file *f, void *buf, size_t n, uint64_t *pos);
    int64_t (*splice_write)(struct file *f, const void *buf, size_t n, uint64_t *pos);
    /** readv, writev: n buffers at once, for whom it matters. NULL: one after the other. */
    int64_t (*vector)(struct file *f, uint64_t iov, uint64_t n, bool write);
    int64_t (*seek)(struct file *f, int64_t offset, uint32_t whence);
    int64_t (*ioctl)(struct file *f, uint64_t cmd, uint64_t arg);
    /** POLL*, and the queues to be woken by: see task/poll.h. NULL: always ready. */
    uint32_t (*poll)(struct file *f, struct poll_wait *pw);
    /** By its path: whatever else that takes. May wait. On an error close() is called. */
    int (*open)(struct file *f);
    void (*close)(struct file *f);
    /** A number of this table for the file is gone; others may be left. */
    void (*flush)(struct file *f, const struct file_table *files);
    /** For /proc/PID/fd, where there is no inode: "pipe:[12]", "anon_inode:[eventfd]". */
    void (*print_name)(const struct file *f, struct sink *out);
};

struct file {
    const struct file_ops *ops;
    uint32_t refcount; /* (a) */
    uint32_t flags;    /* O_* */
    uint32_t mode;     /* S_IF* and permissions, for stat */
    uint64_t pos;
    struct inode *inode; /* with a reference, or NULL: a pipe and the like */
    struct sink *out;    /* the terminal of the guest */
    char *text;          /* a part of a view's text, as it was when it was read; kmalloc */
    size_t text_len;
    uint64_t text_at, text_next; /* where in the text it lies; where the view (kmsg) goes on */
    void *private;               /* of a pipe and the like */
    struct epoll_item *watchers; /* those that wait for it by epoll: see epoll.h */
};

#define FILES_FIRST 64u /* numbers that a table has room for at first */
#define FILES_SOFT 1024 /* RLIMIT_NOFILE at first, as on Linux */
#define FILES_MAX 4096u /* and at most */

struct file_table {
    uint32_t refcount; /* (a) guests that share it */
    struct spinlock lock;
    uint32_t size;           /* (lock) numbers that there is room for; only grows */
    struct file **files;     /* (lock) */
    uint64_t *close_on_exec; /* (lock) a bit for each */
    struct file *first[FILES_FIRST];
    uint64_t first_close_on_exec[FILES_FIRST / 64];
};

/** Boot only. */
void files_init(void);
void file_table_init(void);

/** 0, 1 and 2 are the terminal (0 at its end when no_input). NULL when out of memory. */
struct file_table *file_table_create(struct sink *out, bool no_input);
struct file_table *file_table_copy(struct file_table *from);
void file_table_put(struct file_table *files);

/** The table of a guest with a reference, or NULL when it has ended. */
struct file_table *guest_files(struct guest *g);
void file_table_close_on_exec(struct file_table *files);

/** If others use its files too, a copy for it alone. Its only task calls. 0 or -ENOMEM. */
int guest_unshare_files(struct guest *g) must_check;

/** Numbers of this guest's files are below: its RLIMIT_NOFILE. */
uint64_t file_limit(void);

/** The open file of a number, with a reference; NULL: -EBADF. */
struct file *file_get(struct file_table *files, uint64_t fd);
void file_put(struct file *f);

/** The lowest number >= from that is in use, or -ENOENT. */
int64_t file_next(struct file_table *files, uint64_t from);

/** Is it closed by execve? False also for what is not open. */
bool file_is_close_on_exec(struct file_table *files, uint64_t fd);
void file_set_close_on_exec(struct file_table *files, uint64_t fd, bool on);

/** Put it at the lowest free number >= from; the reference goes along. fd, -EMFILE or -ENOMEM. */
int64_t file_install(struct file_table *files, struct file *f, uint64_t from, bool cloexec);

/** Put it at exactly this number, closing what was there. fd, -EBADF or -ENOMEM. */
int64_t file_install_at(struct file_table *files, struct file *f, uint64_t fd, bool cloexec);

/** 0 or -EBADF. */
int file_close(struct file_table *files, uint64_t fd) must_check;

/** A struct file with one reference, zeroed but for ops and mode. NULL when out of memory. */
struct file *file_alloc(const struct file_ops *ops, uint32_t mode);

/** Move f->pos within a file of that size: the new position, or -EINVAL. */
int64_t file_seek(struct file *f, int64_t offset, uint32_t whence, uint64_t size);

/** How many of n bytes may be at pos: RLIMIT_FSIZE. -EFBIG and SIGXFSZ: none. */
int64_t file_room(uint64_t pos, uint64_t n);

/** Open a file that was found. `made`: just now, so its mode does not count. NULL with *err. */
struct file *file_open_inode(struct guest *g, struct inode *inode, uint32_t flags, bool made,
                             int *err);

/** The size of a pipe's buffer for F_GETPIPE_SZ, or -EBADF: it is none. */
int64_t pipe_size(const struct file *f);

/** F_GETLK, F_SETLK and their like: f, and the user's struct flock at `arg`, as fcntl's a[2]. */
int64_t fcntl_get_lock(struct task *t, struct file *f, uint64_t arg, bool ofd);
int64_t fcntl_set_lock(struct task *t, struct file *f, const uint64_t *a, bool ofd, bool wait);

/* --- operations of each kind ------------------------------------------------------------------ */

extern const struct file_ops regular_file_ops, secret_file_ops, dir_file_ops;
const struct file_ops *tty_file_ops(bool without_input);
const struct file_ops *device_file_ops(uint32_t rdev);           /* NULL: no such device */
const struct file_ops *view_file_ops(const struct inode *inode); /* NULL: its object is gone */

#endif
