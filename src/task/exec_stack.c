/* SPDX-License-Identifier: MIT */
/*
 * exec_stack.c - what a program finds on its stack when it starts.
 *
 *      stack_top                         (high)
 *        path of the program             AT_EXECFN
 *        the words of argv, then of envp
 *        16 random bytes                 AT_RANDOM
 *        (alignment)
 *        auxv: pairs, ended by AT_NULL
 *        envp[0] .. NULL
 *        argv[0] .. NULL
 *        argc                        <-- sp, 16-aligned     (low)
 *
 * Locks: none; writes to user memory, so the new space is the current one.
 * Linux's counterpart: create_elf_tables(), setup_arg_pages().
 */
#include "arch/layout.h"
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "fault/mmap.h"
#include "phys/bootargs.h"
#include "task/exec.h"
#include "task/signal_set.h"
#include "task/vdso.h"

#define STACK_INITIAL (33 * PAGE_SIZE) /* as Linux: 132 KiB are mapped at once, more on demand */

#define HWCAP_RISCV 0x112dUL /* letters I M A F D C, bit n for the n-th letter */
#define CLOCK_TICKS 100

enum auxv_type {
    AT_NULL = 0,
    AT_PHDR = 3,
    AT_PHENT = 4,
    AT_PHNUM = 5,
    AT_PAGESZ = 6,
    AT_BASE = 7,
    AT_FLAGS = 8,
    AT_ENTRY = 9,
    AT_UID = 11,
    AT_EUID = 12,
    AT_GID = 13,
    AT_EGID = 14,
    AT_HWCAP = 16,
    AT_CLKTCK = 17,
    AT_SECURE = 23,
    AT_RANDOM = 25,
    AT_HWCAP2 = 26,
    AT_RSEQ_FEATURE_SIZE = 27,
    AT_RSEQ_ALIGN = 28,
    AT_EXECFN = 31,
    AT_SYSINFO_EHDR = 33,
    AT_MINSIGSTKSZ = 51,
};

#define PHDR_SIZE 56
#define AUXV_PAIRS 22

static int64_t map_stack(struct mm_struct *mm, uint64_t top, bool exec_stack)
{
    struct mmap_request req = {
        .addr = top - STACK_INITIAL,
        .len = STACK_INITIAL,
        .prot = PROT_READ | PROT_WRITE | (exec_stack ? PROT_EXEC : 0),
        .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN,
    };
    int64_t addr = do_mmap(mm, &req);
    if (addr < 0)
        return addr;
    mmap_write_lock(mm);
    vma_lookup(mm, (uint64_t)addr)->vm_name = "[stack]";
    mmap_write_unlock(mm);
    return (int64_t)top;
}

/* Writes the vector of words upwards; remembers a failure, so that one check at the end does. */
struct writer {
    uint64_t at;
    bool failed;
};

static void put(struct writer *w, uint64_t value)
{
    if (put_user_u64(value, mk_vaddr(w->at)))
        w->failed = true;
    w->at += sizeof(value);
}

static void put_aux(struct writer *w, enum auxv_type type, uint64_t value)
{
    put(w, type);
    put(w, value);
}

static void put_auxv(struct writer *w, const struct elf_image *elf, uint64_t random, uint64_t path)
{
    const struct guest_cred *c = &task_current()->guest->cred;
    if (bootarg_u64("vdso", 1)) /* as on Linux vdso=0 hides it; it is there for signals */
        put_aux(w, AT_SYSINFO_EHDR, VDSO_ADDR);
    put_aux(w, AT_HWCAP, HWCAP_RISCV);
    put_aux(w, AT_PAGESZ, PAGE_SIZE);
    put_aux(w, AT_CLKTCK, CLOCK_TICKS);
    put_aux(w, AT_PHDR, elf->phdr);
    put_aux(w, AT_PHENT, PHDR_SIZE);
    put_aux(w, AT_PHNUM, elf->phnum);
    put_aux(w, AT_BASE, 0);
    put_aux(w, AT_FLAGS, 0);
    put_aux(w, AT_ENTRY, elf->entry);
    put_aux(w, AT_UID, c->uid[ID_REAL]);
    put_aux(w, AT_EUID, c->uid[ID_EFFECTIVE]);
    put_aux(w, AT_GID, c->gid[ID_REAL]);
    put_aux(w, AT_EGID, c->gid[ID_EFFECTIVE]);
    put_aux(w, AT_SECURE, 0);
    put_aux(w, AT_RANDOM, random);
    put_aux(w, AT_HWCAP2, 0);
    put_aux(w, AT_RSEQ_FEATURE_SIZE, RSEQ_FEATURE_SIZE);
    put_aux(w, AT_RSEQ_ALIGN, RSEQ_ALIGN);
    put_aux(w, AT_EXECFN, path);
    put_aux(w, AT_MINSIGSTKSZ, SIGNAL_FRAME_SIZE);
    put_aux(w, AT_NULL, 0);
}

/* Pointers to n words that lie one after the other in user memory from *at. */
static void put_pointers(struct writer *w, uint32_t n, const struct exec_words *words, size_t *off,
                         uint64_t base)
{
    for (; n; n--) {
        put(w, base + *off);
        *off += strlen(words->bytes + *off) + 1;
    }
    put(w, 0);
}

int64_t exec_make_stack(struct task *t, struct mm_struct *mm, const struct exec_request *req,
                        const struct elf_image *elf)
{
    const struct exec_words *words = &req->words;
    size_t path_len = strlen(req->path) + 1, off = 0;
    int64_t top = map_stack(mm, layout_stack_top(t->guest), elf->exec_stack);
    if (top < 0)
        return top;
    uint64_t path = (uint64_t)top - 8 - path_len, strings = path - words->len;
    uint64_t random = ALIGN_DOWN(strings - sizeof(t->guest->at_random), 16);
    uint64_t vector = 1 + (words->argc + 1) + (words->envc + 1) + 2 * AUXV_PAIRS;
    struct writer w = {.at = ALIGN_DOWN(random - vector * sizeof(uint64_t), 16)};
    uint64_t sp = w.at;

    if (copy_to_user(mk_vaddr(path), req->path, path_len) ||
        (words->len && copy_to_user(mk_vaddr(strings), words->bytes, words->len)) ||
        copy_to_user(mk_vaddr(random), t->guest->at_random, sizeof(t->guest->at_random)))
        return -EFAULT;
    put(&w, words->argc);
    put_pointers(&w, words->argc, words, &off, strings);
    mm->arg_start = strings;
    mm->arg_end = mm->env_start = strings + off;
    put_pointers(&w, words->envc, words, &off, strings);
    mm->env_end = strings + off;
    mm->auxv_start = w.at;
    put_auxv(&w, elf, random, path);
    mm->auxv_end = w.at;
    mm->start_stack = sp;
    return w.failed ? -EFAULT : (int64_t)sp;
}
