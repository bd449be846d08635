/* SPDX-License-Identifier: MIT */
/*
 * elf.c - reading a program file, and believing none of it.
 *
 *      [ ELF header ][ program headers ][ text ... ][ data ... ]
 *         |  checked     |  each PT_LOAD checked against the file and the address space
 *         v              v
 *      struct elf_image: segments by rising address, entry, where the headers will be
 *
 * Everything is checked before anything is mapped; a file that fails is refused with a sentence
 * that says why. elf_map.c maps what passed.
 *
 * Locks: none. Linux's counterpart: fs/binfmt_elf.c.
 */
#include "task/elf.h"

#include "arch/layout.h"
#include "base/errno.h"
#include "base/string.h"
#include "fault/mmap.h"

#define EI_CLASS 4
#define EI_DATA 5
#define EI_VERSION 6
#define ELFCLASS64 2
#define ELFDATA2LSB 1
#define EV_CURRENT 1
#define ET_EXEC 2
#define ET_DYN 3
#define EM_RISCV 243
#define PT_LOAD 1
#define PT_INTERP 3
#define PT_PHDR 6
#define PT_GNU_STACK 0x6474e551

#define MAX_PHDRS 64

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_phdr {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

_Static_assert(sizeof(struct elf_header) == 64 && sizeof(struct elf_phdr) == 56, "the ELF format");

static int refuse(struct elf_image *elf, const char *why)
{
    elf->reason = why;
    return -ENOEXEC;
}

static int check_header(struct elf_image *elf, const struct elf_header *h, uint64_t file_size)
{
    if (memcmp(h->ident, "\177ELF", 4))
        return refuse(elf, h->ident[0] == '#' && h->ident[1] == '!'
                               ? "it is a script; only ELF programs can be run"
                               : "it is no ELF file");
    if (h->ident[EI_CLASS] != ELFCLASS64 || h->ident[EI_DATA] != ELFDATA2LSB ||
        h->ident[EI_VERSION] != EV_CURRENT)
        return refuse(elf, "it is no 64-bit little-endian ELF file");
    if (h->machine != EM_RISCV)
        return refuse(elf, "it is for another machine; build it for riscv64");
    if (h->type != ET_EXEC && h->type != ET_DYN)
        return refuse(elf, "it is no executable (an object file or a core?)");
    if (h->phentsize != sizeof(struct elf_phdr) || h->phnum == 0)
        return refuse(elf, "it has no program headers that can be read");
    if (h->phnum > MAX_PHDRS)
        return refuse(elf, "it has too many program headers");
    if (h->phoff > file_size || h->phnum * sizeof(struct elf_phdr) > file_size - h->phoff)
        return refuse(elf, "it is truncated: its program headers lie past its end");
    return 0;
}

static int check_segment(struct elf_image *elf, const struct elf_phdr *ph, uint64_t file_size)
{
    if (ph->filesz > ph->memsz)
        return refuse(elf, "a segment is longer in the file than in memory");
    if (ph->offset > file_size || ph->filesz > file_size - ph->offset)
        return refuse(elf, "it is truncated: a segment lies past its end");
    if (ph->vaddr > USER_TOP || ph->memsz > USER_TOP - ph->vaddr)
        return refuse(elf, "a segment lies outside of user addresses");
    if (elf->type == ET_EXEC && ph->vaddr < MMAP_MIN_ADDR)
        return refuse(elf, "a segment lies below the lowest address that may be mapped");
    if ((ph->vaddr ^ ph->offset) & (PAGE_SIZE - 1))
        return refuse(elf, "a segment's address and file offset do not match within a page");
    if (elf->nr_segments == ELF_MAX_SEGMENTS)
        return refuse(elf, "it has too many segments");
    if (elf->nr_segments) {
        const struct elf_segment *before = &elf->segments[elf->nr_segments - 1];
        if (ph->vaddr < before->vaddr + before->memsz)
            return refuse(elf, "its segments overlap or are out of order");
    }
    return 0;
}

static int add_segment(struct elf_image *elf, const struct elf_phdr *ph, uint64_t file_size)
{
    if (!ph->memsz)
        return 0;
    int err = check_segment(elf, ph, file_size);
    if (err)
        return err;
    elf->segments[elf->nr_segments++] = (struct elf_segment){
        .vaddr = ph->vaddr,
        .offset = ph->offset,
        .filesz = ph->filesz,
        .memsz = ph->memsz,
        .prot = (ph->flags & 4 ? PROT_READ : 0) | (ph->flags & 2 ? PROT_WRITE : 0) |
                (ph->flags & 1 ? PROT_EXEC : 0),
    };
    return 0;
}

/* Where the program headers will be seen in memory: in the segment that holds their offset. */
static uint64_t phdr_address(const struct elf_image *elf, uint64_t phoff)
{
    for (unsigned i = 0; i < elf->nr_segments; i++) {
        const struct elf_segment *s = &elf->segments[i];
        if (phoff >= s->offset && phoff - s->offset < s->filesz)
            return s->vaddr + (phoff - s->offset);
    }
    return 0;
}

static int check_entry(struct elf_image *elf)
{
    if (!elf->nr_segments)
        return refuse(elf, "it has nothing to load");
    if (elf->entry & 1)
        return refuse(elf, "its entry point is at an odd address");
    for (unsigned i = 0; i < elf->nr_segments; i++) {
        const struct elf_segment *s = &elf->segments[i];
        if ((s->prot & PROT_EXEC) && elf->entry - s->vaddr < s->memsz)
            return 0;
    }
    return refuse(elf, "its entry point is not in an executable segment");
}

static int read_phdrs(struct elf_image *elf, struct inode *file, const struct elf_header *h)
{
    uint64_t size = inode_size(file);
    struct elf_phdr ph;
    for (unsigned i = 0; i < h->phnum; i++) {
        pagoda_ssize_t n = inode_read(file, &ph, sizeof(ph), h->phoff + i * sizeof(ph));
        if (n != (pagoda_ssize_t)sizeof(ph))
            return refuse(elf, "its program headers cannot be read");
        int err = 0;
        if (ph.type == PT_INTERP)
            err = refuse(elf, "it needs a dynamic loader; build it with -static");
        else if (ph.type == PT_LOAD)
            err = add_segment(elf, &ph, size);
        else if (ph.type == PT_GNU_STACK)
            elf->exec_stack = ph.flags & 1;
        if (err)
            return err;
    }
    return 0;
}

int elf_read(struct elf_image *elf, struct inode *file)
{
    struct elf_header h;
    memset(elf, 0, sizeof(*elf));
    pagoda_ssize_t n = inode_read(file, &h, sizeof(h), 0);
    if (n == 0)
        return refuse(elf, "it is empty");
    if (n < 0)
        return (int)n;
    if (n != (pagoda_ssize_t)sizeof(h)) {
        memset((char *)&h + n, 0, sizeof(h) - (size_t)n);
        if (n >= 4 && !memcmp(h.ident, "\177ELF", 4))
            return refuse(elf, "it is truncated: not even its header is whole");
    }
    int err = check_header(elf, &h, inode_size(file));
    if (err)
        return err;
    elf->type = h.type;
    elf->entry = h.entry;
    elf->phnum = h.phnum;
    elf->position_independent = h.type == ET_DYN;
    err = read_phdrs(elf, file, &h);
    if (err)
        return err;
    elf->phdr = phdr_address(elf, h.phoff);
    return check_entry(elf);
}
