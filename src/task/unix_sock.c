/* SPDX-License-Identifier: MIT */
/*
 * unix_sock.c - sockets as objects and as open files. unix.h has the picture.
 *
 *      close(a):  a's name goes; what it has not read is freed and credited to who sent it;
 *                 who waits to be accepted by it is refused; its peer b is told:
 *                 b->shutdown = both, and -ECONNRESET if a left something unread
 *
 * b keeps its reference to a, which is dead, until it is closed itself.
 *
 * Locks: unix_lock. Linux's counterpart: unix_release_sock(), unix_poll().
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "slab/kmalloc.h"
#include "task/unix.h"

#define FIONREAD 0x541bu
#define TIOCOUTQ 0x5411u

struct spinlock unix_lock = SPINLOCK_INIT("unix", RANK_FILE);

/* --- objects ---------------------------------------------------------------------------------- */

struct unix_sock *unix_create(uint32_t type)
{
    static uint64_t next = 1;
    struct unix_sock *s = kzalloc(sizeof(*s), GFP_KERNEL);
    if (!s)
        return NULL;
    s->refcount = 1;
    s->type = (uint16_t)type;
    s->number = fetch_add_relaxed(&next, 1);
    s->sndbuf = s->rcvbuf = UNIX_BUFFER;
    s->send_timeout = s->recv_timeout = TIMER_NEVER;
    s->peer_cred = (struct ucred_abi){0, UINT32_MAX, UINT32_MAX};
    s->address = (struct unix_address){.size = sizeof(uint16_t), .family = AF_UNIX};
    INIT_LIST_HEAD(&s->clients);
    INIT_LIST_HEAD(&s->client);
    INIT_LIST_HEAD(&s->named);
    INIT_LIST_HEAD(&s->packets);
    INIT_LIST_HEAD(&s->pending);
    INIT_LIST_HEAD(&s->travelling);
    mutex_init(&s->read_mutex);
    wait_queue_init(&s->wait);
    return s;
}

void unix_get(struct unix_sock *s)
{
    fetch_add_relaxed(&s->refcount, 1);
}

void unix_put(struct unix_sock *s)
{
    if (s && fetch_sub(&s->refcount, 1) == 1)
        kfree(s);
}

struct ucred_abi unix_cred_of(const struct guest *g)
{
    return (struct ucred_abi){g->pid, g->cred.uid[ID_EFFECTIVE], g->cred.gid[ID_EFFECTIVE]};
}

uint64_t unix_deadline(uint64_t timeout)
{
    return timeout == TIMER_NEVER ? TIMER_NEVER : now_ticks() + ns_to_ticks(timeout);
}

int unix_error_locked(struct unix_sock *s)
{
    int err = s->error;
    s->error = 0;
    return err;
}

/* --- the end ---------------------------------------------------------------------------------- */

static struct packet *next_unread(struct unix_sock *s)
{
    spin_lock(&unix_lock);
    struct packet *p = list_first_entry_or_null(&s->packets, struct packet, node);
    if (p)
        packet_leave_locked(s, p);
    if (p && p->rights)
        rights_arrive_locked(p->rights);
    spin_unlock(&unix_lock);
    return p;
}

/* Part from the peer, which learns it. `reset`: something was left unread. */
static struct unix_sock *leave_peer_locked(struct unix_sock *s, bool reset)
{
    struct unix_sock *peer = s->peer;
    if (s->type == SOCK_DGRAM)
        return unix_set_peer_locked(s, NULL);
    s->peer = NULL;
    if (peer && !peer->dead) {
        peer->shutdown = SHUT_BOTH;
        if (reset)
            peer->error = -ECONNRESET;
        wake_up_all(&peer->wait);
    }
    return peer;
}

/* Its file is closed, or nobody will accept it (`refused`). */
static void end(struct unix_sock *s, bool refused)
{
    LIST_HEAD(pending);
    struct packet *p;
    spin_lock(&unix_lock);
    s->dead = true;
    s->file = NULL;
    s->shutdown = SHUT_BOTH;
    unix_unname_locked(s);
    struct unix_sock *peer = leave_peer_locked(s, refused || s->nr_packets);
    while (!list_empty(&s->clients))
        list_del_init(s->clients.next); /* they keep their references */
    list_splice_init(&s->pending, &pending);
    wake_up_all(&s->wait);
    spin_unlock(&unix_lock);
    unix_put(peer);
    while ((p = next_unread(s)))
        packet_free(p);
    while (!list_empty(&pending)) {
        struct unix_sock *refuse = list_first_entry(&pending, struct unix_sock, pending);
        list_del_init(&refuse->pending);
        end(refuse, true);
        unix_put(refuse);
    }
    inode_put(s->inode);
    s->inode = NULL;
}

