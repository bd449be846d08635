/* SPDX-License-Identifier: MIT */
/*
 * userfaultfd_ioctl.c - what the handler of page faults asks for: UFFDIO_*.
 *
 *      API          agree on features, once and before all else
 *      REGISTER     a range of memory; UNREGISTER
 *      COPY         fill pages with bytes of the handler's, ZEROPAGE with zeros; and wake
 *      WAKE         whoever waits for these pages tries again
 *
 * Bytes are copied to a page of the monitor's first: reading the handler's memory may fault, and
 * nothing is locked then.
 *
 * Locks: none of its own. Linux's counterpart: userfaultfd_ioctl() of fs/userfaultfd.c.
 */
#include "arch/layout.h"
#include "arch/uaccess.h"
#include "base/errno.h"
#include "fault/mmap.h"
#include "phys/alloc.h"
#include "task/userfaultfd.h"

#define UFFD_API 0xaaUL
#define UFFDIO_API 0xc018aa3fUL
#define UFFDIO_REGISTER 0xc020aa00UL
#define UFFDIO_UNREGISTER 0x8010aa01UL
#define UFFDIO_WAKE 0x8010aa02UL
#define UFFDIO_COPY 0xc028aa03UL
#define UFFDIO_ZEROPAGE 0xc020aa04UL
#define API_IOCTLS (1UL << 0x3f | 1UL << 0 | 1UL << 1) /* API, REGISTER, UNREGISTER */
#define RANGE_IOCTLS (1UL << 2 | 1UL << 3 | 1UL << 4)  /* WAKE, COPY, ZEROPAGE */
#define MODE_MISSING 1UL
#define MODE_DONTWAKE 1UL

struct range_abi {
    uint64_t start, len;
};

static int check_range(const struct range_abi *r)
{
    if (!IS_ALIGNED(r->start, PAGE_SIZE) || !IS_ALIGNED(r->len, PAGE_SIZE) || !r->len)
        return -EINVAL;
    return r->start < MMAP_MIN_ADDR || r->start >= USER_TOP || r->len > USER_TOP - r->start
               ? -EINVAL
               : 0;
}

static int64_t agree(struct userfaultfd *uf, uint64_t arg)
{
    uint64_t words[3], none[3] = {0}, before = 0; /* api, features, ioctls */
    if (copy_from_user(words, mk_vaddr(arg), sizeof(words)))
        return -EFAULT;
    uint64_t features = words[1] | UFFD_READY;
    if (words[0] != UFFD_API || (words[1] & ~UFFD_FEATURES))
        return copy_to_user(mk_vaddr(arg), none, sizeof(none)) ? -EFAULT : -EINVAL;
    words[1] = UFFD_FEATURES;
    words[2] = API_IOCTLS;
    if (copy_to_user(mk_vaddr(arg), words, sizeof(words)))
        return -EFAULT;
    if (cmpxchg(&uf->features, &before, features))
        return 0;
    return copy_to_user(mk_vaddr(arg), none, sizeof(none)) ? -EFAULT : -EINVAL;
}

static int64_t register_range(struct userfaultfd *uf, struct mm_struct *mm, uint64_t arg)
{
    struct {
        struct range_abi range;
        uint64_t mode;
    } r;
    if (copy_from_user(&r, mk_vaddr(arg), sizeof(r)))
        return -EFAULT;
    int err = r.mode != MODE_MISSING ? -EINVAL : check_range(&r.range);
    if (!err)
        err = userfault_register(mm, r.range.start, r.range.start + r.range.len, &uf->base);
    return err ? err : put_user_u64(RANGE_IOCTLS, mk_vaddr(arg + sizeof(r)));
}

/* UNREGISTER and WAKE. */
static int64_t let_go(struct userfaultfd *uf, struct mm_struct *mm, uint64_t arg, bool unregister)
{
    struct range_abi r;
    if (copy_from_user(&r, mk_vaddr(arg), sizeof(r)))
        return -EFAULT;
    int err = check_range(&r);
    if (!err && unregister)
        err = userfault_unregister(mm, r.start, r.start + r.len, &uf->base);
    if (!err)
        userfault_wake(uf, r.start, r.start + r.len);
    return err;
}

