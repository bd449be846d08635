/* SPDX-License-Identifier: MIT */
/*
 * oom_report.c - what the log says when a guest is killed for memory: Linux's words and order.
 *
 *      memhog invoked oom-killer: gfp_mask=0x...(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0
 *      Mem-Info: ...                     each node, each zone, its free blocks
 *      Tasks state: ...                  a guest a line
 *      oom-kill:constraint=...,task=memhog,pid=3,uid=0
 *      Out of memory: Killed process 3 (memhog) total-vm:...
 *
 * Locks: none held but the killer's mutex; numbers are read as they stand.
 * Linux's counterpart: dump_header(), __show_mem(), dump_tasks().
 */
#include "kern/log.h"
#include "kern/thread.h"
#include "phys/node.h"
#include "pressure/oom.h"
#include "virt/tlb_harts.h"

#define PAGES_TO_KB(n) ((uint64_t)(n) << (PAGE_SHIFT - 10))

static uint64_t kb_of(pg_data_t *pgdat, enum node_stat stat)
{
    return PAGES_TO_KB(node_state(pgdat, stat));
}

static void report_node(struct sink *out, pg_data_t *pgdat)
{
    print(out,
          "Node %d active_anon:%lukB inactive_anon:%lukB active_file:%lukB inactive_file:%lukB "
          "unevictable:%lukB mapped:%lukB kernel_stack:%lukB pagetables:%lukB\n",
          pgdat->node_id, kb_of(pgdat, NR_ACTIVE_ANON), kb_of(pgdat, NR_INACTIVE_ANON),
          kb_of(pgdat, NR_ACTIVE_FILE), kb_of(pgdat, NR_INACTIVE_FILE),
          kb_of(pgdat, NR_UNEVICTABLE), kb_of(pgdat, NR_FILE_MAPPED), kb_of(pgdat, NR_KERNEL_STACK),
          kb_of(pgdat, NR_PAGETABLE));
}

static void report_zone(struct sink *out, const struct zone *zone)
{
    print(out,
          "Node %u %s free:%lukB boost:%lukB min:%lukB low:%lukB high:%lukB "
          "reserved_highatomic:%luKB present:%lukB managed:%lukB\n",
          zone->nid, zone->name, PAGES_TO_KB(zone->nr_free_pages),
          PAGES_TO_KB(zone->watermark_boost), PAGES_TO_KB(zone->watermark[WMARK_MIN]),
          PAGES_TO_KB(zone->watermark[WMARK_LOW]), PAGES_TO_KB(zone->watermark[WMARK_HIGH]),
          PAGES_TO_KB(zone->nr_reserved_highatomic), PAGES_TO_KB(zone->present_pages),
          PAGES_TO_KB(zone->managed_pages));
    print(out, "lowmem_reserve[]:");
    for (unsigned i = 0; i < MAX_NR_ZONES; i++)
        print(out, " %lu", zone->lowmem_reserve[i]);
    print(out, "\nNode %u %s:", zone->nid, zone->name);
    for (unsigned order = 0; order < NR_ORDERS; order++)
        print(out, " %lu*%lukB", load_relaxed(&zone->free_area[order].nr_free),
              PAGES_TO_KB(1UL << order));
    print(out, " = %lukB\n", PAGES_TO_KB(zone->nr_free_pages));
}

static void report_memory(struct sink *out)
{
    struct zone *zone;
    unsigned nid;
    print(out,
          "Mem-Info:\n"
          "active_anon:%lu inactive_anon:%lu active_file:%lu inactive_file:%lu unevictable:%lu\n"
          " slab_reclaimable:%lu slab_unreclaimable:%lu mapped:%lu pagetables:%lu\n"
          " free:%lu free_pcp:%lu\n",
          global_node_state(NR_ACTIVE_ANON), global_node_state(NR_INACTIVE_ANON),
          global_node_state(NR_ACTIVE_FILE), global_node_state(NR_INACTIVE_FILE),
          global_node_state(NR_UNEVICTABLE), global_node_state(NR_SLAB_RECLAIMABLE),
          global_node_state(NR_SLAB_UNRECLAIMABLE), global_node_state(NR_FILE_MAPPED),
          global_node_state(NR_PAGETABLE), nr_free_pages(),
          nr_free_pages_with_pcp() - nr_free_pages());
    for_each_node(nid)
        report_node(out, NODE_DATA(nid));
    for_each_populated_zone(zone) report_zone(out, zone);
}

