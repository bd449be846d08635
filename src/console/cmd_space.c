/* SPDX-License-Identifier: MIT */
/*
 * cmd_space.c - address spaces: the page-table walk drawn, and the ranges.
 *
 *      pagoda> pt 1 0x10000
 *      va 0x10000 = [0][0][16] + 0x0
 *      root    pfn 0x8041f  [  0]  table pfn 0x80420
 *      level 1 pfn 0x80420  [  0]  table pfn 0x80421
 *      level 0 pfn 0x80421  [ 16]  leaf 4K pfn 0x83210 r-xu-a-
 *
 * Locks: mmap_lock for reading while a guest's tables are walked, so that they are not freed.
 */
#include "base/errno.h"
#include "base/parse.h"
#include "base/string.h"
#include "console/cmd.h"
#include "console/console.h"
#include "file/registry.h"
#include "task/guest.h"
#include "virt/kernel_map.h"

static void print_step(const struct pt_step *step, void *arg)
{
    if (step->level == PT_LEVELS - 1)
        print(arg, "root    ");
    else
        print(arg, "level %u ", step->level);
    print(arg, "pfn 0x%-8lx [%3u]  ", step->table.v >> PAGE_SHIFT, step->index);
    pte_describe(arg, step->pte, step->level);
    print(arg, "\n");
}

static void print_walk(struct sink *out, const struct pgtable *pt, uint64_t va)
{
    vaddr_t v = mk_vaddr(va);
    paddr_t pa;
    print(out, "va 0x%lx = [%u][%u][%u] + 0x%lx\n", va, pt_index(v, 2), pt_index(v, 1),
          pt_index(v, 0), va & (PAGE_SIZE - 1));
    pt_trace(pt, v, print_step, out);
    if (pt_translate(pt, v, &pa))
        print(out, "pa 0x%lx\n", pa.v);
    else
        print(out, "not mapped\n");
}

/* Sv39 sign-extends bit 38. */
static bool canonical(uint64_t va)
{
    int64_t top = (int64_t)va >> 38;
    return top == 0 || top == -1;
}

static int cmd_pt(struct console *con, int argc, char **argv)
{
    uint64_t pid, va;
    if (argc != 3 || parse_u64(argv[1], 10, &pid) || parse_u64(argv[2], 0, &va))
        return command_usage(con, argv[0]);
    if (!canonical(va))
        return command_fail(con, argv[0], "0x%lx is no Sv39 address; bits 63 to 38 must be equal",
                            va);
    if (pid == 0) {
        print_walk(con->out, &kernel_pgtable, va);
        return 0;
    }
    struct guest *g = guest_find((uint32_t)pid);
    struct mm_struct *mm = g ? guest_mm(g) : NULL;
    if (g)
        guest_put(g);
    if (!mm)
        return command_fail(con, argv[0],
                            "no guest has pid %lu; 'ps' lists them, pid 0 is the monitor", pid);
    down_read(&mm->mmap_lock);
    print_walk(con->out, &mm->pgt, va);
    up_read(&mm->mmap_lock);
    mmput(mm);
    return 0;
}

static int cmd_vma(struct console *con, int argc, char **argv)
{
    char path[VIEW_PATH];
    uint64_t pid;
    if (argc != 2 || parse_u64(argv[1], 10, &pid))
        return command_usage(con, argv[0]);
    snprintf(path, sizeof(path), "/proc/%lu/maps", pid);
    if (view_read(path, con->out))
        return command_fail(con, argv[0], "no guest has pid %lu; 'ps' lists them", pid);
    return 0;
}

static const struct command commands[] = {
    {"pt", "PID VA", "draw the page-table walk of an address, each entry decoded",
     "PID 0 is the monitor's own table.\n", cmd_pt},
    {"vma", "PID", "the ranges of a guest's address space (/proc/PID/maps)", NULL, cmd_vma},
};

void cmd_space_init(void)
{
    console_register("address spaces", commands, ARRAY_SIZE(commands));
}
