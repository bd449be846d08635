/* SPDX-License-Identifier: MIT */
/*
 * file_device.c - what is behind the numbers of a device: null, zero, full, random, kmsg.
 *
 * Locks: none. Linux's counterpart: drivers/char/mem.c, random.c; kernel/printk.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "file/root.h"
#include "kern/log.h"
#include "kern/thread.h"
#include "task/exec.h"
#include "task/files.h"
#include "task/syscall.h"

#define LINE_MAX 256
#define KMSG_WAIT (50 * NSEC_PER_MSEC)

static int64_t nothing(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    (void)f;
    (void)buf;
    (void)n;
    (void)pos;
    return 0;
}

/* They have every position: lseek() succeeds and means nothing. */
static int64_t seek_nowhere(struct file *f, int64_t offset, uint32_t whence)
{
    (void)f;
    (void)offset;
    (void)whence;
    return 0;
}

static int64_t zero_read(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    (void)f;
    (void)pos;
    size_t left = clear_user(buf, n);
    return left == n && n ? -EFAULT : (int64_t)(n - left);
}

static int64_t random_read(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    (void)f;
    (void)pos;
    for (size_t done = 0; done < n; done += sizeof(uint64_t)) {
        uint64_t word = guest_random();
        if (copy_to_user(mk_vaddr(buf.v + done), &word, MIN(n - done, sizeof(word))))
            return done ? (int64_t)done : -EFAULT;
    }
    return (int64_t)n;
}

static int64_t swallow(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    (void)f;
    (void)buf;
    (void)pos;
    return (int64_t)n;
}

static int64_t zero_splice_read(struct file *f, void *buf, size_t n, uint64_t *pos)
{
    (void)f;
    (void)pos;
    memset(buf, 0, n);
    return (int64_t)n;
}

static int64_t splice_swallow(struct file *f, const void *buf, size_t n, uint64_t *pos)
{
    (void)f;
    (void)buf;
    (void)pos;
    return (int64_t)n;
}

static int64_t full_write(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    (void)f;
    (void)buf;
    (void)n;
    (void)pos;
    return -ENOSPC;
}

/* A line for the log, as `echo text > /dev/kmsg` has it. */
static int64_t kmsg_write(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    char line[LINE_MAX];
    size_t part = MIN(n, sizeof(line) - 1);
    (void)f;
    (void)pos;
    if (copy_from_user(line, buf, part))
        return -EFAULT;
    while (part && line[part - 1] == '\n')
        part--;
    line[part] = '\0';
    pr_info("%s", line);
    return (int64_t)n;
}

/*
 * A record for a read, as `6,17,1234567,-;text`: level, number, microseconds. Who waits for the
 * next one looks again from time to time, as the log is written where nobody could be woken.
 */
static int64_t kmsg_read(struct file *f, vaddr_t buf, size_t n, uint64_t *pos)
{
    struct log_record rec;
    struct log_cursor at = {f->text_next};
    char line[LOG_LINE_MAX + 64];
    (void)pos;
    while (!log_read_record(&at, &rec)) {
        if (f->flags & O_NONBLOCK)
            return -EAGAIN;
        int64_t err = task_sleep(task_current(), now_ns() + KMSG_WAIT);
        if (err)
            return err;
    }
    size_t len = (size_t)snprintf(line, sizeof(line), "%u,%lu,%lu,-;%.*s\n", rec.level, rec.seq,
                                  rec.time / NSEC_PER_USEC, rec.len, rec.text);
    if (n < len)
        return -EINVAL;
    if (copy_to_user(buf, line, len))
        return -EFAULT;
    f->text_next = at.next;
    return (int64_t)len;
}

static int64_t kmsg_seek(struct file *f, int64_t offset, uint32_t whence)
{
    struct log_record rec;
    struct log_cursor at = {0};
    if (offset || whence > SEEK_DATA)
        return -EINVAL;
    while (whence == SEEK_END && log_read_record(&at, &rec))
        continue;
    f->text_next = at.next;
    return 0;
}

static const struct device {
    uint32_t rdev;
    struct file_ops ops;
} devices[] = {
    {DEV_NULL,
     {.read = nothing, .write = swallow, .splice_write = splice_swallow, .seek = seek_nowhere}},
    {DEV_ZERO,
     {.read = zero_read,
      .write = swallow,
      .splice_read = zero_splice_read,
      .splice_write = splice_swallow,
      .seek = seek_nowhere}},
    {DEV_FULL, {.read = zero_read, .write = full_write, .seek = seek_nowhere}},
    {DEV_RANDOM, {.read = random_read, .write = swallow, .seek = seek_nowhere}},
    {DEV_URANDOM, {.read = random_read, .write = swallow, .seek = seek_nowhere}},
    {DEV_KMSG, {.read = kmsg_read, .write = kmsg_write, .seek = kmsg_seek}},
};

const struct file_ops *device_file_ops(uint32_t rdev)
{
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        if (devices[i].rdev == rdev)
            return &devices[i].ops;
    }
    return NULL;
}
