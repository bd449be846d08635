/* SPDX-License-Identifier: MIT */
/*
 * archive.c - the guest archive: a cpio ("newc") becomes files without a copy.
 *
 *      initrd   | header name | data  data  dat0 | header name | data | ... | TRAILER |
 *      pages    [ freed      ][file ][file][file][ freed      ][file ]       [ freed  ]
 *                                 \     |     /
 *      inode /bin/hello       pages   0   1   2        of the tmpfs at "/"
 *
 * Where a member's data begins on a page and nothing else shares its last page, the pages are taken
 * as they lie; our launcher writes archives that way. Data that lies otherwise is copied.
 *
 * Locks: namespace_lock, though at boot nobody else is there.
 * Linux's counterpart: init/initramfs.c; the format is in its buffer-format document.
 */
#include "file/archive.h"

#include "base/errno.h"
#include "base/string.h"
#include "fault/shmem.h"
#include "file/path.h"
#include "file/tmpfs.h"
#include "kern/log.h"
#include "phys/alloc.h"
#include "slab/kmalloc.h"

#define HEADER_SIZE 110
#define NAME_MAX_LEN 4096 /* with the padding that aligns the data */

static const struct cred root_cred;
static unsigned nr_members;

/* --- taking pages ----------------------------------------------------------------------------- */

/* A reserved page of the initrd becomes an allocated one. */
static struct page *adopt(paddr_t pa)
{
    struct page *page = paddr_to_page(pa);
    struct zone *zone = page_zone(page);
    spin_lock(&zone->lock);
    zone->managed_pages++;
    page->type = PAGE_KERNEL;
    page->order = 0;
    page->refcount = 1;
    page->flags = 0;
    spin_unlock(&zone->lock);
    return page;
}

static int fill_by_adopting(struct inode *inode, const char *data, uint64_t size)
{
    uint64_t tail = size & (PAGE_SIZE - 1);
    int err = 0;
    if (tail)
        memset((char *)(uintptr_t)data + size, 0, PAGE_SIZE - tail);
    for (uint64_t i = 0; !err && i < mapping_pages(&inode->mapping); i++)
        err = shmem_adopt_page(&inode->mapping, i, adopt(virt_to_phys(data + i * PAGE_SIZE)));
    return err;
}

static int fill_by_copying(struct inode *inode, const char *data, uint64_t size)
{
    int err = 0;
    for (uint64_t i = 0; !err && i < mapping_pages(&inode->mapping); i++) {
        struct page *page = alloc_page(GFP_HIGHUSER_MOVABLE | __GFP_ZERO);
        if (!page)
            return -ENOMEM;
        memcpy(page_address(page), data + i * PAGE_SIZE, MIN(PAGE_SIZE, size - i * PAGE_SIZE));
        err = shmem_adopt_page(&inode->mapping, i, page);
    }
    return err;
}

/* --- members ---------------------------------------------------------------------------------- */

struct member {
    uint32_t mode, mtime, nlink;
    uint64_t name_size, data_size;
    const char *name, *data;
    uint64_t next; /* offset of the member behind it */
};

