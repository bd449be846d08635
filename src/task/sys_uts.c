/* SPDX-License-Identifier: MIT */
/*
 * sys_uts.c - the machine's name.
 *
 * Two of its words can be set by who may; the rest says whose ABI this is, because programs compare
 * the release with Linux's versions.
 *
 * Locks: names_lock. Linux's counterpart: uname and sethostname in kernel/sys.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "base/string.h"
#include "kern/mutex.h"
#include "task/guest.h"
#include "task/syscalls.h"
#include "task/uts.h"

static struct mutex names_lock = MUTEX_INIT(names_lock);
static struct utsname names = /* under names_lock */
    {{"Linux", "pagoda", "6.12.0-pagoda", "#1 SMP Pagoda", "riscv64", "(none)"}};

void uts_get(struct utsname *out)
{
    mutex_lock(&names_lock);
    *out = names;
    mutex_unlock(&names_lock);
}

void uts_set(enum uts_word which, const char *text, size_t n)
{
    char *word = names.words[which];
    ASSERT(n < UTS_LEN);
    mutex_lock(&names_lock);
    memset(word, 0, UTS_LEN);
    memcpy(word, text, n);
    mutex_unlock(&names_lock);
}

int64_t sys_uname(struct task *t, const uint64_t *a)
{
    struct utsname now;
    (void)t;
    uts_get(&now);
    return copy_to_user(mk_vaddr(a[0]), &now, sizeof(now)) ? -EFAULT : 0;
}

static int64_t set_word(struct task *t, enum uts_word which, const uint64_t *a)
{
    char text[UTS_LEN];
    int32_t n = (int32_t)a[1];
    if (!cred_capable(&t->guest->cred, CAP_SYS_ADMIN))
        return -EPERM;
    if (n < 0 || n >= UTS_LEN)
        return -EINVAL;
    if (copy_from_user(text, mk_vaddr(a[0]), (size_t)n))
        return -EFAULT;
    uts_set(which, text, (size_t)n);
    return 0;
}

int64_t sys_sethostname(struct task *t, const uint64_t *a)
{
    return set_word(t, UTS_NODENAME, a);
}

int64_t sys_setdomainname(struct task *t, const uint64_t *a)
{
    return set_word(t, UTS_DOMAINNAME, a);
}
