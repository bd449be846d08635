/* SPDX-License-Identifier: MIT */
/*
 * futex_op.c - two futexes at once: waiters are moved, or a word is changed and both may wake.
 *
 *      requeue    A: [w1 w2 w3 w4]  --wake 1, move 2-->  w1 awake   A: [w4]   B: [w2 w3]
 *      wake_op    old = B; B = old OP x;   wake at A;   old CMP y?  wake at B
 *
 * A moved waiter would only have woken to find the lock taken, and slept again.
 *
 * Locks: both buckets'. Linux's counterpart: kernel/futex/requeue.c, futex_wake_op().
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "task/futex_queue.h"

int futex_two_keys(struct mm_struct *mm, vaddr_t addr, vaddr_t addr2, unsigned flags,
                   struct futex_key keys[2])
{
    int err = futex_key(mm, addr, flags, &keys[0]);
    return err ? err : futex_key(mm, addr2, flags, &keys[1]);
}

int futex_lock_two_with_value(struct futex_bucket *a, struct futex_bucket *b, vaddr_t addr,
                              const uint32_t *expected)
{
    uint32_t value;
    for (;;) {
        if (expected && get_user_u32(&value, addr))
            return -EFAULT;
        futex_lock_two(a, b);
        if (!expected)
            return 0;
        int err = futex_peek(&value, addr);
        if (!err && value == *expected)
            return 0;
        futex_unlock_two(a, b);
        if (!err)
            return -EAGAIN;
    }
}

/* Wake the first n of those at keys[0], move the next m to keys[1]. Buckets locked. */
static int64_t move_locked(struct futex_bucket *from, struct futex_bucket *to,
                           const struct futex_key keys[2], uint32_t n, uint32_t m)
{
    struct futex_waiter *w, *next;
    int64_t done = 0;
    list_for_each_entry_safe(w, next, &from->waiters, node) {
        if (!futex_same(&w->key, &keys[0]))
            continue;
        if (w->kind != FUTEX_PLAIN)
            return -EINVAL;
        if (done < n) {
            futex_wake_waiter_locked(w);
        } else if (done - n < m) {
            w->key = keys[1];
            futex_move_locked(w, to);
        } else {
            break;
        }
        done++;
    }
    return done;
}

int64_t futex_requeue(struct mm_struct *mm, vaddr_t addr, unsigned flags, uint32_t n, vaddr_t addr2,
                      uint32_t m, const uint32_t *expected)
{
    struct futex_key keys[2];
    if ((int32_t)n < 0 || (int32_t)m < 0)
        return -EINVAL;
    int err = futex_two_keys(mm, addr, addr2, flags, keys);
    if (err)
        return err;
    struct futex_bucket *from = futex_bucket(&keys[0]), *to = futex_bucket(&keys[1]);
    err = futex_lock_two_with_value(from, to, addr, expected);
    if (err)
        return err;
    int64_t done = move_locked(from, to, keys, n, m);
    futex_unlock_two(from, to);
    return done;
}

/* --- an operation that wakes ------------------------------------------------------------------ */

#define OP_SHIFTED 8u /* in the operation: 1 << operand */

/* The word after the operation: set, add, or, and-not, xor. */
static int operate(uint32_t op, uint32_t operand, uint32_t old, uint32_t *new)
{
    switch (op) {
    case 0:
        *new = operand;
        return 0;
    case 1:
        *new = old + operand;
        return 0;
    case 2:
        *new = old | operand;
        return 0;
    case 3:
        *new = old & ~operand;
        return 0;
    case 4:
        *new = old ^ operand;
        return 0;
    default:
        return -ENOSYS;
    }
}

/* Was the word as it should be: ==, !=, <, <=, >, >=? */
static int compare(uint32_t cmp, int32_t old, int32_t with)
{
    switch (cmp) {
    case 0:
        return old == with;
    case 1:
        return old != with;
    case 2:
        return old < with;
    case 3:
        return old <= with;
    case 4:
        return old > with;
    case 5:
        return old >= with;
    default:
        return -ENOSYS;
    }
}

static uint32_t sign_extend_12(uint32_t v)
{
    return (uint32_t)((int32_t)(v << 20) >> 20);
}

/* op: 4 bits operation, 4 bits comparison, 12 bits operand, 12 bits to compare with. */
static int change_word(vaddr_t addr, uint32_t op, uint32_t *old)
{
    uint32_t what = op >> 28, operand = sign_extend_12(op >> 12 & 0xfff), new;
    if (what & OP_SHIFTED)
        operand = 1u << (operand & 31);
    int err = futex_peek(old, addr);
    while (!err) {
        err = operate(what & 7, operand, *old, &new);
        int done = err ? 0 : futex_poke(addr, old, new);
        if (err || done > 0)
            return err;
        err = done;
    }
    return err;
}

int futex_touch(vaddr_t addr)
{
    uint32_t value;
    if (get_user_u32(&value, addr))
        return -EFAULT;
    return MIN(cmpxchg_user_u32(addr, &value, value), 0);
}

int64_t futex_wake_op(struct mm_struct *mm, vaddr_t addr, unsigned flags, uint32_t n, vaddr_t addr2,
                      uint32_t m, uint32_t op)
{
    struct futex_key keys[2];
    uint32_t old;
    int err = futex_two_keys(mm, addr, addr2, flags, keys);
    if (err)
        return err;
    struct futex_bucket *a = futex_bucket(&keys[0]), *b = futex_bucket(&keys[1]);
    for (;;) {
        futex_lock_two(a, b);
        err = change_word(addr2, op, &old);
        if (err != -EFAULT)
            break;
        futex_unlock_two(a, b);
        if (futex_touch(addr2))
            return -EFAULT;
    }
    int was =
        err ? err : compare(op >> 24 & 0xf, (int32_t)old, (int32_t)sign_extend_12(op & 0xfff));
    int64_t woken = was < 0 ? was : futex_wake_locked(a, &keys[0], n, UINT32_MAX);
    int64_t more = was > 0 && woken >= 0 ? futex_wake_locked(b, &keys[1], m, UINT32_MAX) : 0;
    futex_unlock_two(a, b);
    return more < 0 ? more : woken + more;
}
