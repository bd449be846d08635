/* SPDX-License-Identifier: MIT */
/*
 * meminfo.c - /proc/meminfo: where the machine's memory is, in kB.
 *
 *      MemTotal = MemFree + what guests, files, tables, stacks and slabs use + the monitor's
 *
 * Locks: none.
 */
#include "file/registry.h"
#include "phys/alloc.h"
#include "phys/memblock.h"
#include "phys/node.h"
#include "phys/vmstat.h"
#include "arch/layout.h"
#include "view/view.h"
#include "virt/commit.h"

#define PAGES_TO_KB(n) ((n) << (PAGE_SHIFT - 10))

static void row(struct sink *out, const char *name, uint64_t pages)
{
    print(out, "%-15s %8lu kB\n", name, PAGES_TO_KB(pages));
}

/* What can be had without pain: free pages above the low marks, and shrinkable slabs. */
static uint64_t available_pages(void)
{
    struct zone *zone;
    uint64_t pages = nr_free_pages_with_pcp() + global_node_state(NR_SLAB_RECLAIMABLE) / 2;
    for_each_populated_zone(zone) pages -= MIN(pages, zone->watermark[WMARK_LOW]);
    return pages;
}

static int show(struct sink *out, const struct view_args *args)
{
    uint64_t reclaimable = global_node_state(NR_SLAB_RECLAIMABLE);
    uint64_t unreclaimable = global_node_state(NR_SLAB_UNRECLAIMABLE);
    (void)args;
    row(out, "MemTotal:", nr_managed_pages());
    row(out, "MemFree:", nr_free_pages_with_pcp());
    row(out, "MemAvailable:", available_pages());
    row(out, "Buffers:", 0);
    row(out, "Cached:", global_node_state(NR_FILE_PAGES));
    row(out, "SwapCached:", 0);
    row(out, "Active:", global_node_state(NR_ACTIVE_ANON) + global_node_state(NR_ACTIVE_FILE));
    row(out,
        "Inactive:", global_node_state(NR_INACTIVE_ANON) + global_node_state(NR_INACTIVE_FILE));
    row(out, "Active(anon):", global_node_state(NR_ACTIVE_ANON));
    row(out, "Inactive(anon):", global_node_state(NR_INACTIVE_ANON));
    row(out, "Active(file):", global_node_state(NR_ACTIVE_FILE));
    row(out, "Inactive(file):", global_node_state(NR_INACTIVE_FILE));
    row(out, "Unevictable:", global_node_state(NR_UNEVICTABLE));
    row(out, "Mlocked:", global_zone_state(NR_MLOCK));
    row(out, "SwapTotal:", 0);
    row(out, "SwapFree:", 0);
    row(out, "Dirty:", 0);
    row(out, "Writeback:", 0);
    row(out, "AnonPages:", global_node_state(NR_ANON_MAPPED));
    row(out, "Mapped:", global_node_state(NR_FILE_MAPPED));
    row(out, "Shmem:", global_node_state(NR_SHMEM));
    row(out, "KReclaimable:", reclaimable);
    row(out, "Slab:", reclaimable + unreclaimable);
    row(out, "SReclaimable:", reclaimable);
    row(out, "SUnreclaim:", unreclaimable);
    row(out, "KernelStack:", global_node_state(NR_KERNEL_STACK));
    row(out, "PageTables:", global_node_state(NR_PAGETABLE));
    row(out, "CommitLimit:", vm_commit_limit());
    row(out, "Committed_AS:", vm_committed());
    print(out, "%-15s %8lu kB\n", "VmallocTotal:", VMALLOC_SIZE >> 10);
    row(out, "VmallocUsed:", global_node_state(NR_VMALLOC));
    row(out, "Reserved:", (memblock.memory.total >> PAGE_SHIFT) - nr_managed_pages());
    return 0;
}

static const struct view views[] = {{.path = "/proc/meminfo", .show = show}};

void view_meminfo_init(void)
{
    view_register(views, ARRAY_SIZE(views));
}
