/* SPDX-License-Identifier: MIT */
/*
 * guest_check.c - do guests, tasks and address spaces agree? And a guest's command line.
 *
 * Locks: each guest's lock for a moment. Linux's counterpart: none in one place.
 */
#include "base/string.h"
#include "phys/page.h"
#include "task/guest.h"
#include "task/task.h"

static unsigned check_guest(struct guest *g, struct sink *out)
{
    struct task *t;
    uint32_t n = 0;
    unsigned faults = 0;
    spin_lock(&g->lock);
    list_for_each_entry(t, &g->tasks, guest_node) {
        n++;
        if (t->guest != g || t->thread->owner != t) {
            print(out, "pid %u: task %u is not its own\n", g->pid, t->tid);
            faults++;
        }
    }
    if (n != g->nr_tasks || (g->state == GUEST_ZOMBIE && n)) {
        print(out, "pid %u: %u tasks, %u counted\n", g->pid, n, g->nr_tasks);
        faults++;
    }
    spin_unlock(&g->lock);
    return faults;
}

unsigned task_check(struct sink *out)
{
    struct guest *g;
    unsigned faults = 0;
    for (uint32_t pid = 1; (g = guest_next(pid)); guest_put(g)) {
        pid = g->pid + 1;
        faults += check_guest(g, out);
        struct mm_struct *mm = guest_mm(g);
        if (mm) {
            faults += mm_check(mm, out);
            mmput(mm);
        }
        cond_resched();
    }
    return faults;
}

/* Copy from another address space what is there, page by page. Bytes copied. */
static size_t read_remote(struct mm_struct *mm, uint64_t addr, char *buf, size_t n)
{
    size_t done = 0;
    down_read(&mm->mmap_lock);
    while (done < n) {
        uint64_t at = addr + done, offset = at & (PAGE_SIZE - 1);
        size_t part = MIN(n - done, PAGE_SIZE - offset);
        spin_lock(&mm->page_table_lock);
        const pte_t *pte = mm_find_pte(mm, at);
        pte_t e = pte ? pte_load(pte) : mk_pte(0);
        bool there = pte_maps_page(e);
        if (there)
            memcpy(buf + done, (char *)page_address(pfn_to_page(pte_pfn(e))) + offset, part);
        spin_unlock(&mm->page_table_lock);
        if (!there)
            break;
        done += part;
    }
    up_read(&mm->mmap_lock);
    return done;
}

void guest_print_cmdline(struct guest *g, struct sink *out, char separator)
{
    char chunk[128];
    struct mm_struct *mm = guest_mm(g);
    if (!mm)
        return;
    uint64_t at = mm->arg_start, end = mm->arg_end;
    while (at < end) {
        size_t n = read_remote(mm, at, chunk, MIN(end - at, sizeof(chunk)));
        if (!n)
            break;
        for (size_t i = 0; i < n; i++) {
            if (chunk[i] == '\0' && (separator == '\0' || at + i + 1 < end))
                chunk[i] = separator;
        }
        size_t shown = n && chunk[n - 1] == '\0' && separator ? n - 1 : n;
        out->write(out, chunk, shown);
        at += n;
    }
    mmput(mm);
}
