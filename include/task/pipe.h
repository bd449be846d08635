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

#endif