/* Fill page after page, from `src`, or with zeros if page is NULL. Bytes, or -Exxx for none. */
static int64_t fill(struct mm_struct *mm, const struct range_abi *dst, uint64_t src, char *page)
{
    uint64_t done = 0;
    int err = 0;
    while (done < dst->len && !err) {
        if (page && copy_from_user(page, mk_vaddr(src + done), PAGE_SIZE))
            err = -EFAULT;
        if (!err)
            err = userfault_fill(mm, dst->start + done, dst->start + dst->len, page);
        done += err ? 0 : PAGE_SIZE;
        if (!err && kill_pending())
            break;
        cond_resched();
    }
    return done ? (int64_t)done : err;
}

/* Tell how much was filled (at `result`), and wake who waits for it. */
static int64_t filled(struct userfaultfd *uf, const struct range_abi *dst, int64_t n,
                      uint64_t result, bool wake)
{
    if (put_user_u64((uint64_t)n, mk_vaddr(result)))
        return -EFAULT;
    if (n < 0)
        return n;
    if (wake)
        userfault_wake(uf, dst->start, dst->start + (uint64_t)n);
    return (uint64_t)n == dst->len ? 0 : -EAGAIN;
}

static int64_t copy(struct userfaultfd *uf, struct mm_struct *mm, uint64_t arg)
{
    uint64_t words[4]; /* dst, src, len, mode; the result is behind them */
    if (copy_from_user(words, mk_vaddr(arg), sizeof(words)))
        return -EFAULT;
    struct range_abi dst = {words[0], words[2]};
    if (check_range(&dst) || words[1] + words[2] <= words[1] || (words[3] & ~MODE_DONTWAKE))
        return -EINVAL;
    char *page = get_free_pages(GFP_KERNEL, 0);
    if (!page)
        return -ENOMEM;
    int64_t n = fill(mm, &dst, words[1], page);
    free_pages(page, 0);
    return filled(uf, &dst, n, arg + sizeof(words), !(words[3] & MODE_DONTWAKE));
}

static int64_t zero(struct userfaultfd *uf, struct mm_struct *mm, uint64_t arg)
{
    struct {
        struct range_abi dst;
        uint64_t mode;
    } z;
    if (copy_from_user(&z, mk_vaddr(arg), sizeof(z)))
        return -EFAULT;
    if (check_range(&z.dst) || (z.mode & ~MODE_DONTWAKE))
        return -EINVAL;
    int64_t n = fill(mm, &z.dst, 0, NULL);
    return filled(uf, &z.dst, n, arg + sizeof(z), !(z.mode & MODE_DONTWAKE));
}

static int64_t act(struct userfaultfd *uf, struct mm_struct *mm, uint64_t cmd, uint64_t arg)
{
    switch (cmd) {
    case UFFDIO_REGISTER:
        return register_range(uf, mm, arg);
    case UFFDIO_UNREGISTER:
    case UFFDIO_WAKE:
        return let_go(uf, mm, arg, cmd == UFFDIO_UNREGISTER);
    case UFFDIO_COPY:
        return copy(uf, mm, arg);
    case UFFDIO_ZEROPAGE:
        return zero(uf, mm, arg);
    default:
        return -EINVAL;
    }
}

int64_t userfaultfd_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
    struct userfaultfd *uf = f->private;
    if (cmd == UFFDIO_API)
        return agree(uf, arg);
    if (!(load_relaxed(&uf->features) & UFFD_READY))
        return -EINVAL;
    if (!mmget_not_zero(uf->mm)) /* whose memory it was has ended */
        return cmd == UFFDIO_COPY || cmd == UFFDIO_ZEROPAGE ? -ESRCH : -ENOMEM;
    int64_t result = act(uf, uf->mm, cmd, arg);
    mmput(uf->mm);
    return result;
}
