/* SPDX-License-Identifier: MIT */
/*
 * archive.c - the guest archive: a cpio ("newc") becomes files without a copy.
 *
 *      initrd   | header name | data  data  dat0 | header name | data | ... | TRAILER |
 *      pages    [ freed      ][file ][file][file][ freed      ][file ]       [ freed  ]
 *                                 \     |     /
 *      inode /bin/hello       pages[0] [1]  [2]       PAGE_FILE, mapping = the inode's
 *
 * Where a member's data begins on a page and nothing else shares its last page, the pages are taken
 * as they lie; our launcher writes archives that way. Data that lies otherwise is copied.
 *
 * Locks: archive_lock (RANK_INODE) for the pages of all inodes, which migration may exchange. The
 * list of inodes is made at boot and only read afterwards.
 * Linux's counterpart: init/initramfs.c; the format is in its buffer-format document.
 */
#include "file/archive.h"

#include "base/errno.h"
#include "base/string.h"
#include "kern/lock.h"
#include "kern/log.h"
#include "phys/alloc.h"
#include "slab/kmalloc.h"
#include "virt/lru.h"

#define HEADER_SIZE 110
#define NAME_MAX_LEN 4096 /* with the padding that aligns the data */
#define MAX_INODES 512

struct archive_inode {
    struct inode inode;
    struct page **pages; /* (archive_lock) */
};

static struct spinlock archive_lock = SPINLOCK_INIT("archive", RANK_INODE);
static struct archive_inode *inodes[MAX_INODES];
static unsigned nr_inodes;

/* --- the pages of a file ---------------------------------------------------------------------- */

static struct page *get_page_of(struct address_space *m, uint64_t index, int *err)
{
    struct archive_inode *ai = container_of(m, struct archive_inode, inode.mapping);
    struct page *page = NULL;
    spin_lock(&archive_lock);
    if (index < mapping_pages(m)) {
        page = ai->pages[index];
        get_page(page);
    }
    spin_unlock(&archive_lock);
    if (!page)
        *err = -EIO;
    return page;
}

static int replace_page(struct address_space *m, struct page *old, struct page *new)
{
    struct archive_inode *ai = container_of(m, struct archive_inode, inode.mapping);
    int err = -EBUSY;
    spin_lock(&archive_lock);
    /* ours and the mover's: nobody else looks at it */
    if (old->index < mapping_pages(m) && ai->pages[old->index] == old && page_count(old) == 2) {
        get_page(new);
        ai->pages[old->index] = new;
        err = 0;
    }
    spin_unlock(&archive_lock);
    if (!err)
        put_page(old);
    return err;
}

static void print_name(const struct address_space *m, struct sink *out)
{
    print(out, "%s", container_of(m, struct archive_inode, inode.mapping)->inode.path);
}

static const struct address_space_ops archive_ops = {
    .get_page = get_page_of,
    .replace_page = replace_page,
    .print_name = print_name,
};

pagoda_ssize_t inode_read(struct inode *inode, void *buf, size_t n, uint64_t at)
{
    size_t done = 0;
    if (at >= inode_size(inode))
        return 0;
    n = MIN(n, inode_size(inode) - at);
    while (done < n) {
        int err = 0;
        size_t offset = (at + done) & (PAGE_SIZE - 1), step = MIN(n - done, PAGE_SIZE - offset);
        struct page *page = inode_get_page(inode, (at + done) >> PAGE_SHIFT, &err);
        if (!page)
            return err;
        memcpy((char *)buf + done, (char *)page_address(page) + offset, step);
        put_page(page);
        done += step;
    }
    return (pagoda_ssize_t)done;
}

/* --- taking pages ----------------------------------------------------------------------------- */

static void become_file_page(struct page *page, struct archive_inode *ai, uint64_t index)
{
    page_set_type(page, PAGE_FILE);
    page->mapping = &ai->inode.mapping;
    page->index = index;
    page->flags = 1u << PG_uptodate;
    mod_node_state(page_pgdat(page), NR_FILE_PAGES, 1);
    ai->pages[index] = page;
    lru_cache_add(page);
}

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
    spin_unlock(&zone->lock);
    return page;
}