static void report_tasks(struct sink *out)
{
    struct mm_struct *mm = NULL;
    print(out, "Tasks state (memory values in pages):\n"
               "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file pgtables_bytes swapents "
               "oom_score_adj name\n");
    while ((mm = mm_next(mm)) != NULL) {
        if (!mm->owner.ops)
            continue;
        print(out, "[%7u] %5u %5u %8lu %8lu %8ld %8ld %14lu %8ld %13d %s\n", mm->owner.pid,
              mm->owner.uid, mm->owner.pid, mm->total_vm, mm_rss(mm), mm->rss[MM_ANONPAGES],
              mm->rss[MM_FILEPAGES], mm_pgtables_bytes(mm), mm->rss[MM_SWAPENTS],
              mm->owner.oom_score_adj, mm->owner.name);
    }
}

/* Of the guest that asks: its space is the one in use here. 0: the monitor asks for itself. */
static int oom_score_adj_of_current(void)
{
    struct mm_struct *mm = NULL;
    while ((mm = mm_next(mm)) != NULL) {
        if (!tlb_running(&mm->tlb, 1UL << hart_index()))
            continue;
        int adj = mm->owner.oom_score_adj;
        mmput(mm);
        return adj;
    }
    return 0;
}

void oom_report_begin(const struct oom_control *oc)
{
    const struct relief_request *request = oc->request;
    struct log_sink out;
    log_sink_init(&out, LOG_WARN);
    print(&out.sink, "%s invoked oom-killer: gfp_mask=0x%x(", thread_current()->name, request->gfp);
    gfp_print(&out.sink, request->gfp);
    print(&out.sink, "), order=%u, oom_score_adj=%d\n", request->order, oom_score_adj_of_current());
    report_memory(&out.sink);
    if (sysctl_oom_dump_tasks)
        report_tasks(&out.sink);
    log_sink_flush(&out);
}

static void print_nodes(struct sink *out, const nodemask_t *nodes)
{
    if (nodes)
        bitmap_print_list(out, &nodes->bits, MAX_NODES);
    else
        print(out, "(null)");
}

void oom_report_victim(const struct oom_control *oc)
{
    const struct mm_struct *mm = oc->chosen;
    struct log_sink out;
    log_sink_init(&out, LOG_ERR);
    print(&out.sink, "oom-kill:constraint=%s,nodemask=",
          oc->constraint == CONSTRAINT_NONE ? "CONSTRAINT_NONE" : "CONSTRAINT_MEMORY_POLICY");
    print_nodes(&out.sink, oc->request->nodes);
    print(&out.sink, ",task=%s,pid=%u,uid=%u\n", mm->owner.name, mm->owner.pid, mm->owner.uid);
    print(&out.sink,
          "%s: Killed process %u (%s) total-vm:%lukB, anon-rss:%lukB, file-rss:%lukB, "
          "shmem-rss:%lukB, UID:%u pgtables:%lukB oom_score_adj:%d\n",
          oc->constraint == CONSTRAINT_NONE ? "Out of memory" : "Memory policy out of memory",
          mm->owner.pid, mm->owner.name, PAGES_TO_KB(mm->total_vm),
          PAGES_TO_KB(mm->rss[MM_ANONPAGES]), PAGES_TO_KB(mm->rss[MM_FILEPAGES]),
          PAGES_TO_KB(mm->rss[MM_SHMEMPAGES]), mm->owner.uid, mm_pgtables_bytes(mm) >> 10,
          mm->owner.oom_score_adj);
    log_sink_flush(&out);
}
