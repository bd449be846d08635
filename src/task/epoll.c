/* SPDX-License-Identifier: MIT */
/*
 * epoll.c - what is watched, and what of it is ready. epoll.h has the picture.
 *
 * Items hold no reference of their file: closing its last number ends the watching. So file_put()
 * calls epoll_release(), before the file's queues go.
 *
 * Locks: epoll.h. Linux's counterpart: fs/eventpoll.c.
 */
#include "task/epoll.h"

#include "base/errno.h"
#include "phys/node.h"
#include "slab/kmalloc.h"

#define ITEMS_MEMORY_SHARE 25 /* all items may take such a part of the memory, as on Linux */

struct item_queue {
    struct wait_entry entry;
    struct wait_queue *q;
    struct epoll_item *item;
};

struct epoll_item {
    struct rb_node rb;          /* (m) in ep->items */
    struct epoll_item *sibling; /* (m) the next in file->watchers */
    struct list_head ready;     /* (w) in ep->ready; empty: it is not */
    struct epoll *ep;
    struct file *file;
    uint32_t fd;
    struct epoll_event_abi event; /* (w) */
    struct item_queue queues[POLL_QUEUES];
    unsigned nr_queues;
};

static struct mutex epoll_mutex = MUTEX_INIT(epoll_mutex);
static uint64_t nr_items; /* (m) all there are */

/* --- being ready ------------------------------------------------------------------------------ */

/* wait.lock held, as the inner one of two where a file's queue was woken. */
static void put_on_ready_locked(struct epoll_item *item)
{
    struct epoll *ep = item->ep;
    if (list_empty(&item->ready)) {
        list_add_tail(&item->ready, &ep->ready);
        ep->nr_ready++;
    }
}

static void take_off_ready_locked(struct epoll_item *item)
{
    if (list_empty(&item->ready))
        return;
    list_del_init(&item->ready);
    item->ep->nr_ready--;
}

static void put_on_ready(struct epoll_item *item)
{
    spin_lock(&item->ep->wait.lock);
    put_on_ready_locked(item);
    spin_unlock(&item->ep->wait.lock);
}

/* The file's queue was woken, with its lock held, maybe by an interrupt. */
static void file_woken(struct wait_entry *e)
{
    struct epoll_item *item = container_of(e, struct item_queue, entry)->item;
    struct epoll *ep = item->ep;
    spin_lock_nested(&ep->wait.lock);
    if (item->event.events & ~EPOLL_MODES) {
        put_on_ready_locked(item);
        wake_up_all_locked(&ep->wait);
    }
    spin_unlock(&ep->wait.lock);
}

static bool epoll_is_ready(struct epoll *ep);

/* What the file is ready for, of what is wanted; it may be an epoll itself. */
static uint32_t ask(struct epoll_item *item, struct poll_wait *pw)
{
    struct epoll *inner = epoll_of(item->file);
    uint32_t events;
    if (inner) {
        poll_add(pw, &inner->wait);
        events = epoll_is_ready(inner) ? POLLIN | POLLRDNORM : 0;
    } else {
        events = file_poll(item->file, pw);
    }
    return events & load_relaxed(&item->event.events) & ~EPOLL_MODES;
}

static struct epoll_item *first_ready(struct epoll *ep)
{
    struct epoll_item *item = NULL;
    spin_lock(&ep->wait.lock);
    if (!list_empty(&ep->ready)) {
        item = list_first_entry(&ep->ready, struct epoll_item, ready);
        take_off_ready_locked(item);
    }
    spin_unlock(&ep->wait.lock);
    return item;
}

/* Is anything? Items that no longer are leave the list. Recursion: at most EPOLL_NESTS. */
static bool epoll_is_ready(struct epoll *ep)
{
    struct epoll_item *item;
    while ((item = first_ready(ep)) != NULL) {
        if (ask(item, NULL)) {
            put_on_ready(item);
            return true;
        }
        cond_resched();
    }
    return false;
}

