/* SPDX-License-Identifier: MIT */
/*
 * userfaultfd.c - who waits for pages, and those who are told. userfaultfd.h has the picture.
 *
 * Locks: userfaultfd.h. Linux's counterpart: handle_userfault(), userfaultfd_read().
 */
#include "task/userfaultfd.h"

#include "arch/uaccess.h"
#include "base/errno.h"
#include "slab/kmalloc.h"
#include "task/guest.h"
#include "task/poll.h"
#include "task/syscalls.h"

#define UFFD_USER_MODE_ONLY 1u
#define UFFD_EVENT_PAGEFAULT 0x12u
#define UFFD_PAGEFAULT_FLAG_WRITE 1u

/* As Linux lays it out: struct uffd_msg. */
struct message {
    uint8_t event, pad[7];
    uint64_t flags, address;
    uint32_t ptid, pad2;
};

struct fault_wait {
    struct list_head node; /* (lock) pending or taken; empty: woken */
    struct message msg;
};

uint32_t sysctl_unprivileged_userfaultfd;

/* --- waiting for a page ----------------------------------------------------------------------- */

static void enqueue(struct userfaultfd *uf, struct fault_wait *w)
{
    spin_lock(&uf->lock);
    if (uf->closed)
        INIT_LIST_HEAD(&w->node);
    else
        list_add_tail(&w->node, &uf->pending);
    spin_unlock(&uf->lock);
}

static void dequeue(struct userfaultfd *uf, struct fault_wait *w)
{
    spin_lock(&uf->lock);
    if (!list_empty(&w->node))
        list_del_init(&w->node);
    spin_unlock(&uf->lock);
}

static bool woken(const struct fault_wait *w)
{
    return load_acquire(&w->node.next) == &w->node;
}

/* Something else is to be done before the access is tried again. */
static bool called_away(const struct task *t, bool user)
{
    return kill_pending() || (user && signal_pending(t));
}

static void wait_for_page(struct task *t, struct userfaultfd *uf, struct fault_wait *w, bool user)
{
    struct wait_entry entry;
    wait_entry_init(&entry);
    for (;;) {
        wait_prepare(&uf->touchers, &entry, THREAD_KILLABLE);
        if (woken(w) || called_away(t, user))
            break;
        schedule();
    }
    wait_finish(&uf->touchers, &entry);
}

/* The owner of what is missing at addr, referenced, with the message on its list; or NULL. */
static struct userfaultfd *ask(struct mm_struct *mm, uint64_t addr, struct fault_wait *w)
{
    struct userfaultfd *uf = NULL;
    down_read(&mm->mmap_lock);
    struct vm_area_struct *vma = vma_lookup(mm, addr);
    if (vma && vma->vm_userfault) {
        uf = container_of(userfault_get(vma->vm_userfault), struct userfaultfd, base);
        enqueue(uf, w);
        if (!userfault_missing(vma, addr)) /* filled, before the message could be found */
            dequeue(uf, w);
    }
    up_read(&mm->mmap_lock);
    return uf;
}

static enum fault_result fails(const struct userfaultfd *uf, bool user)
{
    bool sigbus = load_relaxed(&uf->features) & UFFD_FEATURE_SIGBUS;
    return sigbus || (uf->user_mode_only && !user) ? FAULT_SIGBUS : FAULT_DONE;
}

enum fault_result userfault_wait(struct task *t, uint64_t addr, uint64_t access, bool user)
{
    struct fault_wait w = {.msg = {.event = UFFD_EVENT_PAGEFAULT, .address = addr}};
    w.msg.flags = access == PTE_W ? UFFD_PAGEFAULT_FLAG_WRITE : 0;
    w.msg.ptid = t->tid;
    struct userfaultfd *uf = ask(t->mm, addr & PAGE_MASK, &w);
    if (!uf)
        return FAULT_DONE;
    enum fault_result result = woken(&w) ? FAULT_DONE : fails(uf, user);
    if (result == FAULT_DONE && !woken(&w)) {
        wake_up_all(&uf->readers);
        wait_for_page(t, uf, &w, user);
    }
    dequeue(uf, &w);
    userfault_put(&uf->base);
    return result;
}

static void wake_list_locked(struct list_head *list, uint64_t start, uint64_t end)
{
    struct fault_wait *w, *next;
    list_for_each_entry_safe(w, next, list, node) {
        if (w->msg.address >= start && w->msg.address < end)
            list_del_init(&w->node);
    }
}

void userfault_wake(struct userfaultfd *uf, uint64_t start, uint64_t end)
{
    spin_lock(&uf->lock);
    wake_list_locked(&uf->pending, start, end);
    wake_list_locked(&uf->taken, start, end);
    spin_unlock(&uf->lock);
    wake_up_all(&uf->touchers);
}

/* --- being told ------------------------------------------------------------------------------- */

