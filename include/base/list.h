/* SPDX-License-Identifier: MIT */
/*
 * list.h - a ring of links inside the things that are listed.
 *
 *      head <-> a.node <-> b.node <-> c.node <-> (head)
 *
 * The head is a link like any other, so insertion and removal have no special cases and need no
 * search. An empty list is a head that points to itself.
 *
 * Locks: the caller's. Invariant: n->next->prev == n and n->prev->next == n for each link.
 * Linux's counterpart: include/linux/list.h, whose names these are.
 */
#ifndef PAGODA_BASE_LIST_H
#define PAGODA_BASE_LIST_H

#include "base/atomic.h"
#include "base/types.h"

struct list_head {
    struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name) \
    {                        \
        &(name), &(name)     \
    }
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)

/* list_empty() may look without the list's lock, so `next` is always written as a whole. */
static inline void list_set_next(struct list_head *n, struct list_head *next)
{
    store_relaxed(&n->next, next);
}

static inline void INIT_LIST_HEAD(struct list_head *head)
{
    list_set_next(head, head);
    head->prev = head;
}

static inline bool list_empty(const struct list_head *head)
{
    return __atomic_load_n(&head->next, __ATOMIC_RELAXED) == head;
}

static inline bool list_is_singular(const struct list_head *head)
{
    return head->next != head && head->next == head->prev;
}

static inline void list_link_between(struct list_head *n, struct list_head *prev,
                                     struct list_head *next)
{
    next->prev = n;
    list_set_next(n, next);
    n->prev = prev;
    list_set_next(prev, n);
}

/** Add @n right behind @head: a stack's push. */
static inline void list_add(struct list_head *n, struct list_head *head)
{
    list_link_between(n, head, head->next);
}

/** Add @n right before @head: a queue's end. */
static inline void list_add_tail(struct list_head *n, struct list_head *head)
{
    list_link_between(n, head->prev, head);
}

/** Take @n out; its own links become NULL so that a second removal is noticed. */
static inline void list_del(struct list_head *n)
{
    n->next->prev = n->prev;
    list_set_next(n->prev, n->next);
    list_set_next(n, NULL);
    n->prev = NULL;
}

/** Take @n out and make it an empty list, so that list_empty(n) tells that it is on none. */
static inline void list_del_init(struct list_head *n)
{
    n->next->prev = n->prev;
    list_set_next(n->prev, n->next);
    INIT_LIST_HEAD(n);
}

static inline void list_move(struct list_head *n, struct list_head *head)
{
    n->next->prev = n->prev;
    list_set_next(n->prev, n->next);
    list_add(n, head);
}

static inline void list_move_tail(struct list_head *n, struct list_head *head)
{
    n->next->prev = n->prev;
    list_set_next(n->prev, n->next);
    list_add_tail(n, head);
}

/** Put the links of @from between @prev and @next, leaving @from empty. */
static inline void list_splice_between(struct list_head *from, struct list_head *prev,
                                       struct list_head *next)
{
    if (from->next == from)
        return;
    from->next->prev = prev;
    list_set_next(prev, from->next);
    list_set_next(from->prev, next);
    next->prev = from->prev;
    INIT_LIST_HEAD(from);
}

/** Move all of @from to the front of @to; @from becomes empty. */
static inline void list_splice_init(struct list_head *from, struct list_head *to)
{
    list_splice_between(from, to, to->next);
}

/** Move all of @from to the end of @to; @from becomes empty. */
static inline void list_splice_tail_init(struct list_head *from, struct list_head *to)
{
    list_splice_between(from, to->prev, to);
}

/** Move the first links of @from, up to and with @last, to @to, which is overwritten. */
static inline void list_cut_position(struct list_head *to, struct list_head *from,
                                     struct list_head *last)
{
    if (last == from) {
        INIT_LIST_HEAD(to);
        return;
    }
    to->next = from->next;
    to->next->prev = to;
    to->prev = last;
    from->next = last->next;
    from->next->prev = from;
    last->next = to;
}

/** Is every link of the list well linked, and are there at most @max? Walks the whole list. */
static inline bool list_check(const struct list_head *head, size_t max)
{
    const struct list_head *n = head;
    do {
        if (!n->next || n->next->prev != n || max-- == (size_t)-1)
            return false;
        n = n->next;
    } while (n != head);
    return true;
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_last_entry(head, type, member) list_entry((head)->prev, type, member)
#define list_next_entry(pos, member) list_entry((pos)->member.next, __typeof__(*(pos)), member)
#define list_prev_entry(pos, member) list_entry((pos)->member.prev, __typeof__(*(pos)), member)
#define list_first_entry_or_null(head, type, member) \
    (list_empty(head) ? NULL : list_first_entry(head, type, member))

#define list_for_each(pos, head) for ((pos) = (head)->next; (pos) != (head); (pos) = (pos)->next)
#define list_for_each_entry(pos, head, member)                                                   \
    for ((pos) = list_entry((head)->next, __typeof__(*(pos)), member); &(pos)->member != (head); \
         (pos) = list_next_entry(pos, member))
#define list_for_each_entry_reverse(pos, head, member)                                           \
    for ((pos) = list_entry((head)->prev, __typeof__(*(pos)), member); &(pos)->member != (head); \
         (pos) = list_prev_entry(pos, member))
#define list_for_each_entry_safe(pos, n, head, member)                 \
    for ((pos) = list_entry((head)->next, __typeof__(*(pos)), member), \
        (n) = list_next_entry(pos, member);                            \
         &(pos)->member != (head); (pos) = (n), (n) = list_next_entry(n, member))

#endif
