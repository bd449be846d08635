/* SPDX-License-Identifier: MIT */
/*
 * sys_prctl.c - what a program says of itself, and asks of itself.
 *
 *      name             of the thread, and of the guest when it is its first one
 *      death, orphans   PDEATHSIG: a signal when the parent ends; SUBREAPER: a nearer init
 *      rights           KEEPCAPS, CAPBSET, NO_NEW_PRIVS, DUMPABLE
 *      memory           MDWE: what may be written is never executed; THP_DISABLE
 *
 * Which arguments must be zero differs from one to the other, as it does on Linux.
 *
 * Locks: guest_table_lock for what another guest's end looks at; guest->lock for rights.
 * Linux's counterpart: kernel/sys.c, security/commoncap.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "task/guest_table.h"
#include "task/syscalls.h"

enum prctl_option {
    PR_SET_PDEATHSIG = 1,
    PR_GET_PDEATHSIG = 2,
    PR_GET_DUMPABLE = 3,
    PR_SET_DUMPABLE = 4,
    PR_GET_KEEPCAPS = 7,
    PR_SET_KEEPCAPS = 8,
    PR_GET_TIMING = 13,
    PR_SET_TIMING = 14,
    PR_SET_NAME = 15,
    PR_GET_NAME = 16,
    PR_CAPBSET_READ = 23,
    PR_CAPBSET_DROP = 24,
    PR_SET_TIMERSLACK = 29,
    PR_GET_TIMERSLACK = 30,
    PR_MCE_KILL = 33,
    PR_MCE_KILL_GET = 34,
    PR_SET_CHILD_SUBREAPER = 36,
    PR_GET_CHILD_SUBREAPER = 37,
    PR_SET_NO_NEW_PRIVS = 38,
    PR_GET_NO_NEW_PRIVS = 39,
    PR_GET_TID_ADDRESS = 40,
    PR_SET_THP_DISABLE = 41,
    PR_GET_THP_DISABLE = 42,
    PR_SET_MDWE = 65,
    PR_GET_MDWE = 66,
};

#define TIMER_SLACK_NS 50000u
#define MCE_KILL_DEFAULT 2

struct prctl_state prctl_inherited(const struct guest *parent)
{
    struct prctl_state p = parent->prctl;
    p.pdeath_signal = 0;
    p.subreaper = false;
    return p;
}

void prctl_exec(struct guest *g)
{
    g->prctl.undumpable = false;
}

/* --- names ------------------------------------------------------------------------------------ */

static int64_t set_name(struct task *t, uint64_t from)
{
    char name[THREAD_NAME_MAX] = {0};
    if (strncpy_from_user(name, mk_vaddr(from), sizeof(name)) == -EFAULT)
        return -EFAULT;
    name[sizeof(name) - 1] = '\0';
    return guest_set_task_name(t->guest, t->tid, name);
}

/* --- the end of the parent; orphans ----------------------------------------------------------- */

static int64_t set_pdeath_signal(struct guest *g, uint64_t sig)
{
    if (sig > NSIG)
        return -EINVAL;
    spin_lock(&guest_table_lock);
    g->prctl.pdeath_signal = (uint8_t)sig;
    spin_unlock(&guest_table_lock);
    return 0;
}

static int64_t set_subreaper(struct guest *g, bool yes)
{
    spin_lock(&guest_table_lock);
    g->prctl.subreaper = yes;
    spin_unlock(&guest_table_lock);
    return 0;
}

static int64_t put_u32(uint32_t value, uint64_t to)
{
    return put_user_u32(value, mk_vaddr(to)) ? -EFAULT : 0;
}

/* --- rights ----------------------------------------------------------------------------------- */

static int64_t set_flag(bool *flag, uint64_t value)
{
    if (value > 1)
        return -EINVAL;
    store_relaxed(flag, value);
    return 0;
}

static int64_t drop_from_bounding_set(struct guest *g, uint64_t cap)
{
    if (!cred_capable(&g->cred, CAP_SETPCAP))
        return -EPERM;
    if (cap >= NR_CAPS)
        return -EINVAL;
    spin_lock(&g->lock);
    g->cred.cap_bounding &= ~(1UL << cap);
    spin_unlock(&g->lock);
    return 0;
}

/* --- memory ----------------------------------------------------------------------------------- */

#define PR_MDWE_REFUSE_EXEC_GAIN 1u
#define PR_MDWE_NO_INHERIT 2u

static int64_t get_mdwe(const struct mm_struct *mm)
{
    return (mm_flag(mm, MMF_HAS_MDWE) ? PR_MDWE_REFUSE_EXEC_GAIN : 0) |
           (mm_flag(mm, MMF_HAS_MDWE_NO_INHERIT) ? PR_MDWE_NO_INHERIT : 0);
}

