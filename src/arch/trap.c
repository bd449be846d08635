/* SPDX-License-Identifier: MIT */
/*
 * trap.c - whose business is this trap?
 *
 *      trap_user      page fault      -> ops.user_fault
 *                     other exception -> ops.user_exception
 *      trap_monitor   a load or store of uaccess -> ops.kernel_fault, or the fixup
 *                     other exception            -> irq.fatal
 *      both           interrupt       -> irq.timer, irq.ipi, irq.external
 *
 * System calls do not come through here: trap_entry.S calls ops.syscall itself.
 *
 * Locks: none. Linux's counterpart: arch/riscv/kernel/traps.c, arch/riscv/mm/fault.c.
 */
#include "arch/trap.h"

#include "arch/extable.h"
#include "arch/layout.h"

void trap_entry(void); /* trap_entry.S */
extern char trap_emergency_stack[], trap_emergency_stack_top[];

/* Called by trap_entry.S. */
void trap_user(struct trap_frame *frame);
void trap_user_work(struct trap_frame *frame);
void trap_monitor(struct trap_frame *frame);
extern struct trap_ops trap_ops;

_Static_assert(offsetof(struct arch_hart, kernel_sp) == ARCH_HART_KERNEL_SP, "hart.h");
_Static_assert(offsetof(struct arch_hart, stack_low) == ARCH_HART_STACK_LOW, "hart.h");
_Static_assert(offsetof(struct arch_hart, user_work) == ARCH_HART_USER_WORK, "hart.h");
_Static_assert(offsetof(struct arch_hart, scratch) == ARCH_HART_SCRATCH, "hart.h");
_Static_assert(offsetof(struct trap_frame, sepc) == FRAME_SEPC, "trap.h");
_Static_assert(offsetof(struct trap_frame, sstatus) == FRAME_SSTATUS, "trap.h");
_Static_assert(offsetof(struct trap_frame, scause) == FRAME_SCAUSE, "trap.h");
_Static_assert(offsetof(struct trap_frame, stval) == FRAME_STVAL, "trap.h");
_Static_assert(sizeof(struct trap_frame) == FRAME_SIZE && FRAME_SIZE % 16 == 0, "trap.h");
_Static_assert(offsetof(struct trap_ops, syscall) == 0, "trap_entry.S");

static struct trap_irq_ops irq_ops;

noreturn static void fatal(const struct trap_frame *frame, const char *why)
{
    if (irq_ops.fatal)
        irq_ops.fatal(frame, why);
    for (;;)
        wait_for_interrupt();
}

static void no_syscall(struct trap_frame *frame)
{
    fatal(frame, "system call, and nobody to serve it");
}

struct trap_ops trap_ops = {.syscall = no_syscall};

void trap_set_ops(const struct trap_ops *ops)
{
    trap_ops = *ops;
}

void trap_set_irq_ops(const struct trap_irq_ops *ops)
{
    irq_ops = *ops;
    if (!extable_check())
        fatal(NULL, "the exception table is not in order");
}

void trap_init_hart(void)
{
    csr_write(sscratch, 0);
    csr_write(stvec, (uint64_t)trap_entry);
}

/* --- dispatch -------------------------------------------------------------------------------- */

static void call_irq(void (*handler)(void), const struct trap_frame *frame)
{
    if (unlikely(!handler))
        fatal(frame, "interrupt, and nobody to serve it");
    handler();
}

static void interrupt(const struct trap_frame *frame)
{
    switch (frame->scause & ~CAUSE_INTERRUPT) {
    case IRQ_TIMER:
        call_irq(irq_ops.timer, frame);
        break;
    case IRQ_SOFT:
        csr_clear(sip, SIE_SOFT); /* first: what is asked for from now on interrupts again */
        call_irq(irq_ops.ipi, frame);
        break;
    case IRQ_EXTERNAL:
        call_irq(irq_ops.external, frame);
        break;
    default:
        fatal(frame, "unknown interrupt");
    }
}

static bool is_page_fault(uint64_t cause)
{
    return cause == CAUSE_FETCH_PAGE || cause == CAUSE_LOAD_PAGE || cause == CAUSE_STORE_PAGE;
}

void trap_user(struct trap_frame *frame)
{
    uint64_t cause = frame->scause;
    if (cause & CAUSE_INTERRUPT)
        interrupt(frame);
    else if (is_page_fault(cause) && trap_ops.user_fault)
        trap_ops.user_fault(frame, cause, mk_vaddr(frame->stval));
    else if (trap_ops.user_exception)
        trap_ops.user_exception(frame, cause);
    else
        fatal(frame, "trap of a guest, and nobody to serve it");
}

void trap_user_work(struct trap_frame *frame)
{
    struct arch_hart *h = this_arch_hart();
    __atomic_fetch_and(&h->user_work, ~(uint64_t)USER_WORK_FRAME, __ATOMIC_RELAXED);
    if (h->user_work == 0)
        return;
    if (trap_ops.user_return)
        trap_ops.user_return(frame);
    else
        (void)hart_take_user_work(h);
}

/* --- faults of the monitor itself ------------------------------------------------------------ */

/* A fault inside uaccess: true when the frame says how to go on. */
static bool fix_user_access(struct trap_frame *frame)
{
    uint64_t cause = frame->scause;
    uint64_t fixup = extable_fixup(frame->sepc);
    if (!fixup)
        return false;
    if (is_page_fault(cause) && frame->stval < USER_TOP && trap_ops.kernel_fault &&
        !this_arch_hart()->nofault && trap_ops.kernel_fault(frame, cause, mk_vaddr(frame->stval)))
        return true;
    frame->sepc = fixup;
    return true;
}

static const char *why_fatal(const struct trap_frame *frame)
{
    const char *at = (const char *)frame;
    if (at >= trap_emergency_stack && at < trap_emergency_stack_top)
        return "kernel stack overflow: the guard page was hit";
    if (is_page_fault(frame->scause) && frame->stval < PAGE_SIZE)
        return "NULL pointer dereference in the monitor";
    if (is_page_fault(frame->scause) && frame->stval < USER_TOP)
        return "access to user memory outside of uaccess";
    return trap_cause_name(frame->scause);
}

void trap_monitor(struct trap_frame *frame)
{
    if (frame->scause & CAUSE_INTERRUPT)
        interrupt(frame);
    else if (!fix_user_access(frame))
        fatal(frame, why_fatal(frame));
}

/* --- frames ---------------------------------------------------------------------------------- */

void trap_frame_init(struct trap_frame *frame, vaddr_t pc, vaddr_t sp)
{
    *frame = (struct trap_frame){
        .sepc = pc.v,
        /* SPP 0: to U-mode; SPIE: interrupts on there; FS off */
        .sstatus = (csr_read(sstatus) & ~(uint64_t)(SSTATUS_SPP | SSTATUS_SIE | SSTATUS_FS)) |
                   SSTATUS_SPIE,
    };
    frame->regs[REG_SP] = sp.v;
}
