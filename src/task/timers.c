/* SPDX-License-Identifier: MIT */
/*
 * timers.c - alarms and what sets them. timers.h has the picture.
 *
 *      up:  enough of its clock?  no: come again when it could be
 *                                 yes: signal; an interval sets it again, from when it was up
 *
 * A timer's signal is an entry of its own, so that it needs no memory to send, and waits once.
 *
 * Locks: guest->lock.
 * Linux's counterpart: kernel/time/itimer.c, posix-timers.c.
 */
#include "task/timers.h"

#include "arch/uaccess.h"
#include "base/errno.h"
#include "slab/kmalloc.h"
#include "task/sigqueue.h"
#include "task/syscall.h"
#include "task/syscalls.h"

#define TIMER_ABSTIME 1u
#define CLOCK_REALTIME 0u
#define CLOCK_TAI 11u
#define CLOCK_PROCESS_CPUTIME_ID 2u
#define CLOCK_THREAD_CPUTIME_ID 3u
#define CLOCK_LAST 11u

static uint64_t clock_now(const struct alarm *al)
{
    return al->clock == ALARM_REAL ? now_ns() : guest_run_ns(al->guest);
}

/* --- being up --------------------------------------------------------------------------------- */

/* overruns: how many times it was up before this one without being noticed. */
static void send_locked(struct alarm *al, uint64_t overruns)
{
    struct guest *g = al->guest;
    struct task *t, *only = NULL;
    assert_locked(&g->lock);
    list_for_each_entry(t, &g->tasks, guest_node) {
        if (t->tid == al->tid)
            only = t;
    }
    if (al->signal.info.signo && (only || !al->tid))
        signal_send_timer_locked(g, only, &al->signal, (uint32_t)MIN(overruns, INT32_MAX + 0UL));
}

/*
 * An alarm whose signals are taken comes again as soon as it is wanted to. One whose signal is
 * still pending, or is ignored, waits longer each time: many of those would leave no time for the
 * program to take any. Its overruns are calculated, so that none is lost.
 */
static void be_patient_locked(struct alarm *al)
{
    bool taken = al->sent && list_empty(&al->signal.node);
    assert_locked(&al->guest->lock);
    al->patience = taken ? SHORTEST_WAIT : MIN(al->patience * 2, LONGEST_WAIT);
}

static void alarm_is_up(struct timer *timer)
{
    struct alarm *al = container_of(timer, struct alarm, timer);
    uint64_t now = clock_now(al);
    spin_lock(&al->guest->lock);
    uint64_t expires = al->expires;
    bool up = expires && now >= expires;
    uint64_t missed = up && al->interval ? (now - expires) / al->interval : 0;
    if (up)
        al->expires = al->interval ? expires + (missed + 1) * al->interval : 0;
    if (up)
        be_patient_locked(al);
    if (al->expires)
        timer_add(&al->timer, MAX(al->expires - now, al->patience));
    if (up)
        send_locked(al, missed);
    al->sent = !list_empty(&al->signal.node);
    spin_unlock(&al->guest->lock);
}

/* --- setting ---------------------------------------------------------------------------------- */

static struct timer_setting look_locked(const struct alarm *al, uint64_t now)
{
    struct timer_setting s = {.interval = al->interval};
    if (al->expires)
        s.value = al->expires > now ? al->expires - now : 1;
    return s;
}

/* Set it; what it was before. `absolute`: value is a time of the clock. */
static struct timer_setting alarm_set(struct alarm *al, const struct timer_setting *to,
                                      bool absolute)
{
    (void)timer_cancel(&al->timer);
    uint64_t now = clock_now(al);
    spin_lock(&al->guest->lock);
    struct timer_setting old = look_locked(al, now);
    al->interval = to->interval;
    al->patience = SHORTEST_WAIT;
    al->sent = false;
    al->expires = !to->value ? 0 : absolute ? to->value : now + to->value;
    if (al->expires)
        timer_add(&al->timer, al->expires > now ? al->expires - now : 0);
    spin_unlock(&al->guest->lock);
    return old;
}

static struct timer_setting alarm_get(struct alarm *al)
{
    uint64_t now = clock_now(al);
    spin_lock(&al->guest->lock);
    struct timer_setting s = look_locked(al, now);
    spin_unlock(&al->guest->lock);
    return s;
}

