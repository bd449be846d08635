/* SPDX-License-Identifier: MIT */
/*
 * fifo.c - pipes that have names.
 *
 *      inode (S_IFIFO) --private--> struct pipe     made by the first who opens it, gone with the
 *                                                   last who closes it, and what is in it too
 *
 *      open      the other end is open    it is not
 *      read      goes on                  waits for a writer;  O_NONBLOCK: goes on
 *      write     goes on                  waits for a reader;  O_NONBLOCK: -ENXIO
 *      both      goes on                  goes on: it is its own other end
 *
 * Who waits has its end open already, so that two can meet. A pipe of pipe2() is a FIFO without a
 * name, of which both ends are open at once and nobody waits for one.
 *
 * Locks: inode->rwsem for what inode->private is, and for its users; then pipe->mutex.
 * Linux's counterpart: fifo_open() in fs/pipe.c.
 */
#include "base/errno.h"
#include "task/pipe.h"
#include "task/poll.h"
#include "task/signal_set.h"

/* What an opener found, in one look with its own coming. */
struct meeting {
    struct pipe *pipe;
    bool alone;             /* the other end is not open */
    uint32_t reads, writes; /* how often the ends had been opened */
};

static int join_locked(struct file *f, struct meeting *m)
{
    uint32_t access = f->flags & O_ACCMODE;
    struct pipe *p = f->inode->private;
    if (access == O_WRONLY && (f->flags & O_NONBLOCK) && (!p || !load_relaxed(&p->readers)))
        return -ENXIO;
    if (!p)
        p = f->inode->private = pipe_create();
    if (!p)
        return -ENOMEM;
    pipe_add_ends(p, f);
    m->pipe = p;
    m->alone = !pipe_has_no_name(f->inode) &&
               !load_relaxed(access == O_RDONLY ? &p->writers : &p->readers);
    m->reads = p->reads;
    m->writes = p->writes;
    return 0;
}

int fifo_open(struct file *f)
{
    bool reads = (f->flags & O_ACCMODE) == O_RDONLY;
    struct meeting m = {0};
    down_write(&f->inode->rwsem);
    int err = join_locked(f, &m);
    up_write(&f->inode->rwsem);
    if (err || !m.alone)
        return err;
    if (f->flags & O_NONBLOCK)
        f->pos = m.writes; /* poll() says POLLHUP only when there was a writer since */
    else if (reads)
        err = task_wait_event(&m.pipe->can_read, load_relaxed(&m.pipe->writes) != m.writes);
    else
        err = task_wait_event(&m.pipe->can_write, load_relaxed(&m.pipe->reads) != m.reads);
    return err ? -ERESTARTSYS : 0;
}
