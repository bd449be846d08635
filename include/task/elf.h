/* SPDX-License-Identifier: MIT */
/*
 * elf.h - a program file, as what has to be mapped.
 */
#ifndef PAGODA_TASK_ELF_H
#define PAGODA_TASK_ELF_H

#include "file/inode.h"
#include "virt/mm.h"

#define ELF_MAX_SEGMENTS 16

/** A PT_LOAD: filesz bytes of the file at vaddr, then zeros up to memsz. */
struct elf_segment {
    uint64_t vaddr, offset, filesz, memsz;
    uint32_t prot; /* PROT_* */
};

struct elf_image {
    struct elf_segment segments[ELF_MAX_SEGMENTS]; /* by rising address, not overlapping */
    unsigned nr_segments;
    uint16_t type;
    uint16_t phnum;
    bool position_independent; /* may be put anywhere: static-pie */
    bool exec_stack;
    uint64_t entry;
    uint64_t phdr;      /* address of the program headers in memory, 0: not loaded */
    uint64_t load_bias; /* set by elf_map(): added to all addresses of the file */
    uint64_t end;       /* set by elf_map(): first byte behind the last segment */
    const char *reason; /* why it was refused, a sentence without its end */
};

/** Read and check a program. 0, or -ENOEXEC with reason, -EIO, -ENOMEM. May block. */
int elf_read(struct elf_image *elf, struct inode *file) must_check;

/**
 * Map the segments into the current address space, which is new; bias: where a position-independent
 * one goes. 0, or -ENOMEM, -EFAULT, ... with reason.
 */
int elf_map(struct elf_image *elf, struct inode *file, struct mm_struct *mm,
            uint64_t bias) must_check;

#endif
