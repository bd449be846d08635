/* SPDX-License-Identifier: MIT */
/*
 * vma_kinds.h - VMAs of all kinds, and what they refer to, which counts its users.
 *
 *      files[]       <-- vm_mapping        the last is a segment, as shmat() attaches: its VMAs
 *      policies[]    <-- vm_policy         are counted, and so never joined
 *      handlers[]    <-- vm_userfault
 */
#ifndef VMA_KINDS_H
#define VMA_KINDS_H

#include "virt/fake_mm.h"

#include "virt/mapping.h"
#include "virt/userfault.h"

#define BASE 0x100000UL
#define RW (VM_READ | VM_WRITE)

/* --- things that VMAs refer to, with a count of how often ------------------------------------- */

static void count_get(struct address_space *m)
{
    ++*(uint32_t *)m->host;
}

static void count_put(struct address_space *m)
{
    --*(uint32_t *)m->host;
}

static void keep(struct userfault *u)
{
    (void)u;
}

static const struct address_space_ops file_ops = {.get = count_get, .put = count_put};
static const struct address_space_ops segment_ops = {
    .get = count_get, .put = count_put, .counts_vmas = true};
static uint32_t users[3];
static struct address_space files[3];
static struct mempolicy policies[2] = {{.mode = MPOL_BIND}, {.mode = MPOL_INTERLEAVE}};
static struct userfault handlers[2] = {{.release = keep}, {.release = keep}};

/* --- kinds of VMAs ---------------------------------------------------------------------------- */

/* All that has to be equal. A number of 0 is none, else 1 + the index into the arrays above. */
static const struct kind {
    const char *what;
    uint64_t flags;
    uint8_t file, policy, handler;
    const char *name;
    uint64_t skew; /* of vm_pgoff against the address, in pages */
    bool alone;    /* is not even joined with its like */
} kinds[] = {
    {.what = "plain", .flags = RW},
    {.what = "read-only", .flags = VM_READ},
    {.what = "locked", .flags = RW | VM_LOCKED},
    {.what = "reserved", .flags = RW | VM_ACCOUNT},
    {.what = "moved", .flags = RW, .skew = 1},
    {.what = "bound", .flags = RW, .policy = 1},
    {.what = "interleaved", .flags = RW, .policy = 2},
    {.what = "handled", .flags = RW | VM_UFFD_MISSING, .handler = 1},
    {.what = "handled by another", .flags = RW | VM_UFFD_MISSING, .handler = 2},
    {.what = "file", .flags = RW, .file = 1},
    {.what = "file, elsewhere", .flags = RW, .file = 1, .skew = 3},
    {.what = "file, shared", .flags = RW | VM_SHARED, .file = 1},
    {.what = "another file", .flags = RW, .file = 2},
    {.what = "segment", .flags = RW | VM_SHARED, .file = 3, .alone = true},
    {.what = "stack", .flags = RW, .name = "[stack]", .alone = true},
    {.what = "vdso", .flags = RW, .name = "[vdso]", .alone = true},
};
#define KINDS ARRAY_SIZE(kinds)
#define PLAIN_KINDS 4u /* the first ones, which differ by flags alone */

static uint64_t addr_of(unsigned page)
{
    return BASE + page * PAGE_SIZE;
}

/* A VMA of this kind in the space, with the references that it holds. */
static inline struct vm_area_struct *add(struct mm_struct *mm, unsigned first, unsigned n,
                                         unsigned kind)
{
    const struct kind *k = &kinds[kind];
    struct vm_area_struct *vma = vma_alloc(mm, addr_of(first), addr_of(first + n), k->flags);
    vma->vm_pgoff = (vma->vm_start >> PAGE_SHIFT) + k->skew;
    vma->vm_name = k->name;
    if (k->file) {
        vma->vm_mapping = &files[k->file - 1];
        mapping_get(vma->vm_mapping);
    }
    if (k->policy) {
        vma->vm_policy = &policies[k->policy - 1];
        mpol_get(vma->vm_policy);
    }
    if (k->handler)
        vma->vm_userfault = userfault_get(&handlers[k->handler - 1]);
    vma_insert(mm, vma);
    return vma;
}

static inline bool joined(unsigned a, unsigned b)
{
    return a == b && !kinds[a].alone;
}

/* Every reference that is counted is some VMA's. */
static void check_counts(const struct mm_struct *mm)
{
    uint32_t of_file[3] = {0}, of_policy[2] = {0}, of_handler[2] = {0};
    const struct vm_area_struct *vma;
    for_each_vma(mm, vma) {
        for (unsigned i = 0; i < 3; i++)
            of_file[i] += vma->vm_mapping == &files[i];
        for (unsigned i = 0; i < 2; i++) {
            of_policy[i] += vma->vm_policy == &policies[i];
            of_handler[i] += vma->vm_userfault == &handlers[i];
        }
    }
    assert_memory_equal(users, of_file, sizeof(users));
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(policies[i].count, of_policy[i]);
        assert_int_equal(handlers[i].refcount, of_handler[i]);
    }
    assert_int_equal(vma_check((struct mm_struct *)mm, &stderr_sink), 0);
}

static inline void finish(struct mm_struct *mm, long before)
{
    struct vm_area_struct *vma, *next;
    check_counts(mm);
    list_for_each_entry_safe(vma, next, &mm->mmap, list)
        unlink_anon_vmas(vma);
    fake_mm_free(mm);
    assert_int_equal(objects_out, before);
}

/* Boot the floor, and set up what VMAs refer to. */
static void kinds_init(void)
{
    fake_node(1 << 20);
    vma_init();
    rmap_init();
    for (unsigned i = 0; i < ARRAY_SIZE(files); i++)
        address_space_init(&files[i], i == 2 ? &segment_ops : &file_ops, &users[i], MIB(1));
}

#endif
