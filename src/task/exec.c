/* SPDX-License-Identifier: MIT */
/*
 * exec.c - a task becomes a program.
 *
 *      read and check the file --> new address space --> run on it --> map segments, heap, stack
 *          (may fail, nothing lost)                       |
 *                                                         `-- point of no return: the old is gone
 *      --> signals back to default, files marked close-on-exec closed --> user frame: entry, sp
 *
 *      0x10000  text data | heap ->       ...       <- mmap | gap for the stack | stack | vdso
 *
 * Locks: guest->lock when the guest's mm changes. Linux's counterpart: begin_new_exec(),
 * load_elf_binary().
 */
#include "task/exec.h"

#include "arch/layout.h"
#include "base/errno.h"
#include "base/random.h"
#include "base/string.h"
#include "fault/mmap.h"
#include "task/files.h"
#include "task/futex.h"
#include "task/run.h"
#include "task/signal_set.h"
#include "task/timers.h"
#include "task/vdso.h"

/* --- the new space ---------------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static struct mm_struct *new_space(struct guest *g, const char *path)
{
    struct mm_struct *mm = mm_alloc();
    if (!mm)
        return NULL;
    mm->owner.pid = g->pid;
    mm->owner.ops = &guest_mm_owner_ops;
    mm->owner.oom_score_adj = g->oom_score_adj;
    strlcpy(mm->owner.name, base_name(path), sizeof(mm->owner.name));
    layout_choose(mm, g);
    return mm;
}

/* The task runs on mm from now on; what it ran on before is let go. */
static void switch_space(struct task *t, struct mm_struct *mm)
{
    struct guest *g = t->guest;
    struct mm_struct *old = t->mm;
    if (old)
        mm->flags = mm_flags_inherited(old);
    if (old && old->policy->mode != MPOL_DEFAULT) { /* the policy survives exec */
        mpol_get(old->policy);
        mm->policy = old->policy;
    }
    spin_lock(&g->lock);
    g->mm = t->mm = mm;
    spin_unlock(&g->lock);
    tlb_switch(&mm->tlb, pt_root_paddr(&mm->pgt));
    if (old)
        mmput(old);
}

static int fill_space(struct task *t, struct mm_struct *mm, struct exec_request *req,
                      struct elf_image *elf)
{
    int err = elf_map(elf, req->file, mm, layout_pie_bias(t->guest));
    if (err) {
        req->reason = elf->reason;
        return err;
    }
    mm->start_brk = mm->brk = layout_heap(t->guest, elf->end);
    err = vdso_map(mm);
    int64_t sp = err ? err : exec_make_stack(t, mm, req, elf);
    if (sp < 0) {
        req->reason = sp == -E2BIG ? "its arguments are too long" : "its stack cannot be made";
        return (int)sp;
    }
    trap_frame_init(task_frame(t), mk_vaddr(elf->entry), mk_vaddr((uint64_t)sp));
    return 0;
}

/* What a program starts without: handlers, FP values, files that were to be closed. */
static void forget_program(struct task *t, const struct exec_request *req)
{
    struct guest *g = t->guest;
    timers_end(g, false);
    spin_lock(&g->lock);
    strlcpy(g->name, base_name(req->path), sizeof(g->name));
    for (int i = 0; i < NSIG; i++) {
        if (g->actions[i].handler != SIG_IGN)
            g->actions[i].handler = SIG_DFL;
        g->actions[i].flags = g->actions[i].mask = 0;
    }
    cred_exec(&g->cred);
    struct inode *old = g->exe;
    g->exe = inode_get(req->file);
    spin_unlock(&g->lock);
    inode_put(old);
    strlcpy(t->thread->name, base_name(req->path), sizeof(t->thread->name));
    t->rseq.addr = 0;
    t->altstack = (struct altstack){.flags = SS_DISABLE};
    fpu_init(&t->fpu);
    file_table_close_on_exec(g->files);
    prctl_exec(g);
    store_relaxed(&g->executed, true);
}

int exec_program(struct task *t, struct exec_request *req, bool *lost)
{
    struct elf_image elf;
    *lost = false;
    int err = elf_read(&elf, req->file);
    if (err) {
        req->reason = elf.reason;
        return err;
    }
    struct mm_struct *mm = new_space(t->guest, req->path);
    if (!mm)
        return -ENOMEM;
    *lost = true;
    t->guest->at_random[0] = guest_random();
    t->guest->at_random[1] = guest_random();
    if (t->mm)
        futex_leave_space(t);
    switch_space(t, mm);
    forget_program(t, req);
    return fill_space(t, mm, req, &elf);
}
