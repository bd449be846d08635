/* SPDX-License-Identifier: MIT */
/*
 * mqueue.h - POSIX message queues: messages with priorities, in a queue that has a name.
 *
 *      names:  "jobs" --> struct mqueue [ at most 10 messages of 8192 bytes ]
 *                           messages   a tree: the highest priority first, of one the oldest
 *                           receivers  wait while it is empty     senders  wait while it is full
 *                           notify     who is told when a message comes into the empty queue
 *      files of guests ------^
 *
 * A queue lives as long as it has a name or is open. Room for all that fits into it is charged to
 * its maker's user when it is made (RLIMIT_MSGQUEUE), so that a send within it is not refused.
 *
 * Locks: mq_lock for the names and for all that is in the queues.
 * Linux's counterpart: struct mqueue_inode_info, ipc/mqueue.c.
 */
#ifndef PAGODA_TASK_MQUEUE_H
#define PAGODA_TASK_MQUEUE_H

#include "base/rbtree.h"
#include "task/files.h"
#include "task/sysv_ipc.h"

/* Whatever the settings and the rights: queues, messages in one, and bytes of one. */
#define MQ_QUEUES_MOST 1024UL
#define MQ_MSG_MOST 65536UL
#define MQ_SIZE_MOST MIB(16)

/** fs.mqueue: queues, messages in one, bytes of one; and what who asks for nothing gets. */
extern uint64_t sysctl_mq_queues_max, sysctl_mq_msg_max, sysctl_mq_msgsize_max;
extern uint64_t sysctl_mq_msg_default, sysctl_mq_msgsize_default;

/* Linux's struct mq_attr on riscv64. */
struct mq_attr_abi {
    int64_t flags, maxmsg, msgsize, curmsgs, reserved[4];
};

struct mq_msg {
    struct rb_node node;
    uint32_t priority;
    size_t size;
    char text[];
};

/** Who wants to know. It is told once, and forgotten when it closes a number of the queue. */
struct mq_notify {
    uint32_t pid;      /* 0: nobody */
    uint64_t start_ns; /* of that guest: a pid may come again */
    const struct file_table *files;
    int32_t how, signo; /* SIGEV_* */
    uint64_t value;
};

/** Fields: (m) mq_lock, (b) before it is entered. */
struct mqueue {
    struct list_head node;       /* (m) in the list of names; by itself: it has lost its name */
    uint32_t refcount;           /* (m) its name, and files */
    struct ipc_perm perm;        /* (b) the mode and the owner */
    uint64_t max_msgs, max_size; /* (b) */
    struct user_struct *user;    /* (b) on whose account it is */
    uint64_t charged;            /* (b) bytes */
    struct rb_root messages;     /* (m) */
    uint64_t nr, bytes;          /* (m) in it now */
    struct list_head receivers, senders; /* (m) struct ipc_waiter, oldest first */
    struct mq_notify notify;             /* (m) */
    struct wait_queue changed;           /* polls */
    char name[NAME_MAX + 1];
};

extern struct spinlock mq_lock;

/** An open file of the queue, which takes over a reference; NULL: no memory, and it keeps it. */
struct file *mqueue_file(struct mqueue *q, uint32_t flags);

/** The queue that is open under a number, with a reference on *f; or NULL: -EBADF. */
struct mqueue *mqueue_get(struct task *t, uint64_t fd, struct file **f);

/** A reference less; with the last the queue goes with all that is in it. May block. */
void mqueue_put(struct mqueue *q);

#endif
