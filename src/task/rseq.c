/* SPDX-License-Identifier: MIT */
/*
 * rseq.c - restartable sequences. rseq.h has the picture.
 *
 *      resume:  rseq_cs set?  pc inside: go on at abort, if the word before it is the signature
 *                             outside:   it is old, forget it
 *               another hart than the memory says?  say the new one
 *
 * The signature keeps a forged rseq_cs from sending a program to any place. What is not as it
 * should be is a SIGSEGV.
 *
 * mm_cid is to be small and not the same for two tasks of a space that run at one time: the hart's
 * number is that.
 *
 * Locks: none. Linux's counterpart: kernel/rseq.c.
 */
#include "task/rseq.h"

#include "arch/layout.h"
#include "arch/uaccess.h"
#include "base/errno.h"
#include "task/signal_set.h"
#include "task/syscalls.h"

#define RSEQ_SIZE 32 /* of the first struct rseq; longer ones have more at their end */
#define RSEQ_FLAG_UNREGISTER 1u

enum { CPU_ID_START = 0, CPU_ID = 4, RSEQ_CS = 8, NODE_ID = 20, MM_CID = 24 }; /* offsets */

struct rseq_cs {
    uint32_t version, flags;
    uint64_t start, length, abort;
};

/* --- sequences -------------------------------------------------------------------------------- */

static int take_sequence(const struct task *t, uint64_t at, struct rseq_cs *cs)
{
    uint32_t signature;
    if (copy_from_user(cs, mk_vaddr(at), sizeof(*cs)))
        return -EFAULT;
    if (cs->version || cs->flags || cs->start >= USER_TOP || cs->abort >= USER_TOP ||
        cs->length >= USER_TOP - cs->start || cs->abort - cs->start < cs->length)
        return -EINVAL;
    if (copy_from_user(&signature, mk_vaddr(cs->abort - sizeof(signature)), sizeof(signature)))
        return -EFAULT;
    return signature == t->rseq.signature ? 0 : -EINVAL;
}

/* Was it interrupted in a sequence? Then it goes on at its abort. */
static int abort_sequence(const struct task *t, struct trap_frame *frame)
{
    uint64_t at;
    struct rseq_cs cs;
    if (get_user_u64(&at, mk_vaddr(t->rseq.addr + RSEQ_CS)))
        return -EFAULT;
    if (!at)
        return 0;
    int err = take_sequence(t, at, &cs);
    if (!err)
        err = put_user_u64(0, mk_vaddr(t->rseq.addr + RSEQ_CS));
    if (!err && frame->sepc - cs.start < cs.length) {
        frame->sepc = cs.abort;
        trap_frame_rewritten();
    }
    return err;
}

/* --- where it runs ---------------------------------------------------------------------------- */

static int put_numbers(uint64_t addr, uint32_t start, uint32_t cpu, uint32_t node, uint32_t cid)
{
    return put_user_u32(start, mk_vaddr(addr + CPU_ID_START)) ||
                   put_user_u32(cpu, mk_vaddr(addr + CPU_ID)) ||
                   put_user_u32(node, mk_vaddr(addr + NODE_ID)) ||
                   put_user_u32(cid, mk_vaddr(addr + MM_CID))
               ? -EFAULT
               : 0;
}

/* A write may fault and sleep, and the task wake elsewhere: the switch has it called again then. */
static int say_hart(struct task *t)
{
    uint32_t hart = hart_index();
    if (t->rseq.hart == hart)
        return 0;
    t->rseq.hart = hart;
    return put_numbers(t->rseq.addr, hart, hart, hart_nid(), hart);
}

void rseq_resume(struct task *t, struct trap_frame *frame)
{
    t->rseq.stirred = false;
    if (!t->rseq.addr)
        return;
    if (abort_sequence(t, frame) || say_hart(t)) {
        t->rseq.addr = 0; /* or its handler would be told the same for ever */
        signal_fault(frame, SIGSEGV, SI_KERNEL, 0);
    }
}

/* --- the call --------------------------------------------------------------------------------- */

static int64_t unregister(struct task *t, const uint64_t *a)
{
    if ((uint32_t)a[2] != RSEQ_FLAG_UNREGISTER || !t->rseq.addr || t->rseq.addr != a[0] ||
        t->rseq.len != (uint32_t)a[1])
        return -EINVAL;
    if (t->rseq.signature != (uint32_t)a[3])
        return -EPERM;
    if (put_numbers(a[0], 0, UINT32_MAX, 0, 0))
        return -EFAULT;
    t->rseq.addr = 0;
    return 0;
}

int64_t sys_rseq(struct task *t, const uint64_t *a)
{
    uint32_t len = (uint32_t)a[1];
    if ((uint32_t)a[2] & RSEQ_FLAG_UNREGISTER)
        return unregister(t, a);
    if ((uint32_t)a[2])
        return -EINVAL;
    if (t->rseq.addr) {
        if (t->rseq.addr != a[0] || t->rseq.len != len)
            return -EINVAL;
        return t->rseq.signature == (uint32_t)a[3] ? -EBUSY : -EPERM;
    }
    if (len < RSEQ_SIZE || !IS_ALIGNED(a[0], RSEQ_ALIGN))
        return -EINVAL;
    if (!a[0] || !user_range_ok(mk_vaddr(a[0]), len))
        return -EFAULT;
    t->rseq = (struct rseq_state){
        .addr = a[0], .len = len, .signature = (uint32_t)a[3], .hart = RSEQ_NO_HART};
    int err = say_hart(t);
    if (err)
        t->rseq.addr = 0;
    return err;
}
