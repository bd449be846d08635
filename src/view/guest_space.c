/* SPDX-License-Identifier: MIT */
/*
 * guest_space.c - /proc/PID: what stands in a guest's memory: mem, environ, auxv.
 *
 *      mem        all of it, at its addresses: read and written as its owner would
 *      environ    env_start..env_end of it      auxv    the words that the loader put on the stack
 *
 * For the guest itself, for its user unless it asked not to be looked at (PR_SET_DUMPABLE), and for
 * root.
 *
 * Locks: the guest and its space are referenced. Linux's counterpart: fs/proc/base.c.
 */
#include "base/errno.h"
#include "fault/gup.h"
#include "file/registry.h"
#include "task/guest.h"
#include "task/task.h"
#include "view/view.h"

static bool may_look(const struct guest *g)
{
    const struct task *t = task_current();
    if (!t || t->guest == g) /* the console sees everything */
        return true;
    uint32_t uid = t->guest->cred.uid[ID_EFFECTIVE];
    return !uid || (uid == g->cred.uid[ID_REAL] && !g->prctl.undumpable);
}

/* The space of the guest whose pid is in the path, referenced; NULL: *err, 0 when it has ended. */
static struct mm_struct *space_of(const struct view_args *args, int *err)
{
    struct guest *g = guest_find((uint32_t)args->number[0]);
    *err = g ? 0 : -ESRCH;
    if (!g)
        return NULL;
    bool may = may_look(g);
    struct mm_struct *mm = may ? guest_mm(g) : NULL;
    *err = may ? 0 : -EACCES;
    guest_put(g);
    return mm;
}

static pagoda_ssize_t access_mem(char *buf, size_t n, uint64_t at, const struct view_args *args,
                                 bool write)
{
    int err;
    struct mm_struct *mm = space_of(args, &err);
    if (!mm)
        return err;
    int64_t got = access_process_vm(mm, at, buf, n, write);
    mmput(mm);
    return got == -EFAULT ? -EIO : got;
}

static pagoda_ssize_t read_mem(char *buf, size_t n, uint64_t at, const struct view_args *args)
{
    return access_mem(buf, n, at, args, false);
}

static pagoda_ssize_t write_mem(const char *buf, size_t n, uint64_t at,
                                const struct view_args *args)
{
    return access_mem((char *)(uintptr_t)buf, n, at, args, true); /* writing only reads it */
}

/* Bytes of the space from start to before end, the first of them at offset 0. */
static pagoda_ssize_t read_between(struct mm_struct *mm, uint64_t start, uint64_t end, char *buf,
                                   size_t n, uint64_t at)
{
    if (end <= start || at >= end - start)
        return 0;
    return access_process_vm(mm, start + at, buf, MIN(n, end - start - at), false);
}

static pagoda_ssize_t read_environ(char *buf, size_t n, uint64_t at, const struct view_args *args)
{
    int err;
    struct mm_struct *mm = space_of(args, &err);
    if (!mm)
        return err;
    pagoda_ssize_t got = read_between(mm, mm->env_start, mm->env_end, buf, n, at);
    mmput(mm);
    return got;
}

static pagoda_ssize_t read_auxv(char *buf, size_t n, uint64_t at, const struct view_args *args)
{
    int err;
    struct mm_struct *mm = space_of(args, &err);
    if (!mm)
        return err;
    pagoda_ssize_t got = read_between(mm, mm->auxv_start, mm->auxv_end, buf, n, at);
    mmput(mm);
    return got;
}

static const struct view views[] = {
    {.path = "/proc/%p/mem", .read_at = read_mem, .write_at = write_mem},
    {.path = "/proc/%p/environ", .read_at = read_environ},
    {.path = "/proc/%p/auxv", .read_at = read_auxv},
};

void view_guest_space_init(void)
{
    view_register(views, ARRAY_SIZE(views));
}
