/* SPDX-License-Identifier: MIT */
/*
 * sys_vm.c - another guest's memory: reading it, writing it, advice on it, and its early end.
 *
 *      own buffers <--copy_to_user-- [bounce] <--access_process_vm-- the other's buffers
 *
 * Linux's counterpart: mm/process_vm_access.c, process_madvise() and process_mrelease().
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "fault/gup.h"
#include "fault/mmap.h"
#include "pressure/oom.h"
#include "phys/alloc.h"
#include "phys/gfp.h"
#include "task/guest.h"
#include "task/syscall.h"
#include "task/syscalls.h"

#define IOV_MAX 1024

/* Where we are in an array of buffers. */
struct cursor {
    uint64_t array, count; /* of what is left */
    uint64_t base, len;    /* the rest of the buffer that is being worked at */
};

/* Make sure that there is something in hand. False: the array is at its end. */
static bool advance(struct cursor *c, int *err)
{
    uint64_t iov[2];
    while (!c->len && c->count) {
        if (copy_from_user(iov, mk_vaddr(c->array), sizeof(iov))) {
            *err = -EFAULT;
            return false;
        }
        if ((int64_t)iov[1] < 0) {
            *err = -EINVAL;
            return false;
        }
        c->base = iov[0];
        c->len = iov[1];
        c->array += sizeof(iov);
        c->count--;
    }
    return c->len != 0;
}

static int64_t transfer(struct mm_struct *mm, struct cursor *own, struct cursor *other, bool write,
                        char *page)
{
    int64_t done = 0;
    int err = 0;
    while (advance(own, &err) && advance(other, &err)) {
        size_t n = MIN(MIN(own->len, other->len), PAGE_SIZE);
        if (write && copy_from_user(page, mk_vaddr(own->base), n)) {
            err = -EFAULT;
            break;
        }
        int64_t got = access_process_vm(mm, other->base, page, n, write);
        if (got > 0 && !write && copy_to_user(mk_vaddr(own->base), page, (size_t)got))
            got = -EFAULT;
        if (got <= 0) {
            err = -EFAULT;
            break;
        }
        own->base += (uint64_t)got, own->len -= (uint64_t)got;
        other->base += (uint64_t)got, other->len -= (uint64_t)got;
        done += got;
        if ((size_t)got < n)
            break;
    }
    return done ? done : err;
}

/* The space of g for t to look at: NULL with -ESRCH (it has ended) or -EPERM. */
static struct mm_struct *space_of(struct task *t, struct guest *g, int64_t *err)
{
    uint32_t uid = t->guest->cred.uid[ID_EFFECTIVE];
    *err = uid && uid != g->cred.uid[ID_REAL] ? -EPERM : -ESRCH;
    return *err == -EPERM ? NULL : guest_mm(g);
}

struct mm_struct *arg_space(struct task *t, uint64_t pid, int64_t *err)
{
    struct guest *g = pid ? guest_find((uint32_t)pid) : t->guest;
    *err = -ESRCH;
    if (!g)
        return NULL;
    struct mm_struct *mm = space_of(t, g, err);
    if (pid)
        guest_put(g);
    return mm;
}

static int64_t process_vm(struct task *t, const uint64_t *a, bool write)
{
    struct cursor own = {.array = a[1], .count = a[2]}, other = {.array = a[3], .count = a[4]};
    int64_t err = -ESRCH;
    if (a[5] || own.count > IOV_MAX || other.count > IOV_MAX)
        return -EINVAL;
    if (!own.count || !other.count)
        return 0;
    struct mm_struct *mm = a[0] ? arg_space(t, (uint32_t)a[0], &err) : NULL;
    if (!mm)
        return err;
    char *page = get_free_pages(GFP_KERNEL, 0);
    int64_t n = page ? transfer(mm, &own, &other, write, page) : -ENOMEM;
    if (page)
        free_pages(page, 0);
    mmput(mm);
    return n;
}

int64_t sys_process_vm_readv(struct task *t, const uint64_t *a)
{
    return process_vm(t, a, false);
}

int64_t sys_process_vm_writev(struct task *t, const uint64_t *a)
{
    return process_vm(t, a, true);
}

/* --- by pidfd --------------------------------------------------------------------------------- */

int64_t sys_process_madvise(struct task *t, const uint64_t *a)
{
    struct cursor range = {.array = a[1], .count = a[2]};
    int advice = (int)a[3], err = 0;
    int64_t done = 0, failed;
    if (a[4] || range.count > IOV_MAX)
        return -EINVAL;
    struct guest *g = arg_pidfd(t, a[0]);
    if (!g)
        return -EBADF;
    struct mm_struct *mm = NULL;
    failed = -EINVAL;
    if (madvise_is_for_others(advice))
        mm = space_of(t, g, &failed);
    guest_put(g);
    if (!mm)
        return failed;
    if (!cred_capable(&t->guest->cred, CAP_SYS_NICE))
        err = -EPERM;
    while (!err && advance(&range, &err)) {
        err = do_madvise(mm, range.base, range.len, advice);
        done += err ? 0 : (int64_t)range.len;
        range.len = 0;
    }
    mmput(mm);
    return done ? done : err;
}

/* Will nobody run in the space any more, since all who do are being killed? */
static bool will_be_free(const struct mm_struct *mm)
{
    bool dying = true;
    uint32_t pid = 1;
    for (struct guest *g; dying && (g = guest_next(pid)) != NULL; guest_put(g)) {
        spin_lock(&g->lock);
        dying = g->mm != mm || g->group_exit;
        spin_unlock(&g->lock);
        pid = g->pid + 1;
    }
    return dying;
}

/* What a guest that was killed has, is given back before it has noticed. */
int64_t sys_process_mrelease(struct task *t, const uint64_t *a)
{
    if (a[1])
        return -EINVAL;
    struct guest *g = arg_pidfd(t, a[0]);
    if (!g)
        return -EBADF;
    struct mm_struct *mm = guest_mm(g);
    guest_put(g);
    if (!mm)
        return -ESRCH;
    int64_t err = will_be_free(mm) || mm_flag(mm, MMF_OOM_SKIP) ? 0 : -EINVAL;
    while (!err && !mm_flag(mm, MMF_OOM_SKIP)) {
        if (mm_reap(mm) >= 0)
            mm_test_and_set_flag(mm, MMF_OOM_SKIP);
        else if (kill_pending())
            err = -EINTR;
        else /* it changes its mappings just now */
            (void)sleep_ns(NSEC_PER_MSEC);
    }
    mmput(mm);
    return err;
}
