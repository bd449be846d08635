/* SPDX-License-Identifier: MIT */
/*
 * sysv_msg.h - queues of messages that have types.
 *
 *      struct msg_queue [ perm, limits, times ]
 *        messages  --> msg(type 1) --> msg(type 5) --> msg(type 1)     oldest first
 *        receivers --> waiters for a message      senders --> waiters for room
 *
 * Locks: msg_ids.lock for all of it. Linux's counterpart: ipc/msg.c.
 */
#ifndef PAGODA_TASK_SYSV_MSG_H
#define PAGODA_TASK_SYSV_MSG_H

#include "task/sysv_ipc.h"

#define MSG_STAT 11u
#define MSG_INFO 12u
#define MSG_STAT_ANY 13u

struct msg {
    struct list_head node;
    int64_t type;
    size_t size;
    char text[];
};

struct msg_queue {
    struct ipc_perm perm;
    uint64_t stime, rtime, ctime; /* seconds */
    uint64_t bytes, nr;           /* in it now */
    uint64_t max_bytes;
    uint32_t lspid, lrpid; /* who sent, who received last */
    struct list_head messages, receivers, senders;
};

/** Bytes of a message and of a queue, and queues: kernel.msgmax, msgmnb, msgmni. */
extern uint64_t sysctl_msgmax, sysctl_msgmnb, sysctl_msgmni;
#define MSGMAX_MOST MIB(1)

extern struct ipc_ids msg_ids;
extern uint64_t msg_total, msg_total_bytes; /* (msg_ids.lock) in all queues */

/** The queue of an id, or NULL. */
struct msg_queue *msg_find_locked(int32_t id);

/** Remove it; who waits gets -EIDRM. Then, without the lock, msg_destroy(). */
void msg_remove_locked(struct msg_queue *q);
void msg_destroy(struct msg_queue *q);

#endif
