/* SPDX-License-Identifier: MIT */
/*
 * unix.h - sockets of the family AF_UNIX: between guests of one machine.
 *
 *      struct file --private--> struct unix_sock <--peer--> struct unix_sock <--private-- file
 *                                 packets --> what the peer has sent and nobody has read
 *                                 pending --> sockets that wait for accept()
 *                                 name    --> a path (an inode's private) or an abstract name
 *
 * A sender is charged for what it sent until that is read: the receiver's queue is bounded by its
 * senders' SO_SNDBUF. What all packets take together is bounded too.
 *
 * Locks: unix_lock (RANK_FILE) for all fields marked (u). Nothing is copied to or from a guest with
 * it; read_mutex keeps two readers of a socket apart while they do.
 * Linux's counterpart: net/unix/af_unix.c, struct unix_sock.
 */
#ifndef PAGODA_TASK_UNIX_H
#define PAGODA_TASK_UNIX_H

#include "kern/mutex.h"
#include "task/files.h"
#include "task/guest.h"
#include "task/iov.h"
#include "task/poll.h"
#include "task/signal_set.h"

#define AF_UNSPEC 0u
#define AF_UNIX 1u

#define SOCK_STREAM 1u
#define SOCK_DGRAM 2u
#define SOCK_RAW 3u /* the same as SOCK_DGRAM here, as on Linux */
#define SOCK_SEQPACKET 5u

#define MSG_OOB 0x1u
#define MSG_PEEK 0x2u
#define MSG_CTRUNC 0x8u
#define MSG_TRUNC 0x20u
#define MSG_DONTWAIT 0x40u
#define MSG_EOR 0x80u
#define MSG_WAITALL 0x100u
#define MSG_NOSIGNAL 0x4000u
#define MSG_WAITFORONE 0x10000u
#define MSG_CMSG_CLOEXEC 0x40000000u

#define SHUT_RECEIVE 1u
#define SHUT_SEND 2u
#define SHUT_BOTH 3u

#define UNIX_PATH_MAX 108u
#define UNIX_QUEUE_MAX 10u      /* datagrams that wait for one receiver: net.unix.max_dgram_qlen */
#define UNIX_BUFFER 212992u     /* SO_SNDBUF and SO_RCVBUF at first */
#define UNIX_RIGHTS_MAX 253u    /* files in one message */
#define UNIX_INFLIGHT_MAX 16384 /* files under way altogether */

/* Linux's struct sockaddr_un. `size` counts the family too; 0: no address. */
struct unix_address {
    uint32_t size;
    uint16_t family;
    char path[UNIX_PATH_MAX + 1]; /* a path ends in NUL; an abstract name begins with one */
};

struct ucred_abi {
    uint32_t pid, uid, gid;
};

enum unix_state { UNIX_UNCONNECTED, UNIX_LISTENING, UNIX_CONNECTED };

struct unix_sock {
    uint32_t refcount;                   /* (a) its file, its peer, packets it sent, a listener */
    uint16_t type;                       /* SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET */
    uint8_t state;                       /* (u) enum unix_state */
    uint8_t shutdown;                    /* (u) SHUT_RECEIVE | SHUT_SEND */
    bool dead;                           /* (u) its file is closed */
    bool passcred;                       /* tell who sent what is received */
    bool reuse;                          /* SO_REUSEADDR, told back */
    int32_t error;                       /* (u) for SO_ERROR, and the next call: -Exxx */
    struct file *file;                   /* (u) NULL: it waits for accept, or is closed */
    struct unix_sock *peer;              /* (u) with a reference; it may be dead */
    struct list_head clients;            /* (u) datagram sockets whose peer this is */
    struct list_head client;             /* (u) in the peer's */
    struct unix_address address;         /* (u) its own name; never changes once it has one */
    struct inode *inode;                 /* (u) of its path, referenced */
    struct list_head named;              /* (u) among all that have names */
    struct list_head packets;            /* (u) */
    uint32_t nr_packets;                 /* (u) */
    uint64_t unread;                     /* (u) bytes in packets */
    uint64_t sent;                       /* (u) charged for what nobody has read */
    uint32_t sndbuf, rcvbuf;             /* bytes, as SO_SNDBUF tells them */
    uint64_t send_timeout, recv_timeout; /* ns; TIMER_NEVER */
    uint32_t backlog, nr_pending;        /* (u) of a listener */
    struct list_head pending;            /* (u) unix_sock.pending of those to be accepted */
    struct ucred_abi peer_cred;          /* (u) who connected, or listened */
    uint64_t number;                     /* as it is called in /proc/PID/fd */
    struct mutex read_mutex;
    struct wait_queue wait; /* anything has changed */

    /* unix_rights.c */
    uint32_t inflight;           /* (u) in how many packets its file is */
    struct list_head travelling; /* (u) among those that are in one */
    uint32_t gc_left;            /* (u) of inflight: not seen from candidates */
    uint8_t gc_mark;             /* (u) */
};

extern struct spinlock unix_lock;
extern const struct file_ops unix_file_ops;

/* --- sockets: unix_sock.c --------------------------------------------------------------------- */

struct unix_sock *unix_create(uint32_t type);
void unix_get(struct unix_sock *s);
void unix_put(struct unix_sock *s);

