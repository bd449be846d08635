/* SPDX-License-Identifier: MIT */
/*
 * sys_adjtime.c - what a program that disciplines the clock says and asks: adjtimex.
 *
 * Nothing here slews: the machine's clock is as good as the host's. What is set is checked, kept
 * and told back, and a step (ADJ_SETOFFSET) moves the time. A clock that nobody has synchronised
 * says so (STA_UNSYNC, and the result TIME_ERROR).
 *
 * Locks: ntp_lock. Linux's counterpart: kernel/time/ntp.c, do_adjtimex().
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "kern/mutex.h"
#include "kern/timer.h"
#include "task/guest.h"
#include "task/syscall.h"
#include "task/syscalls.h"

#define ADJ_OFFSET 0x0001u
#define ADJ_FREQUENCY 0x0002u
#define ADJ_MAXERROR 0x0004u
#define ADJ_ESTERROR 0x0008u
#define ADJ_STATUS 0x0010u
#define ADJ_TIMECONST 0x0020u
#define ADJ_TAI 0x0080u
#define ADJ_SETOFFSET 0x0100u
#define ADJ_MICRO 0x1000u
#define ADJ_NANO 0x2000u
#define ADJ_TICK 0x4000u
#define ADJ_SINGLESHOT 0x8000u /* as adjtime() has it: an offset, or with ADJ_NANO a question */

#define STA_PLL 0x0001
#define STA_UNSYNC 0x0040
#define STA_NANO 0x2000
#define STA_READ_ONLY 0xff00
#define TIME_OK 0
#define TIME_ERROR 5

#define TICK_MIN 9000 /* us: a tick of 10 ms, and 10 % either way */
#define TICK_MAX 11000
#define FREQ_MAX (500L << 16) /* parts per million, scaled */
#define ERROR_MAX 16000000L   /* us */
#define OFFSET_MAX_US 500000L
#define TIME_CONSTANT_MAX 10
#define CLOCK_REALTIME 0

struct timex_abi {
    uint32_t modes, pad;
    int64_t offset, freq, maxerror, esterror;
    int32_t status, pad2;
    int64_t constant, precision, tolerance, sec, usec, tick;
    int64_t ppsfreq, jitter;
    int32_t shift, pad3;
    int64_t stabil, jitcnt, calcnt, errcnt, stbcnt;
    int32_t tai, rest[11];
};

static struct mutex ntp_lock = MUTEX_INIT(ntp_lock);
static struct timex_abi ntp = {
    /* (ntp_lock) */
    .maxerror = ERROR_MAX, .esterror = ERROR_MAX, .status = STA_UNSYNC, .constant = 2,
    .precision = 1,        .tolerance = FREQ_MAX, .tick = 10000,
};
static int64_t singleshot_us; /* (ntp_lock) what adjtime() was last told */

static int64_t clamp(int64_t x, int64_t lowest, int64_t highest)
{
    return MIN(MAX(x, lowest), highest);
}

static int check(const struct timex_abi *u, bool may)
{
    if (u->modes & ADJ_SINGLESHOT) {
        if (!(u->modes & ADJ_OFFSET))
            return -EINVAL;
        return (u->modes & ADJ_NANO) || may ? 0 : -EPERM;
    }
    if (u->modes && !may)
        return -EPERM;
    if ((u->modes & ADJ_TICK) && (u->tick < TICK_MIN || u->tick > TICK_MAX))
        return -EINVAL;
    if (u->modes & ADJ_SETOFFSET) {
        int64_t most = u->modes & ADJ_NANO ? (int64_t)NSEC_PER_SEC : 1000000;
        if (u->usec < 0 || u->usec >= most)
            return -EINVAL;
    }
    return 0;
}

static void step(const struct timex_abi *u)
{
    int64_t fraction = u->modes & ADJ_NANO ? u->usec : u->usec * (int64_t)NSEC_PER_USEC;
    int64_t ns, now = (int64_t)now_realtime_ns();
    if (!__builtin_mul_overflow(u->sec, (int64_t)NSEC_PER_SEC, &ns) &&
        !__builtin_add_overflow(ns, fraction, &ns) && !__builtin_add_overflow(ns, now, &ns) &&
        ns > 0)
        time_set_realtime((uint64_t)ns);
}