unsigned epoll_collect(struct epoll *ep, struct epoll_event_abi *out, unsigned max, uint64_t *left)
{
    struct epoll_item *item;
    unsigned n = 0;
    mutex_lock(&epoll_mutex);
    for (; n < max && *left && (item = first_ready(ep)) != NULL; --*left) {
        uint32_t events = ask(item, NULL);
        if (events) {
            out[n++] = (struct epoll_event_abi){.events = events, .data = item->event.data};
            if (item->event.events & EPOLLONESHOT)
                store_relaxed(&item->event.events, item->event.events & EPOLL_MODES);
            else if (!(item->event.events & EPOLLET))
                put_on_ready(item);
        }
        cond_resched();
    }
    mutex_unlock(&epoll_mutex);
    return n;
}

/* --- items ------------------------------------------------------------------------------------ */

/* The item of (file, fd), or NULL and the place where it would be. */
static struct epoll_item *find(struct epoll *ep, const struct file *f, uint32_t fd,
                               struct rb_node ***link, struct rb_node **parent)
{
    *link = &ep->items.node;
    *parent = NULL;
    while (**link) {
        struct epoll_item *item = rb_entry(**link, struct epoll_item, rb);
        if (item->file == f && item->fd == fd)
            return item;
        bool left = f == item->file ? fd < item->fd : (uintptr_t)f < (uintptr_t)item->file;
        *parent = **link;
        *link = left ? &(**link)->left : &(**link)->right;
    }
    return NULL;
}

struct registering {
    struct poll_wait pw;
    struct epoll_item *item;
};

static void watch_queue(struct poll_wait *pw, struct wait_queue *q)
{
    struct epoll_item *item = container_of(pw, struct registering, pw)->item;
    BUG_ON(item->nr_queues == POLL_QUEUES);
    struct item_queue *iq = &item->queues[item->nr_queues++];
    iq->q = q;
    iq->item = item;
    wait_watch(q, &iq->entry, file_woken);
}

/* It may be ready already. */
static void look_at_once(struct epoll_item *item, struct poll_wait *pw)
{
    if (!ask(item, pw))
        return;
    spin_lock(&item->ep->wait.lock);
    put_on_ready_locked(item);
    wake_up_all_locked(&item->ep->wait);
    spin_unlock(&item->ep->wait.lock);
}

static void free_item(struct epoll_item *item)
{
    struct epoll_item **link = &item->file->watchers;
    for (unsigned i = 0; i < item->nr_queues; i++)
        wait_unwatch(item->queues[i].q, &item->queues[i].entry);
    spin_lock(&item->ep->wait.lock);
    take_off_ready_locked(item);
    spin_unlock(&item->ep->wait.lock);
    while (*link != item)
        link = &(*link)->sibling;
    store_release(link, item->sibling);
    rb_erase(&item->rb, &item->ep->items);
    nr_items--;
    kfree(item);
}

/* --- who watches whom ------------------------------------------------------------------------- */

/* How many epolls are watched below f, itself included; more than the limit where f is in a loop
 * with `top` or it is too deep. */
static unsigned depth_below(const struct file *f, const struct epoll *top, unsigned limit)
{
    struct epoll *ep = epoll_of(f);
    unsigned deepest = 0;
    if (!ep)
        return 0;
    if (ep == top || !limit)
        return limit + 1;
    for (struct rb_node *n = rb_first(&ep->items); n; n = rb_next(n)) {
        unsigned below = depth_below(rb_entry(n, struct epoll_item, rb)->file, top, limit - 1);
        deepest = MAX(deepest, below);
        cond_resched();
    }
    return deepest + 1;
}

/* How many watch above it. */
static unsigned depth_above(const struct file *f, unsigned limit)
{
    unsigned deepest = 0;
    for (const struct epoll_item *i = f->watchers; limit && i; i = i->sibling) {
        unsigned above = depth_above(i->ep->file, limit - 1) + 1;
        deepest = MAX(deepest, above);
        cond_resched();
    }
    return deepest;
}

static bool too_deep(const struct epoll *ep, const struct file *f)
{
    unsigned below = depth_below(f, ep, EPOLL_NESTS);
    return below && below + depth_above(ep->file, EPOLL_NESTS) > EPOLL_NESTS;
}

/* --- the three changes ------------------------------------------------------------------------ */

static uint64_t items_max(void)
{
    uint64_t pages = 0;
    int nid;
    for_each_node(nid)
        pages += NODE_DATA(nid)->node_present_pages;
    return (pages << PAGE_SHIFT) / ITEMS_MEMORY_SHARE / sizeof(struct epoll_item);
}