/** An open file of a socket, whose reference it takes over; NULL: no memory, and s is put. */
struct file *unix_open(struct unix_sock *s, uint32_t flags);

/** The socket of an open file, or NULL: -ENOTSOCK. */
struct unix_sock *unix_of(const struct file *f);

/** When a call that waits so many ns gives up, in ticks. */
uint64_t unix_deadline(uint64_t timeout);

/** The error that the next call is to learn of, once. */
int unix_error_locked(struct unix_sock *s);

/** May the call wait? Not for a file with O_NONBLOCK, nor with MSG_DONTWAIT. */
static inline bool unix_may_wait(const struct file *f, uint32_t flags)
{
    return !(f->flags & O_NONBLOCK) && !(flags & MSG_DONTWAIT);
}

/** Wait for cond at a socket until `end` (ticks): 0, -EAGAIN, or an error for a signal. */
#define unix_wait(s, cond, may, end)                                        \
    ({                                                                      \
        uint64_t unix_end_ = (end);                                         \
        int unix_err_ = -EAGAIN;                                            \
        if (may)                                                            \
            unix_err_ = task_wait_event_until(&(s)->wait, cond, unix_end_); \
        unix_err_ == -ETIMEDOUT                          ? -EAGAIN          \
        : unix_err_ == -EINTR &&unix_end_ == TIMER_NEVER ? -ERESTARTSYS     \
                                                         : unix_err_;       \
    })

struct ucred_abi unix_cred_of(const struct guest *g);

/** The open socket of a number, referenced. NULL with *err: -EBADF, -ENOTSOCK. sys_socket.c */
struct file *socket_get(struct task *t, uint64_t fd, int64_t *err);

/* --- names: unix_name.c ----------------------------------------------------------------------- */

/** An address from a guest. -EINVAL, -EFAULT. */
int unix_address_take(struct unix_address *out, uint64_t user, uint64_t size) must_check;

/** Store one; *size: room there, then its real size. 0, -EFAULT, -EINVAL. */
int unix_address_give(const struct unix_address *from, uint64_t user,
                      uint64_t size_user) must_check;

int unix_bind(struct task *t, struct unix_sock *s, const struct unix_address *a) must_check;

/** The socket that has this name, referenced; NULL with *err. */
struct unix_sock *unix_find(struct task *t, const struct unix_address *a, uint32_t type, int *err);

void unix_unname_locked(struct unix_sock *s);

/* --- connections: unix_connect.c -------------------------------------------------------------- */

void unix_pair(struct unix_sock *a, struct unix_sock *b, const struct guest *g);
int unix_listen(struct unix_sock *s, uint32_t backlog, const struct guest *g) must_check;
int64_t unix_connect(struct task *t, struct file *f, const struct unix_address *a);

/** The next that wants to be connected: as a socket, referenced. NULL with *err. */
struct unix_sock *unix_accept(struct file *f, int *err);
int unix_shutdown(struct unix_sock *s, uint32_t how) must_check;

/** A datagram socket has this peer from now on; NULL: none. The old one, to be put. */
struct unix_sock *unix_set_peer_locked(struct unix_sock *s, struct unix_sock *peer);

/* --- messages: unix_packet.c, unix_send.c, unix_receive.c ------------------------------------- */

/** Files on their way. */
struct unix_rights {
    struct list_head node;
    uint32_t n;
    struct file *files[];
};

struct packet {
    struct list_head node;
    struct unix_sock *from;      /* referenced: it is charged */
    struct unix_address address; /* its name then */
    struct ucred_abi cred;
    struct unix_rights *rights; /* (u) or NULL */
    size_t size, at;            /* at: what was read of a stream already */
    char data[];
};

struct packet *packet_alloc(struct unix_sock *from, size_t size);
void packet_free(struct packet *p);
void packet_enter_locked(struct unix_sock *to, struct packet *p);
void packet_leave_locked(struct unix_sock *s, struct packet *p);

/** One message, as calls give and get it. */
struct unix_message {
    struct iov_iter iov;
    struct unix_address address; /* where to, or where from */
    struct unix_rights *rights;
    struct ucred_abi cred;
    bool has_cred;
    uint32_t flags; /* MSG_*; out: MSG_TRUNC, MSG_CTRUNC */
};

int64_t unix_send(struct task *t, struct file *f, struct unix_message *m);
int64_t unix_receive(struct file *f, struct unix_message *m);

/* --- files in messages: unix_rights.c --------------------------------------------------------- */

/** Take these open files along. NULL with *err: -EBADF, -ETOOMANYREFS, -ENOMEM. */
struct unix_rights *rights_take(struct task *t, uint64_t user, uint32_t n, int *err);

/** They begin to travel, in a packet; they have arrived. */
void rights_travel_locked(struct unix_rights *r);
void rights_arrive_locked(struct unix_rights *r);

/** The same files once more, in `to`, which has room for UNIX_RIGHTS_MAX: for MSG_PEEK. */
void rights_copy_locked(struct unix_rights *to, const struct unix_rights *from);

/** They are not wanted; close them. They do not travel. No lock. */
void rights_drop(struct unix_rights *r);

/** Find sockets that are only in each other's packets, and end them. Thread context. */
void unix_collect(void);

/** A socket was closed: collect, unless that would cost much more than was closed since. */
void unix_closed(void);

#endif
