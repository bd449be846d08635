/* SPDX-License-Identifier: MIT */
/*
 * hart.c - harts, their mailboxes, and waiting, as threads of this host.
 *
 *      hart 1 (a thread)   --- box 2: fn, arg --->   hart 2: host_poll() runs it
 *      hart 1 (a thread)   fn runs here as hart 3    hart 3: no thread of its own
 *
 * Locks: box_lock over all boxes. Stands for kern/percpu.c, kern/ipi.c, kern/wait.c, kern/sched.c.
 */
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "arch/csr.h"
#include "kern/ipi.h"
#include "kern/percpu.h"
#include "kern/sched.h"
#include "kern/thread.h"
#include "kern/timer.h"
#include "kern/wait.h"
#include "support/host.h"

static struct hart hart_memory[MAX_HARTS];
struct hart *harts[MAX_HARTS] = {&hart_memory[0]};
uint32_t nr_harts = 1;
hartmask_t harts_online = {1};
hartmask_t node_harts[MAX_NODES] = {{1}};
_Thread_local struct hart *host_hart = &hart_memory[0];

static struct box {
    void (*fn)(void *);
    void *arg;
    bool has_thread;
} boxes[MAX_HARTS];
static pthread_mutex_t box_lock = PTHREAD_MUTEX_INITIALIZER;

void host_harts(uint32_t n, uint32_t (*nid)(uint32_t hart))
{
    memset(hart_memory, 0, sizeof(hart_memory));
    memset(node_harts, 0, sizeof(node_harts));
    memset(boxes, 0, sizeof(boxes));
    nr_harts = n;
    harts_online.bits = n == 64 ? ~0UL : (1UL << n) - 1;
    for (uint32_t i = 0; i < n; i++) {
        harts[i] = &hart_memory[i];
        harts[i]->arch.index = i;
        harts[i]->arch.hartid = i;
        harts[i]->arch.nid = nid ? nid(i) : 0;
        node_harts[harts[i]->arch.nid].bits |= 1UL << i;
    }
    host_hart = harts[0];
}

void host_become(uint32_t hart)
{
    host_hart = harts[hart];
}

void host_run_as(uint32_t hart)
{
    host_become(hart);
    pthread_mutex_lock(&box_lock);
    boxes[hart].has_thread = true;
    pthread_mutex_unlock(&box_lock);
}

void host_leave(void)
{
    uint32_t me = hart_index();
    host_poll();
    pthread_mutex_lock(&box_lock);
    if (boxes[me].fn) {
        boxes[me].fn(boxes[me].arg);
        boxes[me].fn = NULL;
    }
    boxes[me].has_thread = false;
    pthread_mutex_unlock(&box_lock);
}

void host_poll(void)
{
    struct box *box = &boxes[hart_index()];
    pthread_mutex_lock(&box_lock);
    if (box->fn)
        box->fn(box->arg);
    box->fn = NULL;
    pthread_mutex_unlock(&box_lock);
}

void ipi_poll(void)
{
    host_poll();
}

/* Have one other hart run it, by its thread or, when it has none, in its place. */
static void call_one(uint32_t target, void (*fn)(void *), void *arg)
{
    struct hart *me = host_hart;
    bool posted = false;
    for (bool done = false; !done; sched_yield()) {
        host_poll();
        pthread_mutex_lock(&box_lock);
        if (!boxes[target].has_thread && !posted) {
            host_hart = harts[target];
            fn(arg);
            host_hart = me;
            done = true;
        } else if (!posted && !boxes[target].fn) {
            boxes[target].fn = fn;
            boxes[target].arg = arg;
            posted = true;
        } else if (posted) {
            done = boxes[target].fn != fn || boxes[target].arg != arg;
        }
        pthread_mutex_unlock(&box_lock);
    }
}

void ipi_call(hartmask_t mask, void (*fn)(void *), void *arg, enum ipi_wait wait)
{
    (void)wait;
    for (uint32_t i = 0; i < nr_harts; i++) {
        if (!(mask.bits >> i & 1) || !(harts_online.bits >> i & 1))
            continue;
        if (i == hart_index())
            fn(arg);
        else
            call_one(i, fn, arg);
    }
}

/* --- waiting: a look, a yield, another look --------------------------------------------------- */

void spin_wait(uint32_t round)
{
    (void)round;
    sched_yield();
}

void (*host_waiting)(uint64_t ns);

static void wait_so_long(uint64_t ns)
{
    host_poll();
    if (host_waiting)
        host_waiting(ns);
    sched_yield();
}

void schedule(void)
{
    wait_so_long(0);
}

void resched(void)
{
    host_poll();
    sched_yield();
}

void wait_queue_init(struct wait_queue *q)
{
    spin_init(&q->lock, "wait queue", RANK_WAIT_QUEUE);
    INIT_LIST_HEAD(&q->waiters);
}

void wait_prepare(struct wait_queue *q, struct wait_entry *e, uint32_t state)
{
    (void)q, (void)e, (void)state;
}

void wait_finish(struct wait_queue *q, struct wait_entry *e)
{
    (void)q, (void)e;
}

uint64_t host_wakeups;

void wake_up_all(struct wait_queue *q)
{
    (void)q;
    __atomic_fetch_add(&host_wakeups, 1, __ATOMIC_RELAXED);
}

void wake_up_one(struct wait_queue *q)
{
    wake_up_all(q);
}

void thread_set_stack_ops(const struct stack_ops *ops)
{
    (void)ops;
}

uint64_t now_ns(void)
{
    return rdtime();
}

uint64_t ns_to_ticks(uint64_t ns)
{
    return ns;
}

int sleep_ns(uint64_t ns)
{
    wait_so_long(ns);
    return 0;
}