/* --- as a file -------------------------------------------------------------------------------- */

static void unix_close(struct file *f)
{
    struct unix_sock *s = f->private;
    end(s, false);
    unix_put(s);
    unix_closed();
}

static int64_t unix_read(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    struct unix_message m = {.flags = 0};
    (void)pos;
    iov_init(&m.iov, buf.v, n);
    int64_t got = unix_receive(f, &m);
    rights_drop(m.rights);
    return got;
}

static int64_t unix_write(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    struct unix_message m = {.flags = 0};
    (void)pos;
    iov_init(&m.iov, buf.v, n);
    return unix_send(task_current(), f, &m);
}

/* readv and writev: one message, whatever buffers it is in. */
static int64_t unix_vector(struct file *f, uint64_t user, uint64_t n, bool write)
{
    struct unix_message m = {.flags = 0};
    int64_t done = iov_take(&m.iov, user, n);
    if (done)
        return done;
    done = write ? unix_send(task_current(), f, &m) : unix_receive(f, &m);
    rights_drop(m.rights);
    iov_drop(&m.iov);
    return done;
}

static bool peer_is_full(const struct unix_sock *s)
{
    const struct unix_sock *peer = s->peer;
    return s->type == SOCK_DGRAM && peer && peer->peer != s && peer->nr_packets > UNIX_QUEUE_MAX;
}

static uint32_t unix_poll(struct file *f, struct poll_wait *pw)
{
    const struct unix_sock *s = f->private;
    uint32_t mask = 0;
    poll_add(pw, &((struct unix_sock *)f->private)->wait);
    spin_lock(&unix_lock);
    if (s->error)
        mask |= POLLERR;
    if (s->shutdown == SHUT_BOTH)
        mask |= POLLHUP;
    if (s->shutdown & SHUT_RECEIVE)
        mask |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (s->nr_packets || s->nr_pending)
        mask |= POLLIN | POLLRDNORM;
    if (s->type != SOCK_DGRAM && s->state == UNIX_UNCONNECTED)
        mask |= POLLHUP;
    if (s->state != UNIX_LISTENING && s->sent * 4 <= s->sndbuf && !peer_is_full(s))
        mask |= POLLOUT | POLLWRNORM;
    spin_unlock(&unix_lock);
    return mask;
}

static int64_t unix_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
    const struct unix_sock *s = f->private;
    if (cmd != FIONREAD && cmd != TIOCOUTQ)
        return -ENOTTY;
    spin_lock(&unix_lock);
    uint64_t n = cmd == TIOCOUTQ ? s->sent : s->unread;
    if (cmd == FIONREAD && s->type == SOCK_DGRAM && s->nr_packets)
        n = list_first_entry(&s->packets, struct packet, node)->size;
    bool listening = s->state == UNIX_LISTENING;
    spin_unlock(&unix_lock);
    return listening ? -EINVAL : put_user_u32((uint32_t)n, mk_vaddr(arg));
}

static void unix_print_name(const struct file *f, struct sink *out)
{
    print(out, "socket:[%lu]", ((struct unix_sock *)f->private)->number);
}

const struct file_ops unix_file_ops = {
    .read = unix_read,
    .write = unix_write,
    .vector = unix_vector,
    .ioctl = unix_ioctl,
    .poll = unix_poll,
    .close = unix_close,
    .print_name = unix_print_name,
};

struct unix_sock *unix_of(const struct file *f)
{
    return f->ops == &unix_file_ops ? f->private : NULL;
}

struct file *unix_open(struct unix_sock *s, uint32_t flags)
{
    struct file *f = file_alloc(&unix_file_ops, S_IFSOCK | 0777);
    if (!f) {
        end(s, true);
        unix_put(s);
        return NULL;
    }
    f->flags = O_RDWR | (flags & O_NONBLOCK);
    f->private = s;
    spin_lock(&unix_lock);
    s->file = f;
    spin_unlock(&unix_lock);
    return f;
}
