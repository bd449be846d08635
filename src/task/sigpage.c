/* SPDX-License-Identifier: MIT */
/*
 * sigpage.c - the page that signal handlers return to.
 *
 *      SIGPAGE_ADDR:   li a7, 139      (rt_sigreturn)
 *                      ecall
 *
 * One frame for all guests, mapped readable and executable by each, as a file's page would be.
 *
 * Locks: none; constant after boot. Linux's counterpart: __vdso_rt_sigreturn.
 */
#include "arch/layout.h"
#include "base/errno.h"
#include "fault/mmap.h"
#include "phys/alloc.h"
#include "task/exec.h"
#include "virt/mapping.h"

static struct page *code_page;
static struct address_space sigpage;

static struct page *get_code_page(struct address_space *m, uint64_t index, int *err)
{
    (void)m;
    (void)index;
    *err = 0;
    get_page(code_page);
    return code_page;
}

static void print_name(const struct address_space *m, struct sink *out)
{
    (void)m;
    print(out, "[vdso]");
}

static const struct address_space_ops sigpage_ops = {
    .get_page = get_code_page,
    .print_name = print_name,
};

void sigpage_init(void)
{
    static const uint32_t code[] = {
        0x08b00893, /* li a7, 139 */
        0x00000073, /* ecall */
    };
    code_page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
    if (!code_page)
        panic("no memory for the page of signal returns");
    uint32_t *to = page_address(code_page);
    for (size_t i = 0; i < ARRAY_SIZE(code); i++)
        to[i] = code[i];
    page_set_type(code_page, PAGE_FILE);
    code_page->mapping = &sigpage;
    code_page->index = 0;
    address_space_init(&sigpage, &sigpage_ops, NULL, PAGE_SIZE);
}

int sigpage_map(struct mm_struct *mm)
{
    struct mmap_request req = {
        .addr = SIGPAGE_ADDR,
        .len = PAGE_SIZE,
        .prot = PROT_READ | PROT_EXEC,
        .flags = MAP_PRIVATE | MAP_FIXED,
        .mapping = &sigpage,
    };
    int64_t addr = do_mmap(mm, &req);
    return addr < 0 ? (int)addr : 0;
}
