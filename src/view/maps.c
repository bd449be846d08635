/* SPDX-License-Identifier: MIT */
/*
 * maps.c - /proc/PID/maps: an address space, range by range.
 *
 *      00010000-00070000 r-xp 00000000 00:02 3          /bin/hello
 *      \__ the range __/ perm offset   dev   inode      what is mapped
 *
 * Locks: mmap_lock for reading; page-table entries are read as they stand.
 * Linux's counterpart: fs/proc/task_mmu.c; proc_pid_maps(5), proc_pid_smaps(5).
 */
#include "base/errno.h"
#include "base/string.h"
#include "view/guest_view.h"
#include "view/maps.h"
#include "view/view.h"
#include "virt/mapping.h"

/* A sink that counts columns, so that names line up as Linux aligns them. */
struct column_sink {
    struct sink sink;
    struct sink *next;
    unsigned column;
};

static void column_write(struct sink *sink, const char *bytes, size_t n)
{
    struct column_sink *c = container_of(sink, struct column_sink, sink);
    c->column += (unsigned)n;
    c->next->write(c->next, bytes, n);
}

void vma_print_name(struct sink *out, const struct vm_area_struct *vma)
{
    const struct mm_struct *mm = vma->vm_mm;
    if (vma->vm_mapping && vma->vm_mapping->ops->print_name)
        vma->vm_mapping->ops->print_name(vma->vm_mapping, out);
    else if (vma->vm_name)
        print(out, "%s", vma->vm_name);
    else if (vma->vm_start <= mm->brk && vma->vm_end >= mm->start_brk && mm->brk > mm->start_brk)
        print(out, "[heap]");
    else if (vma->vm_start <= mm->start_stack && vma->vm_end >= mm->start_stack)
        print(out, "[stack]");
}

bool vma_has_name(const struct vm_area_struct *vma)
{
    struct buffer_sink b;
    char text[8];
    buffer_sink_init(&b, text, sizeof(text));
    vma_print_name(&b.sink, vma);
    return b.len > 0;
}

void vma_print(struct sink *out, const struct vm_area_struct *vma)
{
    struct column_sink c = {.sink = {column_write}, .next = out};
    const struct address_space *m = vma->vm_mapping;
    char flags[5];
    vma_flags_text(vma, flags);
    print(&c.sink, "%08lx-%08lx %s %08lx %02x:%02x %lu ", vma->vm_start, vma->vm_end, flags,
          m ? vma->vm_pgoff << PAGE_SHIFT : 0, m ? m->dev >> 8 : 0, m ? m->dev & 0xff : 0,
          m ? m->ino : 0);
    if (vma_has_name(vma)) {
        while (c.column < 73)
            print(&c.sink, " ");
        vma_print_name(&c.sink, vma);
    }
    print(out, "\n");
}

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
