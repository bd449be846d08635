/* SPDX-License-Identifier: MIT */
/*
 * vdso.c - two pages that each guest has at the top: code that tells the time, and what it reads.
 *
 *      VVAR_ADDR   [vvar]  struct clock_params         read
 *      VDSO_ADDR   [vdso]  an ELF object, vdso/        read, execute; handlers return to it
 *
 * One frame each for all guests, mapped as a file's page would be.
 *
 * Locks: none; the code is constant, kern/timer.c writes the clock's parameters.
 * Linux's counterpart: arch/riscv/kernel/vdso.c.
 */
#include "task/vdso.h"

#include "base/errno.h"
#include "base/string.h"
#include "fault/mmap.h"
#include "kern/timer.h"
#include "phys/alloc.h"
#include "virt/mapping.h"

extern const char vdso_image[], vdso_image_end[];

static struct special {
    struct address_space mapping;
    struct page *page;
    const char *name;
} vvar = {.name = "[vvar]"}, vdso = {.name = "[vdso]"};

static const struct special *special_of(const struct address_space *m)
{
    return container_of(m, const struct special, mapping);
}

static struct page *get_special_page(struct address_space *m, uint64_t index, int *err)
{
    const struct special *s = special_of(m);
    (void)index;
    *err = 0;
    get_page(s->page);
    return s->page;
}

static void print_name(const struct address_space *m, struct sink *out)
{
    print(out, "%s", special_of(m)->name);
}

static const struct address_space_ops special_ops = {
    .get_page = get_special_page,
    .print_name = print_name,
};

static void make_page(struct special *s)
{
    s->page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
    if (!s->page)
        panic("no memory for the vdso");
    page_set_type(s->page, PAGE_FILE);
    s->page->mapping = &s->mapping;
    s->page->index = 0;
    address_space_init(&s->mapping, &special_ops, NULL, PAGE_SIZE);
}

void vdso_init(void)
{
    make_page(&vvar);
    make_page(&vdso);
    memcpy(page_address(vdso.page), vdso_image, (size_t)(vdso_image_end - vdso_image));
    time_publish(page_address(vvar.page));
}

static int map_at(struct mm_struct *mm, struct special *s, uint64_t at, uint64_t prot)
{
    struct mmap_request req = {
        .addr = at,
        .len = PAGE_SIZE,
        .prot = prot,
        .flags = MAP_PRIVATE | MAP_FIXED,
        .mapping = &s->mapping,
    };
    int64_t addr = do_mmap(mm, &req);
    return addr < 0 ? (int)addr : 0;
}

int vdso_map(struct mm_struct *mm)
{
    int err = map_at(mm, &vvar, VVAR_ADDR, PROT_READ);
    return err ? err : map_at(mm, &vdso, VDSO_ADDR, PROT_READ | PROT_EXEC);
}