/* Once it is set it stays. */
static int64_t set_mdwe(struct mm_struct *mm, uint64_t bits)
{
    if (bits & ~(uint64_t)(PR_MDWE_REFUSE_EXEC_GAIN | PR_MDWE_NO_INHERIT) ||
        bits == PR_MDWE_NO_INHERIT)
        return -EINVAL;
    int64_t now = get_mdwe(mm);
    if (now && now != (int64_t)bits)
        return -EPERM;
    if (bits & PR_MDWE_NO_INHERIT)
        mm_test_and_set_flag(mm, MMF_HAS_MDWE_NO_INHERIT);
    if (bits)
        mm_test_and_set_flag(mm, MMF_HAS_MDWE);
    return 0;
}

static int64_t set_mce_policy(struct guest *g, const uint64_t *a)
{
    if (a[3] || a[4] || a[1] > 1 || (a[1] ? a[2] > MCE_KILL_DEFAULT : a[2] != 0))
        return -EINVAL;
    g->prctl.mce_policy = a[1] && a[2] != MCE_KILL_DEFAULT ? (uint8_t)(a[2] + 1) : 0;
    return 0;
}

/* --- the call --------------------------------------------------------------------------------- */

/* Those that take nothing they do not know: the arguments behind the option and its value are 0. */
static int64_t strict(struct task *t, const uint64_t *a)
{
    struct guest *g = t->guest;
    bool asks = a[0] == PR_GET_NO_NEW_PRIVS || a[0] == PR_GET_THP_DISABLE || a[0] == PR_GET_MDWE ||
                a[0] == PR_MCE_KILL_GET;
    if (a[2] || a[3] || a[4] || (asks && a[1]))
        return -EINVAL;
    switch (a[0]) {
    case PR_MCE_KILL_GET:
        return g->prctl.mce_policy ? g->prctl.mce_policy - 1 : MCE_KILL_DEFAULT;
    case PR_SET_NO_NEW_PRIVS:
        return a[1] == 1 ? set_flag(&g->prctl.no_new_privs, 1) : -EINVAL;
    case PR_GET_NO_NEW_PRIVS:
        return g->prctl.no_new_privs;
    case PR_SET_THP_DISABLE:
        return set_flag(&g->prctl.thp_disabled, a[1] != 0);
    case PR_GET_THP_DISABLE:
        return g->prctl.thp_disabled;
    case PR_SET_MDWE:
        return set_mdwe(t->mm, a[1]);
    case PR_GET_MDWE:
        return get_mdwe(t->mm);
    default:
        return -EINVAL;
    }
}

static int64_t about_rights(struct guest *g, const uint64_t *a)
{
    switch (a[0]) {
    case PR_GET_DUMPABLE:
        return !g->prctl.undumpable;
    case PR_SET_DUMPABLE:
        return a[1] > 1 ? -EINVAL : set_flag(&g->prctl.undumpable, !a[1]);
    case PR_GET_KEEPCAPS:
        return g->cred.keep_caps;
    case PR_SET_KEEPCAPS:
        return set_flag(&g->cred.keep_caps, a[1]);
    case PR_CAPBSET_READ:
        return a[1] < NR_CAPS ? (int64_t)(g->cred.cap_bounding >> a[1] & 1) : -EINVAL;
    default:
        return drop_from_bounding_set(g, a[1]);
    }
}

int64_t sys_prctl(struct task *t, const uint64_t *a)
{
    struct guest *g = t->guest;
    switch (a[0]) {
    case PR_SET_NAME:
        return set_name(t, a[1]);
    case PR_GET_NAME:
        return copy_to_user(mk_vaddr(a[1]), t->thread->name, THREAD_NAME_MAX) ? -EFAULT : 0;
    case PR_SET_PDEATHSIG:
        return set_pdeath_signal(g, a[1]);
    case PR_GET_PDEATHSIG:
        return put_u32(g->prctl.pdeath_signal, a[1]);
    case PR_SET_CHILD_SUBREAPER:
        return set_subreaper(g, a[1]);
    case PR_GET_CHILD_SUBREAPER:
        return put_u32(g->prctl.subreaper, a[1]);
    case PR_GET_DUMPABLE:
    case PR_SET_DUMPABLE:
    case PR_GET_KEEPCAPS:
    case PR_SET_KEEPCAPS:
    case PR_CAPBSET_READ:
    case PR_CAPBSET_DROP:
        return about_rights(g, a);
    case PR_GET_TIMING:
        return 0; /* PR_TIMING_STATISTICAL, and there is no other */
    case PR_SET_TIMING:
        return a[1] ? -EINVAL : 0;
    case PR_SET_TIMERSLACK:
        g->prctl.timer_slack_ns = (int64_t)a[1] > 0 ? a[1] : 0;
        return 0;
    case PR_GET_TIMERSLACK:
        return (int64_t)(g->prctl.timer_slack_ns ? g->prctl.timer_slack_ns : TIMER_SLACK_NS);
    case PR_MCE_KILL:
        return set_mce_policy(g, a);
    case PR_GET_TID_ADDRESS:
        return copy_to_user(mk_vaddr(a[1]), &t->clear_child_tid, sizeof(vaddr_t)) ? -EFAULT : 0;
    default:
        return strict(t, a);
    }
}
