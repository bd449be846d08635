/* SPDX-License-Identifier: MIT */
/*
 * uaccess.h - the only doors between the monitor's memory and a guest's.
 *
 *      copy_from_user(dst, src, n):
 *          src..src+n below USER_TOP?  --no--> nothing copied
 *          SUM on; word copy; SUM off
 *             `-- page fault -> ops.kernel_fault (demand-zero, copy-on-write, ...) -> again
 *                                  `-- no such page -> fixup from the exception table: stop here
 *
 * sstatus.SUM is set inside these functions alone, so that a wild pointer of the monitor into user
 * memory faults instead of working.
 *
 * Context: the current address space is the guest's; may block for a page: no spinlock held.
 * Linux's counterpart: <asm/uaccess.h>, arch/riscv/lib/uaccess.S.
 */
#ifndef PAGODA_ARCH_UACCESS_H
#define PAGODA_ARCH_UACCESS_H

#include "base/types.h"

/** Copy n bytes in. Returns how many were NOT copied (0: all well). */
must_check size_t copy_from_user(void *dst, vaddr_t src, size_t n);

/** Copy n bytes out. Returns how many were NOT copied. */
must_check size_t copy_to_user(vaddr_t dst, const void *src, size_t n);

/** Zero n bytes. Returns how many were NOT zeroed. */
must_check size_t clear_user(vaddr_t dst, size_t n);

/**
 * Copy a string of at most size-1 bytes and its NUL. Returns its length without the NUL, -EFAULT
 * for a bad address, -ENAMETOOLONG when there is no NUL within size bytes.
 */
must_check int64_t strncpy_from_user(char *dst, vaddr_t src, size_t size);

/** One naturally aligned word. 0, or -EFAULT (also when not aligned). Atomic as loads are. */
must_check int get_user_u32(uint32_t *value, vaddr_t src);
must_check int get_user_u64(uint64_t *value, vaddr_t src);
must_check int put_user_u32(uint32_t value, vaddr_t dst);
must_check int put_user_u64(uint64_t value, vaddr_t dst);

/**
 * If the aligned word at dst is *expected, make it value; else *expected is what is there.
 * Returns 1 if it was changed, 0 if not, -EFAULT. For robust futexes and WAKE_OP.
 */
must_check int cmpxchg_user_u32(vaddr_t dst, uint32_t *expected, uint32_t value);

/**
 * Faults of the calls in between are not handed to ops.kernel_fault but fail at once: for looking
 * at user memory with a spinlock held. Not nested.
 */
void uaccess_nofault_begin(void);
void uaccess_nofault_end(void);

#endif
