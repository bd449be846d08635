/* SPDX-License-Identifier: MIT */
/*
 * maps.c - /proc/PID/maps: an address space, range by range (virt/vma_print.h).
 *
 * Locks: mmap_lock for reading.
 * Linux's counterpart: fs/proc/task_mmu.c; proc_pid_maps(5), proc_pid_smaps(5).
 */
#include "base/errno.h"
#include "view/guest_view.h"
#include "view/maps.h"
#include "view/view.h"
#include "virt/vma_print.h"

/* --- views with an entry for each VMA, of which a space may have thousands -------------------- */

#define PART 32

static uint64_t show_some(struct sink *out, struct mm_struct *mm, uint64_t from,
                          void (*show)(struct sink *, struct vm_area_struct *))
{
    uint64_t next = VIEW_END;
    unsigned n = 0;
    down_read(&mm->mmap_lock);
    struct vm_area_struct *vma = find_vma(mm, from);
    for (; vma && n < PART; vma = vma_next(vma), n++)
        show(out, vma);
    if (vma)
        next = vma->vm_start;
    up_read(&mm->mmap_lock);
    return next;
}

int show_vmas(struct sink *out, const struct view_args *args, uint64_t *from,
              void (*show)(struct sink *, struct vm_area_struct *))
{
    struct guest *g = guest_find((uint32_t)args->number[0]);
    if (!g)
        return -ESRCH;
    struct mm_struct *mm = guest_mm(g);
    *from = mm ? show_some(out, mm, *from, show) : VIEW_END;
    if (mm)
        mmput(mm);
    guest_put(g);
    return 0;
}

static void show_map(struct sink *out, struct vm_area_struct *vma)
{
    vma_print(out, vma);
}

static int show_maps(struct sink *out, const struct view_args *args, uint64_t *from)
{
    return show_vmas(out, args, from, show_map);
}

static const struct view views[] = {{.path = "/proc/%p/maps", .show_part = show_maps}};

void view_maps_init(void)
{
    view_register(views, ARRAY_SIZE(views));
}