static void keep(const struct timex_abi *u)
{
    if (u->modes & ADJ_STATUS)
        ntp.status = (ntp.status & STA_READ_ONLY) | (u->status & ~STA_READ_ONLY);
    if (u->modes & ADJ_NANO)
        ntp.status |= STA_NANO;
    if (u->modes & ADJ_MICRO)
        ntp.status &= ~STA_NANO;
    if (u->modes & ADJ_FREQUENCY)
        ntp.freq = clamp(u->freq, -FREQ_MAX, FREQ_MAX);
    if (u->modes & ADJ_MAXERROR)
        ntp.maxerror = clamp(u->maxerror, 0, ERROR_MAX);
    if (u->modes & ADJ_ESTERROR)
        ntp.esterror = clamp(u->esterror, 0, ERROR_MAX);
    if (u->modes & ADJ_TIMECONST) {
        int64_t constant = u->constant + (ntp.status & STA_NANO ? 0 : 4);
        ntp.constant = clamp(constant, 0, TIME_CONSTANT_MAX);
    }
    if ((u->modes & ADJ_TAI) && u->constant >= 0)
        ntp.tai = (int32_t)u->constant;
    if ((u->modes & ADJ_OFFSET) && (ntp.status & STA_PLL)) {
        int64_t unit = ntp.status & STA_NANO ? (int64_t)NSEC_PER_USEC : 1;
        ntp.offset = clamp(u->offset, -OFFSET_MAX_US * unit, OFFSET_MAX_US * unit);
    }
    if (u->modes & ADJ_TICK)
        ntp.tick = u->tick;
}

static void tell(struct timex_abi *u)
{
    uint64_t ns = now_realtime_ns();
    uint32_t modes = u->modes;
    *u = ntp;
    u->modes = modes;
    u->sec = (int64_t)(ns / NSEC_PER_SEC);
    u->usec = (int64_t)(ns % NSEC_PER_SEC / (ntp.status & STA_NANO ? 1 : NSEC_PER_USEC));
}

static int64_t adjust(struct task *t, uint64_t user)
{
    struct timex_abi u;
    if (copy_from_user(&u, mk_vaddr(user), sizeof(u)))
        return -EFAULT;
    int err = check(&u, cred_capable(&t->guest->cred, CAP_SYS_TIME));
    if (err)
        return err;
    mutex_lock(&ntp_lock);
    int64_t wanted = u.offset, before = singleshot_us;
    if (u.modes & ADJ_SINGLESHOT) {
        singleshot_us = u.modes & ADJ_NANO ? before : wanted;
    } else {
        if (u.modes & ADJ_SETOFFSET)
            step(&u);
        keep(&u);
    }
    tell(&u);
    if (u.modes & ADJ_SINGLESHOT)
        u.offset = before;
    mutex_unlock(&ntp_lock);
    if (copy_to_user(mk_vaddr(user), &u, sizeof(u)))
        return -EFAULT;
    return u.status & STA_UNSYNC ? TIME_ERROR : TIME_OK;
}

int64_t sys_adjtimex(struct task *t, const uint64_t *a)
{
    return adjust(t, a[0]);
}

int64_t sys_clock_adjtime(struct task *t, const uint64_t *a)
{
    if (a[0] == CLOCK_REALTIME)
        return adjust(t, a[1]);
    return clock_ns(t, a[0]) < 0 ? -EINVAL : -EOPNOTSUPP;
}

int64_t sys_settimeofday(struct task *t, const uint64_t *a)
{
    int64_t when[2]; /* s, us */
    int32_t zone[2];
    if (a[0] && copy_from_user(when, mk_vaddr(a[0]), sizeof(when)))
        return -EFAULT;
    if (a[0] && (when[1] < 0 || when[1] >= 1000000))
        return -EINVAL;
    if (a[1] && copy_from_user(zone, mk_vaddr(a[1]), sizeof(zone)))
        return -EFAULT;
    if (a[0] && (when[0] < 0 || when[0] > INT64_MAX / (int64_t)NSEC_PER_SEC - 1))
        return -EINVAL;
    if (!cred_capable(&t->guest->cred, CAP_SYS_TIME))
        return -EPERM;
    if (a[1] && (zone[0] > 15 * 60 || zone[0] < -15 * 60))
        return -EINVAL;
    if (a[0])
        time_set_realtime((uint64_t)when[0] * NSEC_PER_SEC + (uint64_t)when[1] * NSEC_PER_USEC);
    return 0;
}
