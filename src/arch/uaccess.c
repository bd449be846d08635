/* SPDX-License-Identifier: MIT */
/*
 * uaccess.c - is that address the guest's at all? Then uaccess_copy.S may try it.
 *
 *      0 ........ USER_TOP          the range must lie in here as a whole, no overflow
 *
 * Locks: none. Linux's counterpart: access_ok() and its callers.
 */
#include "arch/uaccess.h"

#include "arch/hart.h"
#include "arch/layout.h"
#include "base/errno.h"

/* uaccess_copy.S */
size_t uaccess_copy(void *dst, const void *src, size_t n);
size_t uaccess_clear(void *dst, size_t n);
int64_t uaccess_string(char *dst, const char *src, size_t limit);
int uaccess_load32(uint32_t *value, uint64_t src);
int uaccess_load64(uint64_t *value, uint64_t src);
int uaccess_store32(uint32_t value, uint64_t dst);
int uaccess_store64(uint64_t value, uint64_t dst);
int uaccess_cmpxchg32(uint64_t dst, uint32_t *expected, uint32_t value);

size_t copy_from_user(void *dst, vaddr_t src, size_t n)
{
    if (!user_range_ok(src, n))
        return n;
    return uaccess_copy(dst, (const void *)src.v, n);
}

size_t copy_to_user(vaddr_t dst, const void *src, size_t n)
{
    if (!user_range_ok(dst, n))
        return n;
    return uaccess_copy((void *)dst.v, src, n);
}

size_t clear_user(vaddr_t dst, size_t n)
{
    if (!user_range_ok(dst, n))
        return n;
    return uaccess_clear((void *)dst.v, n);
}

int64_t strncpy_from_user(char *dst, vaddr_t src, size_t size)
{
    if (src.v >= USER_TOP)
        return -EFAULT;
    uint64_t limit = MIN(size, USER_TOP - src.v);
    int64_t len = uaccess_string(dst, (const char *)src.v, limit);
    if (len < 0)
        return -EFAULT;
    if ((uint64_t)len == limit)
        return limit == size ? -ENAMETOOLONG : -EFAULT;
    return len;
}

static bool word_ok(vaddr_t va, uint64_t size)
{
    return user_range_ok(va, size) && IS_ALIGNED(va.v, size);
}

int get_user_u32(uint32_t *value, vaddr_t src)
{
    return word_ok(src, sizeof(*value)) && uaccess_load32(value, src.v) == 0 ? 0 : -EFAULT;
}

int get_user_u64(uint64_t *value, vaddr_t src)
{
    return word_ok(src, sizeof(*value)) && uaccess_load64(value, src.v) == 0 ? 0 : -EFAULT;
}

int put_user_u32(uint32_t value, vaddr_t dst)
{
    return word_ok(dst, sizeof(value)) && uaccess_store32(value, dst.v) == 0 ? 0 : -EFAULT;
}

int put_user_u64(uint64_t value, vaddr_t dst)
{
    return word_ok(dst, sizeof(value)) && uaccess_store64(value, dst.v) == 0 ? 0 : -EFAULT;
}

int cmpxchg_user_u32(vaddr_t dst, uint32_t *expected, uint32_t value)
{
    if (!word_ok(dst, sizeof(value)))
        return -EFAULT;
    int result = uaccess_cmpxchg32(dst.v, expected, value);
    return result < 0 ? -EFAULT : result;
}

void uaccess_nofault_begin(void)
{
    this_arch_hart()->nofault = 1;
}

void uaccess_nofault_end(void)
{
    this_arch_hart()->nofault = 0;
}