static bool take_message(struct userfaultfd *uf, struct message *msg)
{
    uint64_t features = load_relaxed(&uf->features);
    spin_lock(&uf->lock);
    bool found = !list_empty(&uf->pending);
    if (found) {
        struct fault_wait *w = list_first_entry(&uf->pending, struct fault_wait, node);
        *msg = w->msg;
        list_del(&w->node);
        list_add_tail(&w->node, &uf->taken);
    }
    spin_unlock(&uf->lock);
    if (!(features & UFFD_FEATURE_EXACT_ADDRESS))
        msg->address &= PAGE_MASK;
    if (!(features & UFFD_FEATURE_THREAD_ID))
        msg->ptid = 0;
    return found;
}

static bool any_message(struct userfaultfd *uf)
{
    spin_lock(&uf->lock);
    bool any = !list_empty(&uf->pending);
    spin_unlock(&uf->lock);
    return any;
}

static int64_t userfaultfd_read(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    struct userfaultfd *uf = f->private;
    struct message msg = {0};
    size_t done = 0;
    (void)pos;
    if (!(load_relaxed(&uf->features) & UFFD_READY) || n < sizeof(msg))
        return -EINVAL;
    while (n - done >= sizeof(msg)) {
        int err = 0;
        if (take_message(uf, &msg)) {
            if (copy_to_user(mk_vaddr(buf.v + done), &msg, sizeof(msg)))
                err = -EFAULT;
            done += err ? 0 : sizeof(msg);
        } else if (done || (f->flags & O_NONBLOCK)) {
            err = -EAGAIN;
        } else {
            err = task_wait_event(&uf->readers, any_message(uf));
        }
        if (err)
            return done ? (int64_t)done : err;
    }
    return (int64_t)done;
}

/* As on Linux it is polled only where a read would not wait. */
static uint32_t userfaultfd_poll(struct file *f, struct poll_wait *pw)
{
    struct userfaultfd *uf = f->private;
    poll_add(pw, &uf->readers);
    if (!(load_relaxed(&uf->features) & UFFD_READY) || !(f->flags & O_NONBLOCK))
        return POLLERR;
    return any_message(uf) ? POLLIN : 0;
}

/* --- life ------------------------------------------------------------------------------------- */

static void release(struct userfault *u)
{
    struct userfaultfd *uf = container_of(u, struct userfaultfd, base);
    mmdrop(uf->mm);
    kfree(uf);
}

static void userfaultfd_close(struct file *f)
{
    struct userfaultfd *uf = f->private;
    spin_lock(&uf->lock);
    uf->closed = true;
    spin_unlock(&uf->lock);
    if (mmget_not_zero(uf->mm)) {
        userfault_unregister_all(uf->mm, &uf->base);
        mmput(uf->mm);
    }
    userfault_wake(uf, 0, UINT64_MAX);
    userfault_put(&uf->base);
}

static void userfaultfd_print_name(const struct file *f, struct sink *out)
{
    (void)f;
    print(out, "anon_inode:[userfaultfd]");
}

static const struct file_ops userfaultfd_ops = {
    .read = userfaultfd_read,
    .poll = userfaultfd_poll,
    .ioctl = userfaultfd_ioctl,
    .close = userfaultfd_close,
    .print_name = userfaultfd_print_name,
};

static struct file *create(struct task *t, uint32_t flags)
{
    struct userfaultfd *uf = kzalloc(sizeof(*uf), GFP_KERNEL);
    struct file *f = uf ? file_alloc(&userfaultfd_ops, 0600) : NULL;
    if (!f) {
        kfree(uf);
        return NULL;
    }
    uf->base = (struct userfault){.refcount = 1, .release = release};
    uf->mm = t->mm;
    mmgrab(uf->mm);
    spin_init(&uf->lock, "userfaultfd", RANK_FUTEX);
    INIT_LIST_HEAD(&uf->pending);
    INIT_LIST_HEAD(&uf->taken);
    wait_queue_init(&uf->touchers);
    wait_queue_init(&uf->readers);
    uf->user_mode_only = flags & UFFD_USER_MODE_ONLY;
    f->private = uf;
    f->flags = O_RDWR | (flags & O_NONBLOCK);
    return f;
}

int64_t sys_userfaultfd(struct task *t, const uint64_t *a)
{
    uint32_t flags = (uint32_t)a[0];
    if (!(flags & UFFD_USER_MODE_ONLY) && !load_relaxed(&sysctl_unprivileged_userfaultfd) &&
        !cred_capable(&t->guest->cred, CAP_SYS_PTRACE))
        return -EPERM;
    if (flags & ~(UFFD_USER_MODE_ONLY | O_NONBLOCK | O_CLOEXEC))
        return -EINVAL;
    struct file *f = create(t, flags);
    if (!f)
        return -ENOMEM;
    int64_t fd = file_install(t->guest->files, f, 0, flags & O_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}
