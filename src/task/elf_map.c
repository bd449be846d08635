/* SPDX-License-Identifier: MIT */
/*
 * elf_map.c - the segments of a checked program, into an address space.
 *
 *      file     [ .text ......... ][ .data .. ]
 *      memory   [ .text ......... ]   [ .data ..|00][ 000 bss 000 ]
 *                private, of the file   ^ private    ^ anonymous
 *                                        the rest of its last page is zeroed by hand
 *
 * Nothing is read here: pages come when they are touched (fault/file.c).
 *
 * Locks: takes mmap_lock by way of do_mmap. Context: the task whose address space it is, because
 * zeroing writes to user memory. Linux's counterpart: elf_map(), set_brk(), padzero().
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "fault/mmap.h"
#include "task/elf.h"

static int fail(struct elf_image *elf, int64_t err, const char *why)
{
    elf->reason = why;
    return (int)err;
}

/* The part that comes from the file. */
static int64_t map_file_part(const struct elf_segment *s, uint64_t start, struct inode *file,
                             struct mm_struct *mm)
{
    uint64_t skew = start & (PAGE_SIZE - 1);
    struct mmap_request req = {
        .addr = start - skew,
        .len = s->filesz + skew,
        .prot = s->prot,
        .flags = MAP_PRIVATE | MAP_FIXED,
        .mapping = &file->mapping,
        .pgoff = (s->offset - skew) >> PAGE_SHIFT,
    };
    return do_mmap(mm, &req);
}

static int64_t map_zero_part(const struct elf_segment *s, uint64_t start, uint64_t end,
                             struct mm_struct *mm)
{
    struct mmap_request req = {
        .addr = start,
        .len = end - start,
        .prot = s->prot,
        .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
    };
    return do_mmap(mm, &req);
}

static int map_segment(struct elf_image *elf, const struct elf_segment *s, struct inode *file,
                       struct mm_struct *mm)
{
    uint64_t start = s->vaddr + elf->load_bias;
    uint64_t file_end = start + s->filesz, end = start + s->memsz;
    uint64_t zero_start = s->filesz ? ALIGN_UP(file_end, PAGE_SIZE) : ALIGN_DOWN(start, PAGE_SIZE);
    int64_t addr = 0;
    if (s->filesz)
        addr = map_file_part(s, start, file, mm);
    if (addr >= 0 && end > zero_start)
        addr = map_zero_part(s, zero_start, ALIGN_UP(end, PAGE_SIZE), mm);
    if (addr < 0)
        return fail(elf, addr, "its segments cannot be mapped");
    if (s->filesz && s->memsz > s->filesz && (s->prot & PROT_WRITE) &&
        clear_user(mk_vaddr(file_end), zero_start - file_end))
        return fail(elf, -EFAULT, "the end of its data cannot be cleared");
    return 0;
}

int elf_map(struct elf_image *elf, struct inode *file, struct mm_struct *mm, uint64_t bias)
{
    uint64_t lowest = ALIGN_DOWN(elf->segments[0].vaddr, PAGE_SIZE);
    elf->load_bias = elf->position_independent ? bias - lowest : 0;
    for (unsigned i = 0; i < elf->nr_segments; i++) {
        const struct elf_segment *s = &elf->segments[i];
        uint64_t start = s->vaddr + elf->load_bias, end = start + s->memsz;
        int err = map_segment(elf, s, file, mm);
        if (err)
            return err;
        if (s->prot & PROT_EXEC) {
            mm->start_code = mm->start_code ? mm->start_code : start;
            mm->end_code = start + s->filesz;
        } else {
            mm->start_data = start;
            mm->end_data = start + s->filesz;
        }
        elf->end = end;
    }
    elf->entry += elf->load_bias;
    if (elf->phdr)
        elf->phdr += elf->load_bias;
    return 0;
}
