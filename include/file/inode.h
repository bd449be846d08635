/* SPDX-License-Identifier: MIT */
/*
 * inode.h - a file: what stat says of it, its bytes as pages, and what a directory can do.
 *
 *      directory entry --> struct inode [ mode, uid, gid, nlink, times ]
 *      open file      --^        |-- mapping --page tree--> struct page, PAGE_FILE
 *      mapping (VMA)  --^        `-- ops: look up, make, remove, list
 *
 * An inode lives while anything refers to it: an entry of a directory, an open file, a VMA, a
 * guest whose working directory or program it is. When the last goes, so do its pages.
 *
 * Locks: a mode, times and owners are words that are read anywhere. rwsem: the file's bytes and
 * size, for whoever changes them. Names and what hangs on them: namespace_lock (path.h).
 * Linux's counterpart: struct inode.
 */
#ifndef PAGODA_FILE_INODE_H
#define PAGODA_FILE_INODE_H

#include "base/rbtree.h"
#include "base/types.h"
#include "kern/rwsem.h"
#include "virt/mapping.h"

#define S_IFMT 0170000u
#define S_IFSOCK 0140000u
#define S_IFLNK 0120000u
#define S_IFREG 0100000u
#define S_IFBLK 0060000u
#define S_IFDIR 0040000u
#define S_IFCHR 0020000u
#define S_IFIFO 0010000u
#define S_ISUID 04000u
#define S_ISGID 02000u
#define S_ISVTX 01000u

#define NAME_MAX 255u

#define F_SEAL_SEAL 1u
#define F_SEAL_SHRINK 2u
#define F_SEAL_GROW 4u
#define F_SEAL_WRITE 8u
#define F_SEAL_FUTURE_WRITE 16u
#define F_SEAL_ALL 31u

struct inode;
struct dir_entry;
struct superblock;

/** Called for each entry of a directory; false ends the listing. */
typedef bool dir_emit(void *arg, const char *name, size_t n, uint64_t ino, uint32_t mode,
                      uint64_t next);

/** What kinds of file systems differ in. NULL: not possible there (-EROFS, or -ENOENT). */
struct inode_ops {
    /** The child of that name, referenced. NULL with *err. namespace_lock held for reading. */
    struct inode *(*lookup)(struct inode *dir, const char *name, size_t n, int *err);
    /** Entries from position `pos`; `next` given to emit is where to go on. */
    int (*list)(struct inode *dir, uint64_t pos, dir_emit *emit, void *arg);
    /** The text of a symbolic link: its length, or -Exxx. */
    pagoda_ssize_t (*readlink)(struct inode *link, char *buf, size_t n);
    /** A link straight to a file: referenced. NULL: *err, or when that is 0 by the text. */
    struct inode *(*follow)(struct inode *link, int *err);
    /** The last reference is gone. */
    void (*evict)(struct inode *inode);
};

struct inode {
    uint32_t refcount; /* (a) */
    uint32_t mode;     /* S_IF* and permissions */
    uint32_t uid, gid;
    uint32_t nlink; /* (namespace_lock) */
    uint32_t rdev;  /* of a device: major << 8 | minor */
    uint64_t ino;
    uint64_t atime, mtime, ctime; /* ns, as CLOCK_REALTIME */
    const struct inode_ops *ops;
    struct superblock *sb;
    struct rwsem rwsem; /* writing, and changing the size */

    /* (namespace_lock) */
    struct dir_entry *entry; /* its newest name; NULL: none, or a root */
    struct rb_root names;    /* of a directory: dir_entry.rb, by name */
    struct list_head order;  /* of a directory: dir_entry.list, by age */
    uint64_t next_position;  /* of a directory: for the next entry */
    struct inode *mounted;   /* of a directory: the root that is mounted on it */
    struct inode *covers;    /* of a root: the directory that it is mounted on */

