/* SPDX-License-Identifier: MIT */
/*
 * unix_packet.c - what lies in the queue of a socket.
 *
 *      packet_alloc --> fill --> enter(to): charged to who sent it --> leave --> free: credited
 *
 * Locks: unix_lock where names end in _locked. Linux's counterpart: struct sk_buff.
 */
#include "base/errno.h"
#include "phys/vmstat.h"
#include "slab/kmalloc.h"
#include "slab/vmalloc.h"
#include "task/unix.h"

#define MEMORY_SHARE 8     /* of all memory, one part for all packets together */
#define WHOLE_MOST KIB(32) /* more than that need not be contiguous */

static uint64_t bytes_used; /* (a) */

static size_t footprint(const struct packet *p)
{
    return sizeof(*p) + p->size;
}

struct packet *packet_alloc(struct unix_sock *from, size_t size)
{
    size_t total = sizeof(struct packet) + size;
    uint64_t used = fetch_add_relaxed(&bytes_used, total) + total;
    struct packet *p = NULL;
    if (used <= nr_managed_pages() * PAGE_SIZE / MEMORY_SHARE)
        p = total > WHOLE_MOST ? vmalloc(total) : kmalloc(total, GFP_KERNEL);
    if (!p) {
        fetch_sub(&bytes_used, total);
        return NULL;
    }
    *p = (struct packet){.from = from, .size = size};
    unix_get(from);
    return p;
}

static void free_memory(struct packet *p)
{
    size_t total = footprint(p);
    fetch_sub(&bytes_used, total);
    if (total > WHOLE_MOST)
        vfree(p);
    else
        kfree(p);
}

void packet_free(struct packet *p)
{
    unix_put(p->from);
    rights_drop(p->rights);
    free_memory(p);
}

void packet_enter_locked(struct unix_sock *to, struct packet *p)
{
    assert_locked(&unix_lock);
    p->from->sent += footprint(p);
    p->address = p->from->address;
    list_add_tail(&p->node, &to->packets);
    to->nr_packets++;
    to->unread += p->size;
    if (p->rights)
        rights_travel_locked(p->rights);
    wake_up_all(&to->wait);
}

/* Its sender may go on; and, where the queue was full, all who wait to send to this one. */
void packet_leave_locked(struct unix_sock *s, struct packet *p)
{
    struct unix_sock *client;
    assert_locked(&unix_lock);
    list_del(&p->node);
    s->unread -= p->size - p->at;
    p->from->sent -= footprint(p);
    wake_up_all(&p->from->wait);
    if (s->nr_packets-- <= UNIX_QUEUE_MAX)
        return;
    wake_up_all(&s->wait);
    list_for_each_entry(client, &s->clients, client)
        wake_up_all(&client->wait);
}
