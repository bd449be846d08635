/* SPDX-License-Identifier: MIT */
/*
 * sys_syslog.c - the monitor's log for a guest's dmesg.
 *
 * Locks: none. Linux's counterpart: do_syslog() in kernel/printk.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "kern/log.h"
#include "kern/timer.h"
#include "task/guest.h"
#include "task/syscalls.h"

enum {
    SYSLOG_CLOSE,
    SYSLOG_OPEN,
    SYSLOG_READ,
    SYSLOG_READ_ALL,
    SYSLOG_READ_CLEAR,
    SYSLOG_CLEAR,
    SYSLOG_CONSOLE_OFF,
    SYSLOG_CONSOLE_ON,
    SYSLOG_CONSOLE_LEVEL,
    SYSLOG_SIZE_UNREAD,
    SYSLOG_SIZE_BUFFER
};

#define LINE_SIZE (LOG_LINE_MAX + 64)

/* `<6>[    1.234567] text`; its length. */
static size_t line_of(const struct log_record *rec, char *line)
{
    uint64_t us = rec->time / NSEC_PER_USEC;
    return (size_t)snprintf(line, LINE_SIZE, "<%u>[%5lu.%06lu] %.*s\n", rec->level, us / 1000000,
                            us % 1000000, rec->len, rec->text);
}

/* The last whole lines that fit into n bytes. */
static int64_t read_all(vaddr_t buf, uint64_t n)
{
    struct log_record rec;
    struct log_cursor at = {0};
    char line[LINE_SIZE];
    uint64_t total = 0, done = 0;
    while (log_read_record(&at, &rec))
        total += line_of(&rec, line);
    at.next = 0;
    while (log_read_record(&at, &rec)) {
        size_t len = line_of(&rec, line);
        if (total > n) { /* too old; what is logged meanwhile may not fit either */
            total -= len;
            continue;
        }
        if (done + len > n)
            break;
        if (copy_to_user(mk_vaddr(buf.v + done), line, len))
            return -EFAULT;
        done += len;
    }
    return (int64_t)done;
}

int64_t sys_syslog(struct task *t, const uint64_t *a)
{
    int32_t size = (int32_t)a[2];
    if (!cred_capable(&t->guest->cred, CAP_SYS_ADMIN))
        return -EPERM;
    switch (a[0]) {
    case SYSLOG_READ_ALL:
    case SYSLOG_READ_CLEAR:
        return !a[1] || size < 0 ? -EINVAL : read_all(mk_vaddr(a[1]), (uint64_t)size);
    case SYSLOG_SIZE_BUFFER:
        return LOG_SIZE;
    case SYSLOG_CONSOLE_LEVEL:
        if (size < 1 || size > 8)
            return -EINVAL;
        log_set_level(size);
        return 0;
    case SYSLOG_READ: /* is for one reader that waits; there is /dev/kmsg for it */
        return -EINVAL;
    default:
        return a[0] <= SYSLOG_SIZE_BUFFER ? 0 : -EINVAL;
    }
}
