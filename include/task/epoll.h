/* SPDX-License-Identifier: MIT */
/*
 * epoll.h - waiting for any of many files, which are named once and not at each call.
 *
 *      struct epoll (a file itself)
 *        items   by file and number  (3: in) (5: in, edge) (7: another epoll)
 *                                      |        |
 *      file 3's queue --woken----------'        '---woken-- file 5's queue
 *                          v
 *        ready   (5) -> (3)      in the order in which they were woken
 *        wait    those who sleep in epoll_wait(), and the items of epolls that watch this one
 *
 * An item hangs in the wait queues of its file as a watcher (wait_watch): a wake-up puts it on
 * `ready` and goes on to `wait`. Who waits takes items off and asks each file what it is ready for;
 * a level-triggered item is put back then, an edge-triggered one waits for the next wake-up. So the
 * work is in what happens, not in what is watched.
 *
 * Locks: epoll_mutex, one for all: items, watchers of files, who watches whom. wait.lock: ready and
 * an item's events. Wake-ups go from wait.lock to wait.lock along the watching, which has no loops
 * and at most EPOLL_NESTS steps.
 * Linux's counterpart: fs/eventpoll.c.
 */
#ifndef PAGODA_TASK_EPOLL_H
#define PAGODA_TASK_EPOLL_H

#include "kern/mutex.h"
#include "task/files.h"
#include "task/poll.h"

#define EPOLL_NESTS 4 /* epolls above each other */

#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLLWAKEUP (1u << 29)
#define EPOLLONESHOT (1u << 30)
#define EPOLLET (1u << 31)
#define EPOLL_MODES (EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET)

/** As riscv lays it out. */
struct epoll_event_abi {
    uint32_t events, pad;
    uint64_t data;
};

struct epoll {
    struct file *file;      /* that it is */
    struct rb_root items;   /* (m) */
    struct wait_queue wait; /* its lock: (w) */
    struct list_head ready; /* (w) epoll_item.ready */
    uint64_t nr_ready;      /* (w) */
};

/** What an epoll file stands for, or NULL: it is another kind of file. */
struct epoll *epoll_of(const struct file *f);

/** A file for a new epoll, or NULL: no memory. */
struct file *epoll_create(void);

/** Begin, change, end watching; epoll_mutex is taken. 0, or -Exxx as epoll_ctl(2). */
int epoll_add(struct epoll *ep, struct file *f, uint32_t fd,
              const struct epoll_event_abi *ev) must_check;
int epoll_modify(struct epoll *ep, const struct file *f, uint32_t fd,
                 const struct epoll_event_abi *ev) must_check;
int epoll_remove(struct epoll *ep, const struct file *f, uint32_t fd) must_check;

/**
 * Take at most max of what is ready now; how many. Looks at no more than *left items, and counts
 * down: level-triggered ones are put back, and nobody wants to see one twice. epoll_mutex is taken.
 */
unsigned epoll_collect(struct epoll *ep, struct epoll_event_abi *out, unsigned max, uint64_t *left);

/** The last reference of a file is gone: nobody watches it any more. May block. */
void epoll_release(struct file *f);

#endif
