/* SPDX-License-Identifier: MIT */
/*
 * fpu.c - when the FP registers are moved, and when they can stay.
 *
 *      OFF --first use: load zeroes--> CLEAN --guest writes (hardware)--> DIRTY
 *                                        ^------leaves the hart: save-------'
 *
 * Invariants: if hart->fpu_owner == fpu and fpu->loaded_on == hart, the hart's registers are fpu's
 * values, or newer ones if FS of the frame is DIRTY (then the thread is on that hart).
 *
 * Locks: none. Linux's counterpart: arch/riscv/kernel/fpu.S and <asm/switch_to.h>.
 */
#include "arch/fpu.h"

#include "arch/csr.h"

void fpu_regs_save(struct fpu_state *fpu); /* fpu_regs.S */
void fpu_regs_load(const struct fpu_state *fpu);

_Static_assert(offsetof(struct fpu_state, f) == 0, "fpu_regs.S");
_Static_assert(offsetof(struct fpu_state, fcsr) == 32 * 8, "fpu_regs.S");

static void set_fs(struct trap_frame *frame, uint64_t fs)
{
    frame->sstatus = (frame->sstatus & ~(uint64_t)SSTATUS_FS) | fs;
    hart_add_user_work(this_arch_hart(), USER_WORK_FRAME);
}

static void load_here(struct fpu_state *fpu)
{
    struct arch_hart *h = this_arch_hart();
    fpu_regs_load(fpu); /* leaves FS off in sstatus itself */
    hart_add_user_work(h, USER_WORK_FRAME);
    h->fpu_owner = fpu;
    fpu->loaded_on = h;
}

void fpu_init(struct fpu_state *fpu)
{
    *fpu = (struct fpu_state){.loaded_on = NULL};
}

void fpu_sync(struct fpu_state *fpu, struct trap_frame *frame)
{
    if ((frame->sstatus & SSTATUS_FS) != SSTATUS_FS_DIRTY)
        return;
    fpu_regs_save(fpu);
    set_fs(frame, SSTATUS_FS_CLEAN);
}

void fpu_switch_out(struct fpu_state *fpu, struct trap_frame *frame)
{
    fpu_sync(fpu, frame);
}

void fpu_switch_in(struct fpu_state *fpu, struct trap_frame *frame)
{
    struct arch_hart *h = this_arch_hart();
    if ((frame->sstatus & SSTATUS_FS) == SSTATUS_FS_OFF)
        return;
    if (h->fpu_owner != fpu || fpu->loaded_on != h)
        load_here(fpu);
}

/* The hart may have none: then FS is wired to 0. */
static bool fpu_exists(void)
{
    csr_set(sstatus, SSTATUS_FS);
    bool exists = csr_read(sstatus) & SSTATUS_FS;
    csr_clear(sstatus, SSTATUS_FS);
    return exists;
}

bool fpu_first_use(struct fpu_state *fpu, struct trap_frame *frame)
{
    if ((frame->sstatus & SSTATUS_FS) != SSTATUS_FS_OFF || !fpu_exists())
        return false;
    load_here(fpu);
    set_fs(frame, SSTATUS_FS_CLEAN);
    return true;
}

void fpu_changed(struct fpu_state *fpu, struct trap_frame *frame)
{
    load_here(fpu);
    set_fs(frame, SSTATUS_FS_CLEAN);
}