static void alarm_begin(struct alarm *al, struct guest *g, enum alarm_clock clock, int sig)
{
    timer_init(&al->timer, alarm_is_up);
    al->guest = g;
    al->clock = clock;
    al->expires = al->interval = 0;
    al->tid = 0;
    al->signal = (struct sigqueue){.info = {.signo = sig, .code = SI_KERNEL}};
    INIT_LIST_HEAD(&al->signal.node);
}

/* The guest's, made at the first use. NULL when out of memory. */
static struct guest_timers *timers_of(struct guest *g)
{
    static const int signals[3] = {SIGALRM, SIGVTALRM, SIGPROF};
    struct guest_timers *timers = load_acquire(&g->timers), *none = NULL;
    if (timers)
        return timers;
    timers = kzalloc(sizeof(*timers), GFP_KERNEL);
    if (!timers)
        return NULL;
    for (unsigned i = 0; i < 3; i++)
        alarm_begin(&timers->itimers[i], g, i ? ALARM_RUN : ALARM_REAL, signals[i]);
    if (!cmpxchg(&g->timers, &none, timers)) {
        kfree(timers); /* another thread was faster */
        timers = load_acquire(&g->timers);
    }
    return timers;
}

/* It will not be up any more, and what it sent last is not pending. */
static void alarm_end(struct alarm *al)
{
    (void)timer_cancel(&al->timer);
    spin_lock(&al->guest->lock);
    sigpending_remove(&al->signal);
    al->used = false;
    spin_unlock(&al->guest->lock);
}

void timers_end(struct guest *g, bool all)
{
    struct guest_timers *timers = g->timers;
    if (!timers)
        return;
    for (unsigned i = 0; i < POSIX_TIMERS; i++) {
        if (timers->posix[i].used)
            alarm_end(&timers->posix[i]);
    }
    if (!all)
        return;
    for (unsigned i = 0; i < 3; i++)
        alarm_end(&timers->itimers[i]);
    g->timers = NULL;
    kfree(timers);
}

/* --- setitimer -------------------------------------------------------------------------------- */

int timer_setting_take(struct timer_setting *s, uint64_t user, uint64_t parts)
{
    int64_t w[4];
    if (copy_from_user(w, mk_vaddr(user), sizeof(w)))
        return -EFAULT;
    for (int i = 0; i < 4; i += 2) {
        if (w[i] < 0 || w[i + 1] < 0 || (uint64_t)w[i + 1] >= parts)
            return -EINVAL;
        w[i] = MIN(w[i], INT64_MAX / (int64_t)NSEC_PER_SEC / 4); /* for ever, and then some */
    }
    uint64_t unit = NSEC_PER_SEC / parts;
    s->interval = (uint64_t)w[0] * NSEC_PER_SEC + (uint64_t)w[1] * unit;
    s->value = (uint64_t)w[2] * NSEC_PER_SEC + (uint64_t)w[3] * unit;
    return 0;
}

int timer_setting_put(const struct timer_setting *s, uint64_t user, uint64_t parts)
{
    uint64_t unit = NSEC_PER_SEC / parts;
    uint64_t w[4] = {s->interval / NSEC_PER_SEC, s->interval % NSEC_PER_SEC / unit,
                     s->value / NSEC_PER_SEC, s->value % NSEC_PER_SEC / unit};
    if (s->value && !w[2] && !w[3])
        w[3] = 1; /* set, but for less than the unit */
    return copy_to_user(mk_vaddr(user), w, sizeof(w)) ? -EFAULT : 0;
}

int64_t sys_setitimer(struct task *t, const uint64_t *a)
{
    struct timer_setting to = {0, 0};
    if (a[0] > 2)
        return -EINVAL;
    int err = a[1] ? timer_setting_take(&to, a[1], 1000000) : 0;
    if (err)
        return err;
    struct guest_timers *timers = timers_of(t->guest);
    if (!timers)
        return -ENOMEM;
    struct timer_setting old = alarm_set(&timers->itimers[a[0]], &to, false);
    return a[2] ? timer_setting_put(&old, a[2], 1000000) : 0;
}

int64_t sys_getitimer(struct task *t, const uint64_t *a)
{
    if (a[0] > 2)
        return -EINVAL;
    struct guest_timers *timers = timers_of(t->guest);
    if (!timers)
        return -ENOMEM;
    struct timer_setting now = alarm_get(&timers->itimers[a[0]]);
    return timer_setting_put(&now, a[1], 1000000);
}