    char *text;                   /* of a symbolic link; of a view its path; kmalloc */
    void *private;                /* of a FIFO or a view: theirs */
    struct list_head xattrs;      /* (rwsem) see xattr.h */
    uint32_t xattr_bytes;         /* (rwsem) what they take */
    struct file_locks *locks;     /* (a) that programs took, see task/file_lock.h; or NULL */
    uint32_t seals;               /* F_SEAL_*, of a memfd */
    struct address_space mapping; /* .size is the file's size */
};

#define ROOT_MOUNT_ID 1u
#define SOURCE_MAX 32

/** A file system that is mounted, or that files without a name are of. */
struct superblock {
    uint32_t refcount;       /* (a) inodes of it; with the last it goes */
    uint32_t users;          /* (a) open files of it */
    const char *type;        /* "tmpfs" */
    uint32_t magic;          /* for statfs */
    uint32_t dev;            /* major << 8 | minor */
    uint32_t mount_id;       /* (namespace_lock) once it is mounted */
    bool read_only;          /* (a) MS_RDONLY */
    char source[SOURCE_MAX]; /* (b) what was mounted, by name; "": its type */
    uint64_t next_ino;
    struct shmem_quota *quota;
    struct inode *root;
    struct list_head mounts; /* (namespace_lock) in the list of what is mounted */
    char *where;             /* its path when it was mounted, for /proc/mounts */
};

/** Caches. Boot only. */
void inode_init(void);

/** A new inode with one reference, no link and no bytes. NULL when out of memory. */
struct inode *inode_alloc(struct superblock *sb, const struct inode_ops *ops, uint32_t mode);

static inline struct inode *inode_get(struct inode *inode)
{
    fetch_add_relaxed(&inode->refcount, 1);
    return inode;
}

/** Drop a reference; with the last the inode and its pages go. May block. NULL is fine. */
void inode_put(struct inode *inode);

static inline bool inode_is(const struct inode *inode, uint32_t type)
{
    return (inode->mode & S_IFMT) == type;
}

static inline uint64_t inode_size(const struct inode *inode)
{
    return load_relaxed(&inode->mapping.size);
}

/** The time that files get: as CLOCK_REALTIME, ns. */
uint64_t inode_now(void);

/* --- whose wish it is ------------------------------------------------------------------------- */

struct cred {
    uint32_t uid, gid;
    uint32_t nr_groups;     /* more groups, */
    const uint32_t *groups; /* which live as long as who has them */
};

/** A file or directory of what was mounted read-only? Devices and pipes are written anyway. */
static inline bool inode_read_only(const struct inode *inode)
{
    return load_relaxed(&inode->sb->read_only) &&
           (inode_is(inode, S_IFREG) || inode_is(inode, S_IFDIR) || inode_is(inode, S_IFLNK));
}

/** Is it one of its groups? */
bool cred_in_group(const struct cred *cred, uint32_t gid);

#define MAY_EXEC 1u
#define MAY_WRITE 2u
#define MAY_READ 4u

/** 0, -EROFS, or -EACCES when the mode does not allow all of `wanted`. Root may all but run it. */
int inode_permission(const struct inode *inode, const struct cred *cred, uint32_t wanted);

/* --- bytes ------------------------------------------------------------------------------------ */

/** Copy at most n bytes from offset `at` to the monitor's memory. How many, or -EIO, -ENOMEM. */
pagoda_ssize_t inode_read(struct inode *inode, void *buf, size_t n, uint64_t at);

/** Write n bytes at `at`, growing the file. rwsem held for writing. How many, or -Exxx. */
pagoda_ssize_t inode_write(struct inode *inode, const void *buf, size_t n, uint64_t at);

/** Set the size of a regular file; pages behind it go. rwsem held for writing. */
int inode_truncate(struct inode *inode, uint64_t size) must_check;

/** Make a hole of zeros from..to within the file. rwsem held for writing. */
int inode_punch(struct inode *inode, uint64_t from, uint64_t to) must_check;

#endif
