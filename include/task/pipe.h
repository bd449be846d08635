/* SPDX-License-Identifier: MIT */
/*
 * pipe.h - the ring of bytes behind pipe() and behind FIFOs.
 */
#ifndef PAGODA_TASK_PIPE_H
#define PAGODA_TASK_PIPE_H

#include "kern/mutex.h"
#include "task/files.h"

#define PIPE_PAGES 16u

struct pipe {
    struct mutex mutex;
    uint64_t head, tail;       /* (m) bytes written and read so far; read anywhere as a hint */
    uint32_t readers, writers; /* (m) open ends */
    uint32_t reads, writes;    /* (m) how often an end was opened, ever */
    uint32_t users;            /* open files; under the rwsem of the FIFO's inode */
    char *pages[PIPE_PAGES];   /* (m) */
    struct wait_queue can_read, can_write;
};

/** One without ends. NULL: no memory. */
struct pipe *pipe_create(void);

/** Nobody uses it any more. */
void pipe_destroy(struct pipe *p);

/** One more end of each kind that f->flags say; f->private is the pipe then, and uses it. */
void pipe_add_ends(struct pipe *p, struct file *f);

/** An open file of a FIFO finds its pipe, and perhaps waits for the other end: file_ops.open. */
int fifo_open(struct file *f) must_check;

/** Was it made by pipe2()? */
bool pipe_has_no_name(const struct inode *fifo);

extern const struct file_ops pipe_ops;

/* --- for those who move bytes without a guest's buffer: splice.c ------------------------------ */

/** The pipe behind a file that is one, or NULL. */
struct pipe *pipe_of_file(const struct file *f);

/** Wait until there are bytes: 1; 0: at its end. -EAGAIN: not without waiting. -EINTR. */
int pipe_await_bytes(struct file *f, bool nonblock);

/** Wait until there is room: 0. -EPIPE (and SIGPIPE): nobody would read. -EAGAIN, -EINTR. */
int pipe_await_room(struct file *f, bool nonblock);

/** How many bytes fit now; a hint, as others write too. */
size_t pipe_room(const struct pipe *p);

/** Put in what fits now of n bytes of the monitor's: how many, or -ENOMEM. */
int64_t pipe_put(struct pipe *p, void *from, size_t n);

/**
 * Hand at most n of the bytes that are there to `sink`, which takes as many as it says, or -Exxx.
 * With the pipe's mutex held: it must not wait for guests. `keep`: they stay in the pipe, too.
 */
typedef int64_t pipe_sink(void *arg, void *bytes, size_t n);
int64_t pipe_drain(struct pipe *p, size_t n, pipe_sink *sink, void *arg, bool keep);

#endif
