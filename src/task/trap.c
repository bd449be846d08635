/* SPDX-License-Identifier: MIT */
/*
 * trap.c - what a guest's traps mean.
 *
 *      ecall                 syscall.c
 *      page fault            fault/fault.h;  what it cannot mend becomes a signal
 *      other exceptions      a signal, but the first use of the FPU
 *      monitor in uaccess    the same page fault on the guest's behalf; it fails with -EFAULT
 *      back to U-mode        reschedule, signals
 *
 * Locks: none. Linux's counterpart: do_trap(), fault's bad_area(), do_notify_resume().
 */
#include "arch/trap.h"

#include "base/errno.h"
#include "fault/fault.h"
#include "kern/log.h"
#include "task/run.h"
#include "task/syscall.h"
#include "task/userfaultfd.h"

/* After so many faults in a row without memory the guest is given up: nobody else could be. */
#define OOM_RETRIES 16

/* Was there still no memory, so often in a row that there will be none? */
static bool hopeless(struct task *t)
{
    uint64_t faults = t->mm->minflt + t->mm->majflt;
    if (faults != t->oom_faults) /* one has gone well since */
        t->oom_retries = 0;
    t->oom_faults = faults;
    return ++t->oom_retries > OOM_RETRIES;
}

/* The killer may have made room elsewhere, or chosen this guest. */
static void out_of_memory(struct task *t)
{
    bool killed = kill_pending();
    if (killed || hopeless(t)) {
        if (!killed)
            pr_warn("%s[%u]: no memory for a page fault, and nobody left to kill; it ends\n",
                    t->guest->name, t->tid);
        task_exit_group(SIGKILL);
    }
    cond_resched();
}

static noinline void fault_failed(struct trap_frame *frame, enum fault_result result)
{
    switch (result) {
    case FAULT_MAPERR:
        signal_fault(frame, SIGSEGV, SEGV_MAPERR, frame->stval);
        break;
    case FAULT_ACCERR:
        signal_fault(frame, SIGSEGV, SEGV_ACCERR, frame->stval);
        break;
    case FAULT_SIGBUS:
        signal_fault(frame, SIGBUS, BUS_ADRERR, frame->stval);
        break;
    default:
        out_of_memory(task_current());
        break;
    }
}

static void on_user_fault(struct trap_frame *frame, uint64_t cause, vaddr_t addr)
{
    struct task *t = task_current();
    enum fault_result r = user_fault(t->mm, addr.v, pte_cause_access(cause));
    if (unlikely(r == FAULT_USERFAULT))
        r = userfault_wait(t, addr.v, pte_cause_access(cause), true);
    if (unlikely(r > FAULT_MAJOR))
        fault_failed(frame, r);
    if (unlikely(t->rseq.stirred))
        rseq_resume(t, frame);
}

static bool on_kernel_fault(struct trap_frame *frame, uint64_t cause, vaddr_t addr)
{
    struct task *t = task_current();
    (void)frame;
    if (!t || !t->mm)
        return false;
    for (;;) {
        enum fault_result r = user_fault(t->mm, addr.v, pte_cause_access(cause));
        if (r == FAULT_USERFAULT && !kill_pending())
            r = userfault_wait(t, addr.v, pte_cause_access(cause), false);
        if (r == FAULT_DONE || r == FAULT_MAJOR)
            return true;
        if (r != FAULT_OOM || kill_pending() || hopeless(t))
            return false;
        cond_resched();
    }
}

static void on_user_exception(struct trap_frame *frame, uint64_t cause)
{
    struct task *t = task_current();
    switch (cause) {
    case CAUSE_ILLEGAL:
        if (!fpu_first_use(&t->fpu, frame))
            signal_fault(frame, SIGILL, ILL_ILLOPC, frame->sepc);
        break;
    case CAUSE_BREAKPOINT:
        signal_fault(frame, SIGTRAP, TRAP_BRKPT, frame->sepc);
        break;
    case CAUSE_FETCH_MISALIGNED:
    case CAUSE_LOAD_MISALIGNED:
    case CAUSE_STORE_MISALIGNED:
        signal_fault(frame, SIGBUS, BUS_ADRALN, frame->stval);
        break;
    case CAUSE_FETCH_ACCESS:
    case CAUSE_LOAD_ACCESS:
    case CAUSE_STORE_ACCESS:
        signal_fault(frame, SIGSEGV, SEGV_ACCERR, frame->stval);
        break;
    default:
        signal_fault(frame, SIGILL, ILL_ILLOPC, frame->sepc);
        break;
    }
}

static void on_user_return(struct trap_frame *frame)
{
    struct task *t = task_current();
    uint64_t work = hart_take_user_work(this_arch_hart());
    if (work & USER_WORK_RESCHED)
        schedule();
    if (work & (USER_WORK_RESCHED | USER_WORK_RSEQ))
        rseq_resume(t, frame);
    if (load_relaxed(&t->thread->notified)) {
        store_relaxed(&t->thread->notified, 0);
        signal_deliver(t, frame);
    }
}

void task_trap_init(void)
{
    static const struct trap_ops ops = {
        .syscall = syscall_dispatch,
        .user_fault = on_user_fault,
        .user_exception = on_user_exception,
        .kernel_fault = on_kernel_fault,
        .user_return = on_user_return,
    };
    trap_set_ops(&ops);
}
