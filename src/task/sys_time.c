/* SPDX-License-Identifier: MIT */
/*
 * sys_time.c - clocks and sleeping.
 *
 * There is one clock, the machine's; real time begins with the machine at the epoch.
 * Linux's counterpart: kernel/time/posix-timers.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "kern/timer.h"
#include "task/signal_set.h"
#include "task/syscalls.h"
#include "task/timerfd.h"

#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID 3
#define CLOCK_BOOTTIME 7
#define CLOCK_REALTIME_COARSE 5
#define CLOCK_REALTIME_ALARM 8
#define CLOCK_TAI 11
#define CLOCK_LAST 11
#define TIMER_ABSTIME 1
#define TICKS_PER_SEC 100

/*
 * The clock of a process or thread: a negative number that holds its pid, inverted, above three
 * bits. Only the kinds that a thread's or a guest's time can be told by are there, all three alike.
 */
#define CPU_CLOCK_KIND 3u
#define CPU_CLOCK_THREAD 4u

static int64_t cpu_clock_ns(struct task *t, int32_t clock)
{
    uint32_t pid = (uint32_t) ~(clock >> 3);
    if (((uint32_t)clock & CPU_CLOCK_KIND) == CPU_CLOCK_KIND)
        return -EINVAL;
    struct guest *g = arg_guest(t, pid);
    if (!g)
        return -EINVAL;
    int64_t ns = -EINVAL;
    if ((uint32_t)clock & CPU_CLOCK_THREAD) { /* one of the caller's own threads */
        spin_lock(&g->lock);
        struct task *other = g == t->guest ? guest_task_locked(g, pid ? pid : t->tid) : NULL;
        if (other)
            ns = (int64_t)thread_run_ns(other->thread);
        spin_unlock(&g->lock);
    } else if (!pid || pid == g->pid) {
        ns = (int64_t)guest_run_ns(g);
    }
    guest_put(g);
    return ns;
}

int64_t clock_ns(struct task *t, uint64_t clock)
{
    if ((int32_t)clock < 0)
        return cpu_clock_ns(t, (int32_t)clock);
    switch (clock) {
    case CLOCK_PROCESS_CPUTIME_ID:
        return (int64_t)guest_run_ns(t->guest);
    case CLOCK_THREAD_CPUTIME_ID:
        return (int64_t)thread_run_ns(t->thread);
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
        return (int64_t)now_realtime_ns();
    default: /* MONOTONIC, its RAW, COARSE and BOOTTIME kin */
        return clock <= CLOCK_LAST ? (int64_t)now_ns() : -EINVAL;
    }
}

int64_t sys_clock_gettime(struct task *t, const uint64_t *a)
{
    int64_t ns = clock_ns(t, a[0]);
    return ns < 0 ? ns : put_timespec(mk_vaddr(a[1]), (uint64_t)ns);
}

int64_t sys_clock_getres(struct task *t, const uint64_t *a)
{
    int64_t ns = clock_ns(t, a[0]);
    if (ns < 0)
        return ns;
    return a[1] ? put_timespec(mk_vaddr(a[1]), 1) : 0;
}

int64_t sys_gettimeofday(struct task *t, const uint64_t *a)
{
    uint64_t ns = now_realtime_ns(),
             words[2] = {ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / NSEC_PER_USEC};
    (void)t;
    if (!a[0])
        return 0;
    return copy_to_user(mk_vaddr(a[0]), words, sizeof(words)) ? -EFAULT : 0;
}

int64_t sys_clock_settime(struct task *t, const uint64_t *a)
{
    int64_t ns = arg_timespec(mk_vaddr(a[1]));
    if (ns < 0)
        return ns;
    if (a[0] != CLOCK_REALTIME)
        return -EINVAL;
    if (!cred_capable(&t->guest->cred, CAP_SYS_TIME))
        return -EPERM;
    time_set_realtime((uint64_t)ns);
    timerfd_clock_was_set();
    return 0;
}

int64_t sys_times(struct task *t, const uint64_t *a)
{
    uint64_t tick = NSEC_PER_SEC / TICKS_PER_SEC;
    uint64_t words[4] = {guest_run_ns(t->guest) / tick, 0, t->guest->child_run_ns / tick, 0};
    if (a[0] && copy_to_user(mk_vaddr(a[0]), words, sizeof(words)))
        return -EFAULT;
    return (int64_t)(now_ns() / tick);
}

int64_t task_sleep(struct task *t, uint64_t end)
{
    struct wait_queue nobody;
    struct wait_entry entry;
    uint64_t ticks = end == TIMER_NEVER ? TIMER_NEVER : ns_to_ticks(end);
    int64_t err = 0;
    wait_queue_init(&nobody);
    wait_entry_init(&entry);
    for (;;) {
        wait_prepare(&nobody, &entry, THREAD_KILLABLE);
        if (now_ticks() >= ticks)
            break;
        if (signal_pending(t)) {
            err = -EINTR;
            break;
        }
        if (ticks == TIMER_NEVER)
            schedule();
        else
            (void)schedule_until(ticks);
    }
    wait_finish(&nobody, &entry);
    return err;
}

/* args: when it ends, where to say what is left. Interrupted, it can be gone on with. */
static int64_t sleep_until(struct task *t, const uint64_t *args)
{
    uint64_t end = args[0];
    if (!task_sleep(t, end))
        return 0;
    uint64_t now = now_ns();
    if (args[1] && put_timespec(mk_vaddr(args[1]), end > now ? end - now : 0))
        return -EFAULT;
    t->restart = (struct restart_block){sleep_until, {end, args[1]}};
    return -ERESTART_RESTARTBLOCK;
}

static int64_t sleep_for(struct task *t, int64_t ns, uint64_t left)
{
    return sleep_until(t, (uint64_t[]){now_ns() + (uint64_t)ns, left});
}

int64_t sys_nanosleep(struct task *t, const uint64_t *a)
{
    int64_t ns = arg_timespec(mk_vaddr(a[0]));
    return ns < 0 ? ns : sleep_for(t, ns, a[1]);
}

int64_t sys_clock_nanosleep(struct task *t, const uint64_t *a)
{
    int64_t ns = arg_timespec(mk_vaddr(a[2]));
    if (ns < 0)
        return ns;
    if (a[0] > CLOCK_LAST || a[0] == CLOCK_THREAD_CPUTIME_ID)
        return -EINVAL;
    if (!(a[1] & TIMER_ABSTIME))
        return sleep_for(t, ns, a[3]);
    int64_t now = clock_ns(t, a[0]);
    uint64_t end = now_ns() + (ns > now ? (uint64_t)(ns - now) : 0);
    int64_t err = task_sleep(t, end);
    return err == -EINTR ? -ERESTARTNOHAND : err;
}
