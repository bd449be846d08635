/* SPDX-License-Identifier: MIT */
/*
 * path.c - walking paths, one component at a time.
 *
 *      walk(at, path):  while there is a component:
 *          search permission on `at`;  ".": stay;  "..": up;  else ops->lookup()
 *          mounted on? go to the root of that;  a link? walk(at, its text), 40 at most in all
 *
 * Locks: namespace_lock, by the callers. Linux's counterpart: link_path_walk().
 */
#include "file/path.h"

#include "base/errno.h"
#include "base/string.h"
#include "file/dir.h"
#include "slab/kmalloc.h"

#define LINKS_MAX 40
#define LINK_DEPTH 8 /* links within links: each is a level of our stack */

struct rwsem namespace_lock = RWSEM_INIT(namespace_lock);

struct walk {
    const struct path_base *base;
    unsigned links, depth;
    enum path_last last;
    struct path_parent *parent; /* stop before the last component of the outermost path */
    int err;
};

static struct inode *walk(struct walk *w, struct inode *at, const char *path);

static struct inode *fail(struct walk *w, struct inode *at, int err)
{
    w->err = err;
    inode_put(at);
    return NULL;
}

/* The root of what is mounted on it, or itself. Passes the reference on. */
static struct inode *into_mount(struct inode *inode)
{
    while (inode->mounted) {
        struct inode *root = inode_get(inode->mounted);
        inode_put(inode);
        inode = root;
    }
    return inode;
}

struct inode *path_up(const struct path_base *base, struct inode *dir)
{
    int err;
    while (dir != base->root && dir->covers)
        dir = dir->covers;
    if (dir == base->root)
        return inode_get(dir);
    if (dir->entry)
        return into_mount(inode_get(dir->entry->dir));
    struct inode *up = dir->text ? dir->ops->lookup(dir, "..", 2, &err) : NULL;
    return up ? into_mount(up) : inode_get(dir);
}

/* --- links ------------------------------------------------------------------------------------ */

/* The link's text is a path that begins where the link lies. */
static struct inode *follow_text(struct walk *w, struct inode *at, struct inode *link)
{
    char *text = kmalloc(PATH_LEN_MAX, GFP_KERNEL);
    if (!text)
        return fail(w, at, -ENOMEM);
    pagoda_ssize_t n = link->ops->readlink(link, text, PATH_LEN_MAX - 1);
    if (n < 0) {
        at = fail(w, at, (int)n);
    } else {
        text[n] = '\0';
        w->depth++;
        at = walk(w, at, text);
        w->depth--;
    }
    kfree(text);
    return at;
}

static int may_follow(uint32_t resolve, const struct inode *link)
{
    bool magic = link->ops->follow;
    if ((resolve & RESOLVE_NO_SYMLINKS) || (magic && (resolve & RESOLVE_NO_MAGICLINKS)))
        return -ELOOP;
    return magic && (resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) ? -EXDEV : 0;
}

/* From a link that lies in `at`; both references are used up. */
static struct inode *follow_link(struct walk *w, struct inode *at, struct inode *link)
{
    if (++w->links > LINKS_MAX || w->depth == LINK_DEPTH) {
        inode_put(link);
        return fail(w, at, -ELOOP);
    }
    int err = may_follow(w->base->resolve, link);
    if (err) {
        inode_put(link);
        return fail(w, at, err);
    }
    struct inode *target = link->ops->follow ? link->ops->follow(link, &err) : NULL;
    if (!target && !err) {
        at = follow_text(w, at, link);
    } else {
        inode_put(at);
        at = target;
        w->err = err;
    }
    inode_put(link);
    return at;
}

/* --- walking ---------------------------------------------------------------------------------- */

/* One component below `at`, whose reference is used up; a link is not followed yet. */
static struct inode *step(struct walk *w, struct inode *at, const char *name, size_t n)
{
    struct inode *next;
    if (n == 1 && name[0] == '.')
        return at;
    if (n == 2 && name[0] == '.' && name[1] == '.') {
        if (at == w->base->cwd && (w->base->resolve & RESOLVE_BENEATH))
            return fail(w, at, -EXDEV);
        next = path_up(w->base, at);
    } else {
        next = at->ops->lookup(at, name, n, &w->err);
        if (next)
            next = into_mount(next);
    }
    if (next && next->sb != at->sb && (w->base->resolve & RESOLVE_NO_XDEV)) {
        inode_put(next);
        return fail(w, at, -EXDEV);
    }
    if (next)
        inode_put(at);
    return next ? next : fail(w, at, w->err);
}

