/* SPDX-License-Identifier: MIT */
/*
 * signal_frame.c - what lies on a guest's stack while a handler runs.
 *
 *      sp before -->  (16-aligned)
 *                     struct frame: siginfo | ucontext: mask, stack, registers, FP registers
 *      sp after  -->  a0 = signal, a1 = &siginfo, a2 = &ucontext, ra = in the vdso
 *
 * The handler's return goes to the vdso, which calls rt_sigreturn, which reads it all back. The
 * guest may have written anything into it: the registers are the guest's own anyway, and of
 * sstatus nothing is taken.
 *
 * The layout is Linux's for riscv64, because handlers read it.
 * Linux's counterpart: arch/riscv/kernel/signal.c.
 */
#include "arch/layout.h"
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "task/exec.h"
#include "task/signal_set.h"
#include "task/vdso.h"

struct siginfo_abi {
    struct siginfo_words words;
    uint8_t rest[80];
};

struct mcontext {
    uint64_t regs[32]; /* [0] is pc */
    uint64_t f[32];
    uint32_t fcsr;
    uint8_t rest[268]; /* of the union that could hold Q registers */
} __attribute__((aligned(16)));

struct ucontext {
    uint64_t flags, link;
    struct altstack stack;
    uint64_t sigmask;
    uint8_t unused_mask[120];
    struct mcontext mcontext;
};

struct frame {
    struct siginfo_abi info;
    struct ucontext uc;
};

_Static_assert(sizeof(struct frame) == SIGNAL_FRAME_SIZE, "signal_set.h");
_Static_assert(sizeof(struct siginfo_abi) == 128, "Linux's siginfo_t");
_Static_assert(offsetof(struct ucontext, mcontext) == 176, "Linux's ucontext on riscv64");
_Static_assert(sizeof(struct mcontext) == 784, "Linux's sigcontext on riscv64");

int signal_put_info(uint64_t to, const struct siginfo_words *info)
{
    struct siginfo_abi abi = {.words = *info};
    return copy_to_user(mk_vaddr(to), &abi, sizeof(abi)) ? -EFAULT : 0;
}

static void save_registers(struct task *t, struct trap_frame *frame, struct mcontext *mc)
{
    fpu_sync(&t->fpu, frame);
    mc->regs[0] = frame->sepc;
    memcpy(mc->regs + 1, frame->regs + 1, 31 * sizeof(uint64_t));
    memcpy(mc->f, t->fpu.f, sizeof(mc->f));
    mc->fcsr = (uint32_t)t->fpu.fcsr;
}

bool signal_on_altstack(const struct task *t, uint64_t sp)
{
    const struct altstack *alt = &t->altstack;
    return !(alt->flags & (int32_t)SS_AUTODISARM) && sp > alt->sp && sp - alt->sp <= alt->size;
}

/*
 * Where the frame goes: the alternate stack if wanted and not in use, else below sp. 0: it would
 * run out of the alternate stack, and into what lies below that.
 */
static uint64_t frame_address(const struct task *t, const struct trap_frame *frame,
                              const struct sigaction_abi *act)
{
    uint64_t sp = frame->regs[REG_SP];
    bool on_alt = signal_on_altstack(t, sp);
    if (on_alt && !signal_on_altstack(t, sp - sizeof(struct frame)))
        return 0;
    if ((act->flags & SA_ONSTACK) && t->altstack.size && !on_alt)
        sp = t->altstack.sp + t->altstack.size;
    return ALIGN_DOWN(sp - sizeof(struct frame), 16);
}

static void fill(struct task *t, struct trap_frame *frame, const struct siginfo_words *info,
                 struct frame *f)
{
    memset(f, 0, sizeof(*f));
    f->info.words = *info;
    f->uc.stack = t->altstack;
    f->uc.sigmask = t->restore_blocked ? t->saved_blocked : t->blocked;
    save_registers(t, frame, &f->uc.mcontext);
}

int signal_push_frame(struct task *t, struct trap_frame *frame, int sig,
                      const struct siginfo_words *info, const struct sigaction_abi *act)
{
    struct frame f;
    uint64_t at = frame_address(t, frame, act);
    fill(t, frame, info, &f);
    if (!at || copy_to_user(mk_vaddr(at), &f, sizeof(f)))
        return -EFAULT;
    if (t->altstack.flags & (int32_t)SS_AUTODISARM)
        t->altstack = (struct altstack){.flags = SS_DISABLE};
    t->restore_blocked = false;
    t->blocked |= act->mask;
    if (!(act->flags & SA_NODEFER))
        t->blocked |= SIGBIT(sig);
    t->blocked &= ~UNBLOCKABLE;
    frame->sepc = act->handler;
    frame->regs[REG_SP] = at;
    frame->regs[REG_RA] = VDSO_SIGRETURN_ADDR;
    frame->regs[REG_A0] = (uint64_t)sig;
    frame->regs[REG_A1] = at + offsetof(struct frame, info);
    frame->regs[REG_A2] = at + offsetof(struct frame, uc);
    return 0;
}

int signal_pop_frame(struct task *t, struct trap_frame *frame)
{
    struct frame f;
    uint64_t at = frame->regs[REG_SP];
    if (!IS_ALIGNED(at, 16) || copy_from_user(&f, mk_vaddr(at), sizeof(f)))
        return -EFAULT;
    const struct mcontext *mc = &f.uc.mcontext;
    frame->sepc = mc->regs[0] & ~1UL;
    memcpy(frame->regs + 1, mc->regs + 1, 31 * sizeof(uint64_t));
    if (frame->sstatus & SSTATUS_FS) { /* it has FP registers at all */
        memcpy(t->fpu.f, mc->f, sizeof(mc->f));
        t->fpu.fcsr = mc->fcsr;
        fpu_changed(&t->fpu, frame);
    }
    t->blocked = f.uc.sigmask & ~UNBLOCKABLE;
    t->restart.fn = NULL;
    int err = signal_set_altstack(t, &f.uc.stack, frame->regs[REG_SP]);
    (void)err; /* as Linux: what the handler wrote there may be nonsense */
    return 0;
}