/* --- timer_create ----------------------------------------------------------------------------- */

static int take_event(struct task *t, uint64_t user, struct sigevent_abi *ev)
{
    *ev = (struct sigevent_abi){.signo = SIGALRM, .notify = SIGEV_SIGNAL};
    if (user && copy_from_user(ev, mk_vaddr(user), sizeof(*ev)))
        return -EFAULT;
    if (ev->notify == SIGEV_NONE) {
        ev->signo = 0;
        return 0;
    }
    if (ev->notify != SIGEV_SIGNAL && ev->notify != (SIGEV_SIGNAL | SIGEV_THREAD_ID))
        return -EINVAL;
    if (ev->notify == SIGEV_SIGNAL)
        ev->tid = 0;
    (void)t;
    return ev->signo < 1 || ev->signo > NSIG ? -EINVAL : 0;
}

int64_t sys_timer_create(struct task *t, const uint64_t *a)
{
    struct sigevent_abi ev;
    bool runs = a[0] == CLOCK_PROCESS_CPUTIME_ID || a[0] == CLOCK_THREAD_CPUTIME_ID;
    if (a[0] > CLOCK_LAST)
        return -EINVAL;
    int err = take_event(t, a[1], &ev);
    struct guest_timers *timers = err ? NULL : timers_of(t->guest);
    if (!timers)
        return err ? err : -ENOMEM;
    uint32_t id = 0;
    spin_lock(&t->guest->lock);
    while (id < POSIX_TIMERS && timers->posix[id].used)
        id++;
    if (id < POSIX_TIMERS) {
        struct alarm *al = &timers->posix[id];
        alarm_begin(al, t->guest, runs ? ALARM_RUN : ALARM_REAL, ev.signo);
        al->signal.info.code = SI_TIMER;
        al->signal.info.timer_id = (int32_t)id;
        al->signal.info.value = a[1] ? ev.value : id;
        al->tid = (uint32_t)ev.tid;
        al->wall = a[0] == CLOCK_REALTIME || a[0] == CLOCK_TAI;
        al->used = true;
    }
    spin_unlock(&t->guest->lock);
    if (id == POSIX_TIMERS)
        return -EAGAIN;
    if (put_user_u32(id, mk_vaddr(a[2]))) {
        timers->posix[id].used = false;
        return -EFAULT;
    }
    return 0;
}

/* The timer of that number, or NULL: -EINVAL. */
static struct alarm *find(struct task *t, uint64_t id)
{
    struct guest_timers *timers = load_acquire(&t->guest->timers);
    if (!timers || id >= POSIX_TIMERS || !timers->posix[id].used)
        return NULL;
    return &timers->posix[id];
}

int64_t sys_timer_settime(struct task *t, const uint64_t *a)
{
    struct alarm *al = find(t, (uint32_t)a[0]);
    struct timer_setting to;
    if (!al)
        return -EINVAL;
    int err = timer_setting_take(&to, a[2], NSEC_PER_SEC);
    if (err)
        return err;
    bool absolute = a[1] & TIMER_ABSTIME;
    if (absolute && al->wall && to.value)
        to.value = MAX(realtime_to_ns(to.value), 1UL);
    struct timer_setting old = alarm_set(al, &to, absolute);
    return a[3] ? timer_setting_put(&old, a[3], NSEC_PER_SEC) : 0;
}

int64_t sys_timer_gettime(struct task *t, const uint64_t *a)
{
    struct alarm *al = find(t, (uint32_t)a[0]);
    if (!al)
        return -EINVAL;
    struct timer_setting now = alarm_get(al);
    return timer_setting_put(&now, a[1], NSEC_PER_SEC);
}

int64_t sys_timer_getoverrun(struct task *t, const uint64_t *a)
{
    const struct alarm *al = find(t, (uint32_t)a[0]);
    return al ? (int64_t)load_relaxed(&al->signal.taken_overrun) : -EINVAL;
}

int64_t sys_timer_delete(struct task *t, const uint64_t *a)
{
    struct alarm *al = find(t, (uint32_t)a[0]);
    if (!al)
        return -EINVAL;
    alarm_end(al);
    return 0;
}
