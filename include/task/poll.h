/* SPDX-License-Identifier: MIT */
/*
 * poll.h - waiting for any of several files.
 *
 *      poll(fd 3, fd 5)  --ops->poll()--> "not ready; wait here": an entry in fd 3's wait queue
 *                        --ops->poll()--> ... and one in fd 5's
 *                        sleep; whoever is woken takes all of its entries out and asks again
 *
 * Locks: those of the wait queues. Linux's counterpart: struct poll_table, fs/select.c.
 */
#ifndef PAGODA_TASK_POLL_H
#define PAGODA_TASK_POLL_H

#include "kern/wait.h"
#include "task/signal.h"
#include "task/task.h"

struct file;

#define POLLIN 0x0001u
#define POLLPRI 0x0002u
#define POLLOUT 0x0004u
#define POLLERR 0x0008u
#define POLLHUP 0x0010u
#define POLLNVAL 0x0020u
#define POLLRDNORM 0x0040u
#define POLLWRNORM 0x0100u
#define POLLRDHUP 0x2000u

#define POLL_QUEUES 2 /* the most that one file waits on */

struct poll_wait {
    struct poll_entry *entries;
    unsigned n, max;
    /* not NULL: called for each queue, in place of entering it */
    void (*add)(struct poll_wait *pw, struct wait_queue *q);
};

/** For ops->poll: be woken by that queue. pw NULL: only the state is asked for. */
void poll_add(struct poll_wait *pw, struct wait_queue *q);

/** What a file is ready for now; one without ops->poll always is for both. */
uint32_t file_poll(struct file *f, struct poll_wait *pw);

/** Is there a reason to wait no longer? 0, -EINTR, or -ETIMEDOUT: `end` (ticks) has come. */
int task_wait_over(uint64_t end);

/** schedule(), at most until then. */
void task_schedule_until(uint64_t end);

/** Sleep until cond, a signal or death, or `end` (ticks, or TIMER_NEVER): 0, -EINTR, -ETIMEDOUT.
 *  Thread context, no spinlock. */
#define task_wait_event_until(q, cond, end)                                             \
    ({                                                                                  \
        int task_err_ = 0;                                                              \
        uint64_t task_end_ = (end);                                                     \
        if (!(cond))                                                                    \
            WAIT_LOOP_(q, cond, THREAD_KILLABLE, task_err_ = task_wait_over(task_end_); \
                       if (task_err_) break;, task_schedule_until(task_end_));          \
        task_err_;                                                                      \
    })

/** The same without an end. */
#define task_wait_event(q, cond) task_wait_event_until(q, cond, TIMER_NEVER)

#endif
