/* SPDX-License-Identifier: MIT */
/*
 * cred.h - in whose name a guest acts.
 *
 *      real       who it is       effective  whose rights it has      saved  what it may go back to
 *      fs         as effective, for files    groups                   capabilities: root's
 *
 * Locks: guest->lock. Linux's counterpart: struct cred.
 */
#ifndef PAGODA_TASK_CRED_H
#define PAGODA_TASK_CRED_H

#include "base/types.h"

enum { ID_REAL, ID_EFFECTIVE, ID_SAVED, ID_FS, NR_IDS };

#define GROUPS_MAX 32
#define NR_CAPS 41 /* as many as Linux 6.12 has */
#define CAP_ALL ((1UL << NR_CAPS) - 1)

#define CAP_CHOWN 0
#define CAP_DAC_OVERRIDE 1
#define CAP_FOWNER 3
#define CAP_KILL 5
#define CAP_SETGID 6
#define CAP_SETUID 7
#define CAP_SETPCAP 8
#define CAP_NET_ADMIN 12
#define CAP_IPC_LOCK 14
#define CAP_IPC_OWNER 15
#define CAP_SYS_CHROOT 18
#define CAP_SYS_PTRACE 19
#define CAP_SYS_ADMIN 21
#define CAP_SYS_NICE 23
#define CAP_SYS_RESOURCE 24
#define CAP_SYS_TIME 25
#define CAP_WAKE_ALARM 35

struct guest_cred {
    uint32_t uid[NR_IDS], gid[NR_IDS];
    uint32_t nr_groups, groups[GROUPS_MAX];
    uint64_t cap_effective, cap_permitted, cap_inheritable;
    uint64_t cap_bounding; /* a program that is executed gets no others */
    bool keep_caps;        /* stay when no id is root's any more */
};

/** A program is executed: root's rights again, within the bounding set; others lose all. */
void cred_exec(struct guest_cred *c);

static inline bool cred_capable(const struct guest_cred *c, unsigned cap)
{
    return (c->cap_effective >> cap) & 1;
}

#endif