static int fill_by_adopting(struct archive_inode *ai, const char *data, uint64_t size)
{
    uint64_t tail = size & (PAGE_SIZE - 1);
    if (tail)
        memset((char *)(uintptr_t)data + size, 0, PAGE_SIZE - tail);
    for (uint64_t i = 0; i < mapping_pages(&ai->inode.mapping); i++)
        become_file_page(adopt(virt_to_phys(data + i * PAGE_SIZE)), ai, i);
    return 0;
}

static int fill_by_copying(struct archive_inode *ai, const char *data, uint64_t size)
{
    for (uint64_t i = 0; i < mapping_pages(&ai->inode.mapping); i++) {
        struct page *page = alloc_page(GFP_HIGHUSER_MOVABLE | __GFP_ZERO);
        if (!page)
            return -ENOMEM;
        memcpy(page_address(page), data + i * PAGE_SIZE, MIN(PAGE_SIZE, size - i * PAGE_SIZE));
        become_file_page(page, ai, i);
    }
    return 0;
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

static char *absolute_path(const char *name)
{
    while (*name == '/' || (name[0] == '.' && (name[1] == '/' || !name[1])))
        name++;
    size_t size = strlen(name) + 2;
    char *path = kmalloc(size, GFP_KERNEL);
    if (path)
        snprintf(path, size, "/%s", name);
    return path;
}

static int add_member(const char *base, uint64_t size, const struct member *m)
{
    struct archive_inode *ai = kzalloc(sizeof(*ai), GFP_KERNEL);
    uint64_t data_size = (m->mode & S_IFMT) == S_IFREG ? m->data_size : 0;
    if (!ai)
        return -ENOMEM;
    ai->inode.ino = nr_inodes + 2;
    ai->inode.mode = m->mode;
    ai->inode.nlink = m->nlink;
    ai->inode.mtime = m->mtime;
    ai->inode.path = absolute_path(m->name);
    address_space_init(&ai->inode.mapping, &archive_ops, &ai->inode, data_size);
    ai->inode.mapping.ino = ai->inode.ino;
    uint64_t pages = mapping_pages(&ai->inode.mapping);
    ai->pages = pages ? kcalloc(pages, sizeof(*ai->pages), GFP_KERNEL) : NULL;
    int err = !ai->inode.path || (pages && !ai->pages) ? -ENOMEM : 0;
    if (!err)
        err = adoptable(base, size, m) ? fill_by_adopting(ai, m->data, data_size)
                                       : fill_by_copying(ai, m->data, data_size);
    if (err)
        return err; /* boot ends here anyway: see archive_init() */
    inodes[nr_inodes++] = ai;
    return 0;
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
        if (nr_inodes == MAX_INODES) {
            pr_warn("archive: more than %u files; the others are left out\n", MAX_INODES);
            return;
        }
        if (add_member(base, size, &m)) {
            pr_warn("archive: no memory for %s; it and those after it are left out\n", m.name);
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
    pr_info("archive: %u files and directories, %lu pages freed\n", nr_inodes, freed);
}

/* --- looking up ------------------------------------------------------------------------------- */

unsigned archive_count(void)
{
    return nr_inodes;
}

struct inode *archive_at(unsigned n)
{
    return n < nr_inodes ? &inodes[n]->inode : NULL;
}

struct inode *archive_lookup(const char *path)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    for (unsigned i = 0; i < nr_inodes; i++) {
        const char *have = inodes[i]->inode.path;
        if (strncmp(have, path, len) == 0 && !have[len])
            return &inodes[i]->inode;
    }
    return NULL;
}

int archive_list(const char *dir, void (*entry)(void *arg, const char *name, bool is_dir),
                 void *arg)
{
    size_t len = strlen(dir);
    while (len && dir[len - 1] == '/')
        len--;
    bool found = !len;
    for (unsigned i = 0; i < nr_inodes; i++) {
        const char *path = inodes[i]->inode.path;
        bool is_dir = (inodes[i]->inode.mode & S_IFMT) == S_IFDIR;
        if (strncmp(path, dir, len) != 0)
            continue;
        if (!path[len])
            found |= is_dir;
        else if (path[len] == '/' && path[len + 1] && !strchr(path + len + 1, '/'))
            entry(arg, path + len + 1, is_dir);
    }
    return found ? 0 : -ENOENT;
}
