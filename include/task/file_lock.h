/* SPDX-License-Identifier: MIT */
/*
 * file_lock.h - locks that programs take on files, by agreement among them.
 *
 *      kind          owner                  ends with
 *      LOCK_POSIX    a table of open files  any close() of that file by that table
 *      LOCK_OFD      an open file           its last close
 *      LOCK_FLOCK    an open file           its last close; sees only its own kind
 *
 * Linux's counterpart: struct file_lock, struct file_lock_context.
 */
#ifndef PAGODA_TASK_FILE_LOCK_H
#define PAGODA_TASK_FILE_LOCK_H

#include "task/files.h"

#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2

enum file_lock_kind { LOCK_POSIX, LOCK_OFD, LOCK_FLOCK };

struct file_lock {
    struct list_head node;
    uint64_t start, end; /* bytes, both inside */
    const void *owner;
    int32_t pid; /* who took it; -1: an open file */
    uint8_t kind, type;
};

/**
 * Take, change or (F_UNLCK) give up what `want` says, for the inode of f. Sleeps if `wait`.
 * 0, -EAGAIN: somebody else has it, -EDEADLK, -ENOLCK, -ENOMEM, -EINTR.
 */
int file_lock_set(struct file *f, const struct file_lock *want, bool wait) must_check;

/** What keeps `want` out, copied over it; false when nothing does. */
bool file_lock_find(struct file *f, struct file_lock *want);

/** All locks of that kind and owner on the inode of f go. */
void file_lock_drop(struct file *f, enum file_lock_kind kind, const void *owner);

#endif