/* Go to the root, for a path that begins with "/". */
static struct inode *to_root(struct walk *w, struct inode *at)
{
    struct inode *root = w->base->root;
    if ((w->base->resolve & RESOLVE_BENEATH) ||
        ((w->base->resolve & RESOLVE_NO_XDEV) && root->sb != at->sb))
        return fail(w, at, -EXDEV);
    inode_put(at);
    return inode_get(root);
}

/* May we look for a name in it? */
static int may_search(const struct walk *w, const struct inode *dir, size_t n)
{
    if (!inode_is(dir, S_IFDIR))
        return -ENOTDIR;
    if (n > NAME_MAX)
        return -ENAMETOOLONG;
    return inode_permission(dir, w->base->cred, MAY_EXEC);
}

static size_t component(const char *path)
{
    const char *slash = strchr(path, '/');
    return slash ? (size_t)(slash - path) : strlen(path);
}

static const char *skip_slashes(const char *path)
{
    while (*path == '/')
        path++;
    return path;
}

static struct inode *walk(struct walk *w, struct inode *at, const char *path)
{
    if (*path == '/')
        at = to_root(w, at);
    for (path = skip_slashes(path); at && *path;) {
        size_t n = component(path);
        const char *rest = skip_slashes(path + n);
        bool last = !*rest && !w->depth;
        int err = may_search(w, at, n);
        if (err)
            return fail(w, at, err);
        if (last && w->parent) {
            *w->parent = (struct path_parent){at, path, n, path[n] == '/'};
            return at;
        }
        struct inode *dir = inode_get(at), *next = step(w, at, path, n);
        bool follow = !last || w->last == PATH_FOLLOW || path[n] == '/';
        if (next && inode_is(next, S_IFLNK) && follow)
            next = follow_link(w, dir, next);
        else
            inode_put(dir);
        if (next && path[n] == '/' && !inode_is(next, S_IFDIR))
            return fail(w, next, -ENOTDIR);
        at = next;
        path = rest;
    }
    return at;
}

struct inode *path_walk(const struct path_base *base, const char *path, enum path_last last,
                        int *err)
{
    struct walk w = {.base = base, .last = last};
    *err = -ENOENT;
    if (!*path)
        return NULL;
    struct inode *inode = walk(&w, inode_get(base->cwd), path);
    *err = inode ? 0 : w.err;
    return inode;
}

struct inode *path_lookup(const struct path_base *base, const char *path, enum path_last last,
                          int *err)
{
    down_read(&namespace_lock);
    struct inode *inode = path_walk(base, path, last, err);
    up_read(&namespace_lock);
    return inode;
}

int path_parent(const struct path_base *base, const char *path, struct path_parent *out)
{
    struct walk w = {.base = base, .parent = out};
    out->dir = NULL;
    if (!*path)
        return -ENOENT;
    struct inode *inode = walk(&w, inode_get(base->cwd), path);
    if (!inode)
        return w.err;
    if (out->dir)
        return 0;
    inode_put(inode); /* nothing but slashes */
    return -EBUSY;
}

/* --- back from a file to its path ------------------------------------------------------------- */

int inode_path(struct inode *inode, char *buf, size_t size)
{
    size_t at = size - 1;                           /* written from its end */
    if (inode->text && !inode_is(inode, S_IFLNK)) { /* a view, or what never had a name */
        return strlcpy(buf, inode->text, size) < size ? (int)strlen(buf) : -ENAMETOOLONG;
    }
    buf[at] = '\0';
    while (inode->entry || inode->covers) {
        if (!inode->entry) {
            inode = inode->covers;
            continue;
        }
        size_t n = inode->entry->len;
        if (at < n + 1)
            return -ENAMETOOLONG;
        at -= n + 1;
        buf[at] = '/';
        memcpy(buf + at + 1, inode->entry->name, n);
        inode = inode->entry->dir;
    }
    if (inode->sb->root != inode)
        return -ENOENT; /* it, or a directory above it, was removed */
    if (at == size - 1)
        buf[--at] = '/';
    memmove(buf, buf + at, size - at);
    return (int)(size - 1 - at);
}

void inode_print_path(struct inode *inode, struct sink *out)
{
    char *buf = kmalloc(PATH_LEN_MAX, GFP_KERNEL);
    if (!buf)
        return;
    down_read(&namespace_lock);
    int n = inode_path(inode, buf, PATH_LEN_MAX);
    up_read(&namespace_lock);
    print(out, "%s", n < 0 ? "(deleted)" : buf);
    kfree(buf);
}
