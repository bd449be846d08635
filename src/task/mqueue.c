/* SPDX-License-Identifier: MIT */
/*
 * mqueue.c - a POSIX message queue as an open file: send, receive, poll. mqueue.h has the picture.
 *
 *      send:     a receiver waits?   it gets the message, past the queue
 *                there is room?      into the tree; if that was empty, tell who wants to know
 *                it is full          wait, with the message in hand
 *      receive:  there is one?       out of the tree; a sender that waits has its message put in
 *                it is empty         wait
 *
 * Who waits is served by whoever makes that possible, and then only wakes: nobody overtakes.
 *
 * Locks: mq_lock; messages are filled and read without it, when they are in no queue.
 * Linux's counterpart: do_mq_timedsend(), do_mq_timedreceive(), pipelined_send(), ipc/mqueue.c.
 */
#include "task/mqueue.h"

#include "arch/uaccess.h"
#include "base/errno.h"
#include "task/poll.h"
#include "task/signal_set.h"
#include "task/syscalls.h"
#include "task/user.h"

#define MQ_PRIO_MAX 32768u

struct spinlock mq_lock = SPINLOCK_INIT("mqueue", RANK_INODE);

/* On the stack of who waits: what it wants to send, or what it was given. */
struct mq_waiter {
    struct ipc_waiter wait;
    struct mq_msg *msg;
};

static struct mq_waiter *first_waiter(struct list_head *list)
{
    assert_locked(&mq_lock);
    return list_empty(list) ? NULL : list_first_entry(list, struct mq_waiter, wait.node);
}

/* --- the tree --------------------------------------------------------------------------------- */

static void put_in(struct mqueue *q, struct mq_msg *m)
{
    struct rb_node **link = &q->messages.node, *parent = NULL;
    assert_locked(&mq_lock);
    while (*link) {
        parent = *link;
        bool before = m->priority > rb_entry(parent, struct mq_msg, node)->priority;
        link = before ? &parent->left : &parent->right;
    }
    rb_link_node(&m->node, parent, link);
    rb_insert_color(&m->node, &q->messages);
    q->nr++;
    q->bytes += m->size;
}

static struct mq_msg *take_out(struct mqueue *q)
{
    struct mq_msg *m = rb_entry(rb_first(&q->messages), struct mq_msg, node);
    rb_erase(&m->node, &q->messages);
    q->nr--;
    q->bytes -= m->size;
    return m;
}

/* --- telling ---------------------------------------------------------------------------------- */

/* A message is in: who is to be told, once? */
static struct mq_notify take_notify(struct mqueue *q)
{
    struct mq_notify who = {0};
    if (q->nr == 1) {
        who = q->notify;
        q->notify = (struct mq_notify){0};
    }
    return who;
}

static void tell(const struct mq_notify *who)
{
    struct guest *g = who->pid && who->how == SIGEV_SIGNAL ? guest_find(who->pid) : NULL;
    if (!g)
        return;
    struct siginfo_words info = signal_from_current(who->signo, SI_MESGQ);
    info.value = who->value;
    if (who->signo && g->start_ns == who->start_ns)
        (void)guest_signal(g, &info); /* too many wait already: as on Linux it is lost */
    guest_put(g);
}

/* --- send ------------------------------------------------------------------------------------- */

static int send(struct mqueue *q, struct mq_msg *m, bool nonblock, uint64_t end)
{
    struct mq_waiter w = {.msg = m}, *receiver;
    struct mq_notify who = {0};
    spin_lock(&mq_lock);
    if (q->nr >= q->max_msgs) {
        if (!nonblock)
            return ipc_wait(&mq_lock, &q->senders, &w.wait, end);
        spin_unlock(&mq_lock);
        return -EAGAIN;
    }
    if ((receiver = first_waiter(&q->receivers))) {
        receiver->msg = m;
        ipc_wake_locked(&receiver->wait, 0);
    } else {
        put_in(q, m);
        who = take_notify(q);
    }
    spin_unlock(&mq_lock);
    wake_up_all(&q->changed);
    tell(&who);
    return 0;
}

static struct mq_msg *fetch(uint64_t user, size_t size, uint32_t priority, int64_t *err)
{
    struct mq_msg *m = ipc_alloc(sizeof(*m) + size);
    *err = !m ? -ENOMEM : copy_from_user(m->text, mk_vaddr(user), size) ? -EFAULT : 0;
    if (*err) {
        ipc_free(m);
        return NULL;
    }
    m->size = size;
    m->priority = priority;
    return m;
}

/* The clock on the wall says when the wait ends. Ticks, or TIMER_NEVER. */
static uint64_t take_end(uint64_t user, int64_t *err)
{
    int64_t ns = user ? arg_timespec(mk_vaddr(user)) : INT64_MAX;
    *err = MIN(ns, (int64_t)0);
    return ns == INT64_MAX ? TIMER_NEVER : ns_to_ticks(realtime_to_ns((uint64_t)ns));
}

/* May the file be used so? O_ACCMODE itself is neither for reading nor for writing. */
static bool is_open_for(const struct file *f, uint32_t access)
{
    uint32_t mode = f->flags & O_ACCMODE;
    return mode == access || mode == O_RDWR;
}

