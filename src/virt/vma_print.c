/* SPDX-License-Identifier: MIT */
/*
 * vma_print.c - a VMA as a line of text.
 *
 * Locks: mmap_lock for reading. Linux's counterpart: show_map_vma() in fs/proc/task_mmu.c;
 * proc_pid_maps(5).
 */
#include "virt/vma_print.h"

#include "virt/mapping.h"
#include "virt/mm.h"

void vma_flags_text(const struct vm_area_struct *vma, char *buf)
{
    buf[0] = vma->vm_flags & VM_READ ? 'r' : '-';
    buf[1] = vma->vm_flags & VM_WRITE ? 'w' : '-';
    buf[2] = vma->vm_flags & VM_EXEC ? 'x' : '-';
    buf[3] = vma->vm_flags & VM_SHARED ? 's' : 'p';
    buf[4] = '\0';
}

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

void vma_print_around(struct sink *out, struct mm_struct *mm, uint64_t addr, unsigned n)
{
    struct vm_area_struct *vma = find_vma(mm, addr);
    if (!vma && !list_empty(&mm->mmap))
        vma = list_last_entry(&mm->mmap, struct vm_area_struct, list);
    for (unsigned i = 0; vma && vma_prev(vma) && i < n / 2; i++)
        vma = vma_prev(vma);
    for (unsigned i = 0; vma && i < n; i++, vma = vma_next(vma))
        vma_print(out, vma);
}
