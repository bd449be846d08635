/* SPDX-License-Identifier: MIT */
/*
 * pieces.h - VMAs of all kinds (virt/vma_kinds.h), and whether all that they refer to adds up.
 */
#ifndef LABS_PIECES_H
#define LABS_PIECES_H

#include <string.h>

#include "labs/wire/expect.h"

#include "virt/vma_kinds.h"

#include "base/errno.h"

#define PLAIN 0u /* in kinds[] */
#define FILE_KIND 9u

/* Every reference that is counted is some VMA's, and list, tree and gaps are whole. */
static void expect_counted(struct mm_struct *mm, const char *when)
{
    uint32_t file[3] = {0}, policy[2] = {0}, handler[2] = {0};
    const struct vm_area_struct *vma;
    for_each_vma(mm, vma) {
        for (unsigned i = 0; i < 3; i++)
            file[i] += vma->vm_mapping == &files[i];
        for (unsigned i = 0; i < 2; i++) {
            policy[i] += vma->vm_policy == &policies[i];
            handler[i] += vma->vm_userfault == &handlers[i];
        }
    }
    for (unsigned i = 0; i < 3; i++)
        expect_equal(users[i], file[i], "references to file %u are VMAs that map it, %s", i, when);
    for (unsigned i = 0; i < 2; i++) {
        expect_equal(policies[i].count, policy[i],
                     "references to policy %u are VMAs that have it"
                     ", %s",
                     i, when);
        expect_equal(handlers[i].refcount, handler[i],
                     "references to userfault %u are VMAs that "
                     "have it, %s",
                     i, when);
    }
    expect_equal(vma_check(mm, &stderr_sink), 0, "faults of list, tree and gaps, %s", when);
}

/* Take all down: then every object has been given back. */
static void expect_no_leak(struct mm_struct *mm)
{
    struct vm_area_struct *vma, *next;
    expect_counted(mm, "in the end");
    list_for_each_entry_safe(vma, next, &mm->mmap, list) {
        unlink_anon_vmas(vma);
        vma_remove(mm, vma);
        vma_free(vma);
    }
    expect_counted(mm, "when all VMAs are gone");
    free(mm);
    expect_equal(objects_out, 0, "objects that nobody gave back");
}

static inline void expect_range(const struct vm_area_struct *vma, unsigned first, unsigned end,
                                const char *what)
{
    expect_true(vma != NULL, "%s is there", what);
    expect_equal((vma->vm_start - BASE) / PAGE_SIZE, first, "first page of %s", what);
    expect_equal((vma->vm_end - BASE) / PAGE_SIZE, end, "page behind the last of %s", what);
}

static inline int pieces_set_up(void **state)
{
    (void)state;
    kinds_init();
    return 0;
}

#endif