/* Eight hexadecimal digits. */
static int take_hex(const char *s, uint32_t *out)
{
    uint32_t v = 0;
    for (int i = 0; i < 8; i++) {
        char c = (char)(s[i] | 0x20);
        if (s[i] >= '0' && s[i] <= '9')
            v = v << 4 | (uint32_t)(s[i] - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (uint32_t)(c - 'a' + 10);
        else
            return -EINVAL;
    }
    *out = v;
    return 0;
}

/* Read the header at @at; everything it says must lie inside the archive. */
static const char *read_member(const char *base, uint64_t size, uint64_t at, struct member *m)
{
    enum { MODE = 1, NLINK = 4, MTIME = 5, FILE_SIZE = 6, NAME_SIZE = 11, FIELDS = 13 };
    uint32_t field[FIELDS];
    const char *h = base + at;
    if (size - at < HEADER_SIZE)
        return "it is cut off";
    if (memcmp(h, "070701", 6) != 0 && memcmp(h, "070702", 6) != 0)
        return "a header has the wrong magic; make it with 'cpio -H newc'";
    for (int i = 0; i < FIELDS; i++)
        if (take_hex(h + 6 + 8 * i, &field[i]))
            return "a header has a field that is no number";
    m->mode = field[MODE];
    m->nlink = field[NLINK];
    m->mtime = field[MTIME];
    m->data_size = field[FILE_SIZE];
    m->name_size = field[NAME_SIZE];
    uint64_t data_at = ALIGN_UP(at + HEADER_SIZE + m->name_size, 4UL);
    if (!m->name_size || m->name_size > 2 * NAME_MAX_LEN || data_at > size ||
        m->data_size > size - data_at)
        return "a member is longer than the archive";
    m->name = h + HEADER_SIZE;
    m->data = base + data_at;
    m->next = ALIGN_UP(data_at + m->data_size, 4UL);
    if (strnlen(m->name, m->name_size) == m->name_size)
        return "a name has no end";
    return NULL;
}

/* May the pages of the data be taken as they lie? Then nothing else is in the last one. */
static bool adoptable(const char *base, uint64_t size, const struct member *m)
{
    uint64_t end = (uint64_t)(m->data - base) + m->data_size;
    if (!IS_ALIGNED((uint64_t)m->data, PAGE_SIZE) || ALIGN_UP(end, PAGE_SIZE) > size)
        return false;
    for (uint64_t at = end; at < ALIGN_UP(end, PAGE_SIZE); at++)
        if (base[at])
            return false;
    return true;
}

/* The directory that the name of a member lies in, made with those above it that are missing. */
static int make_parents(struct path_parent *at, const char *name)
{
    static const struct tmpfs_new dir = {.mode = S_IFDIR | 0755};
    struct inode *in = inode_get(root_fs->root), *next;
    int err = 0;
    for (const char *slash; (slash = strchr(name, '/')) != NULL && slash[1]; name = slash + 1) {
        size_t n = (size_t)(slash - name);
        next = n && !(n == 1 && *name == '.') ? in->ops->lookup(in, name, n, &err) : inode_get(in);
        if (!next)
            err = tmpfs_make(in, name, n, &dir, &next);
        inode_put(in);
        if (err)
            return err;
        in = next;
    }
    *at = (struct path_parent){.dir = in, .name = name, .len = strlen(name)};
    while (at->len && name[at->len - 1] == '/')
        at->len--;
    return 0;
}

static int fill(struct inode *inode, const char *base, uint64_t size, const struct member *m)
{
    inode->mtime = inode->atime = inode->ctime = (uint64_t)m->mtime * NSEC_PER_SEC;
    if (!inode_is(inode, S_IFREG))
        return 0;
    inode->mapping.size = m->data_size;
    return adoptable(base, size, m) ? fill_by_adopting(inode, m->data, m->data_size)
                                    : fill_by_copying(inode, m->data, m->data_size);
}

static int make_member(const struct path_parent *at, const struct member *m, struct inode **inode)
{
    struct tmpfs_new what = {.mode = m->mode, .cred = &root_cred};
    char *target = NULL;
    if ((m->mode & S_IFMT) == S_IFLNK) {
        target = kzalloc(m->data_size + 1, GFP_KERNEL);
        if (!target)
            return -ENOMEM;
        memcpy(target, m->data, m->data_size);
        what.target = target;
    }
    int err = tmpfs_make(at->dir, at->name, at->len, &what, inode);
    if (err == -EEXIST && (m->mode & S_IFMT) != S_IFDIR) { /* a later member of a name wins */
        err = tmpfs_unlink(at->dir, at->name, at->len, false);
        if (!err)
            err = tmpfs_make(at->dir, at->name, at->len, &what, inode);
    }
    kfree(target);
    return err;
}

static int add_member(const char *base, uint64_t size, const struct member *m)
{
    struct path_parent at;
    struct inode *inode = NULL;
    int err = make_parents(&at, m->name);
    if (err)
        return err;
    if (at.len && !(at.len == 1 && *at.name == '.'))
        err = make_member(&at, m, &inode);
    inode_put(at.dir);
    if (inode) {
        err = fill(inode, base, size, m);
        inode_put(inode);
    }
    nr_members++;
    return err == -EEXIST ? 0 : err;
}

static void read_all(const char *base, uint64_t size)
{
    struct member m;
    for (uint64_t at = 0; at < size; at = m.next) {
        while (at < size && !base[at]) /* members may be padded with NULs */
            at++;
        if (at == size)
            break;
        const char *why = read_member(base, size, at, &m);
        if (why) {
            pr_warn("archive: %s (at byte %lu); the files before it stay\n", why, at);
            return;
        }
        if (strcmp(m.name, "TRAILER!!!") == 0)
            return;
        if (add_member(base, size, &m)) {
            pr_warn("archive: no memory for %s; what follows is left out\n", m.name);
            return;
        }
    }
}

void archive_init(paddr_t base, uint64_t size)
{
    if (!size) {
        pr_warn("archive: the machine came without guests (-initrd)\n");
        return;
    }
    read_all(phys_to_virt(base), size);
    uint64_t freed = free_reserved_range(mk_paddr(ALIGN_DOWN(base.v, PAGE_SIZE)),
                                         mk_paddr(ALIGN_UP(base.v + size, PAGE_SIZE)));
    pr_info("archive: %u files and directories, %lu pages freed\n", nr_members, freed);
}
