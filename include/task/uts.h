/* SPDX-License-Identifier: MIT */
/*
 * uts.h - what the machine is called: what uname tells, and /proc/sys/kernel.
 *
 * Locks: a mutex inside; thread context.
 * Linux's counterpart: struct new_utsname; there are no UTS namespaces here.
 */
#ifndef PAGODA_TASK_UTS_H
#define PAGODA_TASK_UTS_H

#include "base/types.h"

#define UTS_LEN 65 /* with the NUL */

enum uts_word {
    UTS_SYSNAME,
    UTS_NODENAME,
    UTS_RELEASE,
    UTS_VERSION,
    UTS_MACHINE,
    UTS_DOMAINNAME,
    NR_UTS_WORDS
};

struct utsname {
    char words[NR_UTS_WORDS][UTS_LEN];
};

/** All words, as they are now. */
void uts_get(struct utsname *out);

/** Another nodename or domainname: the first @n bytes of @text, below UTS_LEN. */
void uts_set(enum uts_word which, const char *text, size_t n);

#endif