static int add_locked(struct epoll *ep, struct file *f, uint32_t fd,
                      const struct epoll_event_abi *ev)
{
    struct rb_node **link, *parent;
    if (too_deep(ep, f))
        return -ELOOP;
    if (find(ep, f, fd, &link, &parent))
        return -EEXIST;
    if (nr_items >= items_max())
        return -ENOSPC;
    struct epoll_item *item = kzalloc(sizeof(*item), GFP_KERNEL);
    if (!item)
        return -ENOMEM;
    item->ep = ep;
    item->file = f;
    item->fd = fd;
    item->event = *ev;
    INIT_LIST_HEAD(&item->ready);
    item->sibling = f->watchers;
    store_release(&f->watchers, item);
    rb_link_node(&item->rb, parent, link);
    rb_insert_color(&item->rb, &ep->items);
    nr_items++;
    struct registering r = {.pw = {.add = watch_queue}, .item = item};
    look_at_once(item, &r.pw);
    return 0;
}

int epoll_add(struct epoll *ep, struct file *f, uint32_t fd, const struct epoll_event_abi *ev)
{
    mutex_lock(&epoll_mutex);
    int err = add_locked(ep, f, fd, ev);
    mutex_unlock(&epoll_mutex);
    return err;
}

int epoll_modify(struct epoll *ep, const struct file *f, uint32_t fd,
                 const struct epoll_event_abi *ev)
{
    struct rb_node **link, *parent;
    mutex_lock(&epoll_mutex);
    struct epoll_item *item = find(ep, f, fd, &link, &parent);
    int err = !item ? -ENOENT : item->event.events & EPOLLEXCLUSIVE ? -EINVAL : 0;
    if (!err) {
        spin_lock(&ep->wait.lock);
        item->event = *ev;
        spin_unlock(&ep->wait.lock);
        look_at_once(item, NULL);
    }
    mutex_unlock(&epoll_mutex);
    return err;
}

int epoll_remove(struct epoll *ep, const struct file *f, uint32_t fd)
{
    struct rb_node **link, *parent;
    mutex_lock(&epoll_mutex);
    struct epoll_item *item = find(ep, f, fd, &link, &parent);
    if (item)
        free_item(item);
    mutex_unlock(&epoll_mutex);
    return item ? 0 : -ENOENT;
}

void epoll_release(struct file *f)
{
    mutex_lock(&epoll_mutex);
    while (f->watchers)
        free_item(f->watchers);
    mutex_unlock(&epoll_mutex);
}

/* --- as a file -------------------------------------------------------------------------------- */

static uint32_t epoll_poll(struct file *f, struct poll_wait *pw)
{
    struct epoll *ep = f->private;
    poll_add(pw, &ep->wait);
    mutex_lock(&epoll_mutex);
    bool ready = epoll_is_ready(ep);
    mutex_unlock(&epoll_mutex);
    return ready ? POLLIN | POLLRDNORM : 0;
}

static void epoll_close(struct file *f)
{
    struct epoll *ep = f->private;
    struct rb_node *n;
    mutex_lock(&epoll_mutex);
    while ((n = rb_first(&ep->items)) != NULL) {
        free_item(rb_entry(n, struct epoll_item, rb));
        cond_resched();
    }
    mutex_unlock(&epoll_mutex);
    kfree(ep);
}

static void epoll_print_name(const struct file *f, struct sink *out)
{
    (void)f;
    print(out, "anon_inode:[eventpoll]");
}

static const struct file_ops epoll_ops = {
    .poll = epoll_poll,
    .close = epoll_close,
    .print_name = epoll_print_name,
};

struct epoll *epoll_of(const struct file *f)
{
    return f->ops == &epoll_ops ? f->private : NULL;
}

struct file *epoll_create(void)
{
    struct epoll *ep = kzalloc(sizeof(*ep), GFP_KERNEL);
    struct file *f = ep ? file_alloc(&epoll_ops, 0600) : NULL;
    if (!f) {
        kfree(ep);
        return NULL;
    }
    wait_queue_init(&ep->wait);
    INIT_LIST_HEAD(&ep->ready);
    ep->file = f;
    f->private = ep;
    f->flags = O_RDWR;
    return f;
}