int64_t sys_mq_timedsend(struct task *t, const uint64_t *a)
{
    int64_t err;
    uint64_t end = take_end(a[4], &err);
    if (err || (uint32_t)a[3] >= MQ_PRIO_MAX)
        return err ? err : -EINVAL;
    struct file *f;
    struct mqueue *q = mqueue_get(t, (uint32_t)a[0], &f);
    if (!q)
        return -EBADF;
    err = !is_open_for(f, O_WRONLY) ? -EBADF : a[2] > q->max_size ? -EMSGSIZE : 0;
    struct mq_msg *m = err ? NULL : fetch(a[1], a[2], (uint32_t)a[3], &err);
    if (m) {
        err = send(q, m, f->flags & O_NONBLOCK, end);
        if (err)
            ipc_free(m);
    }
    file_put(f);
    return err == -EINTR ? -ERESTARTSYS : err;
}

/* --- receive ---------------------------------------------------------------------------------- */

static struct mq_msg *receive(struct mqueue *q, bool nonblock, uint64_t end, int64_t *err)
{
    struct mq_waiter w = {0}, *sender;
    *err = 0;
    spin_lock(&mq_lock);
    if (!q->nr) {
        if (!nonblock) {
            *err = ipc_wait(&mq_lock, &q->receivers, &w.wait, end);
            return *err ? NULL : w.msg;
        }
        spin_unlock(&mq_lock);
        *err = -EAGAIN;
        return NULL;
    }
    struct mq_msg *m = take_out(q);
    if ((sender = first_waiter(&q->senders))) {
        put_in(q, sender->msg);
        ipc_wake_locked(&sender->wait, 0);
    }
    spin_unlock(&mq_lock);
    wake_up_all(&q->changed);
    return m;
}

int64_t sys_mq_timedreceive(struct task *t, const uint64_t *a)
{
    int64_t err;
    uint64_t end = take_end(a[4], &err);
    if (err)
        return err;
    struct file *f;
    struct mqueue *q = mqueue_get(t, (uint32_t)a[0], &f);
    if (!q)
        return -EBADF;
    err = !is_open_for(f, O_RDONLY) ? -EBADF : a[2] < q->max_size ? -EMSGSIZE : 0;
    struct mq_msg *m = err ? NULL : receive(q, f->flags & O_NONBLOCK, end, &err);
    if (m) { /* as on Linux a message is lost that does not reach the guest's memory */
        bool failed = (a[3] && put_user_u32(m->priority, mk_vaddr(a[3]))) ||
                      copy_to_user(mk_vaddr(a[1]), m->text, m->size);
        err = failed ? -EFAULT : (int64_t)m->size;
        ipc_free(m);
    }
    file_put(f);
    return err == -EINTR ? -ERESTARTSYS : err;
}

/* --- the file --------------------------------------------------------------------------------- */

/* What is in it, in one line. */
static int64_t mqueue_read(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    struct mqueue *q = f->private;
    char line[80];
    spin_lock(&mq_lock);
    struct mq_notify who = q->notify;
    uint64_t bytes = q->bytes;
    spin_unlock(&mq_lock);
    uint64_t len = (uint64_t)snprintf(
        line, sizeof(line), "QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6u\n", bytes, who.how,
        who.how == SIGEV_SIGNAL ? who.signo : 0, who.pid);
    if (*pos >= len)
        return 0;
    n = MIN(n, len - *pos);
    if (copy_to_user(buf, line + *pos, n))
        return -EFAULT;
    *pos += n;
    return (int64_t)n;
}

static uint32_t mqueue_poll(struct file *f, struct poll_wait *pw)
{
    struct mqueue *q = f->private;
    poll_add(pw, &q->changed);
    uint64_t nr = load_relaxed(&q->nr);
    return (nr ? POLLIN | POLLRDNORM : 0) | (nr < q->max_msgs ? POLLOUT | POLLWRNORM : 0);
}

static void mqueue_flush(struct file *f, const struct file_table *files)
{
    struct mqueue *q = f->private;
    spin_lock(&mq_lock);
    if (q->notify.files == files)
        q->notify = (struct mq_notify){0};
    spin_unlock(&mq_lock);
}

static void mqueue_close(struct file *f)
{
    mqueue_put(f->private);
}

static void mqueue_print_name(const struct file *f, struct sink *out)
{
    const struct mqueue *q = f->private;
    print(out, "/%s", q->name);
}

static const struct file_ops mqueue_ops = {
    .read = mqueue_read,
    .poll = mqueue_poll,
    .flush = mqueue_flush,
    .close = mqueue_close,
    .print_name = mqueue_print_name,
};

struct file *mqueue_file(struct mqueue *q, uint32_t flags)
{
    struct file *f = file_alloc(&mqueue_ops, S_IFREG | q->perm.mode);
    if (!f)
        return NULL;
    f->private = q;
    f->flags = flags & (O_ACCMODE | O_NONBLOCK);
    return f;
}

struct mqueue *mqueue_get(struct task *t, uint64_t fd, struct file **f)
{
    *f = file_get(t->guest->files, fd);
    if (!*f)
        return NULL;
    if ((*f)->ops == &mqueue_ops)
        return (*f)->private;
    file_put(*f);
    return NULL;
}

void mqueue_put(struct mqueue *q)
{
    spin_lock(&mq_lock);
    bool last = --q->refcount == 0;
    spin_unlock(&mq_lock);
    if (!last)
        return;
    while (rb_first(&q->messages)) { /* nobody else has it: no lock */
        ipc_free(take_out(q));
        cond_resched();
    }
    fetch_sub(&q->user->msg_bytes, q->charged);
    user_put(q->user);
    ipc_free(q);
}
