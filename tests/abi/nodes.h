/* SPDX-License-Identifier: MIT */
/*
 * nodes.h - which nodes a program may have memory of.
 */
#ifndef NODES_H
#define NODES_H

#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi.h"

enum { NODES_MAX = 64 };

static int nodes[NODES_MAX], node_count;
static unsigned long all_nodes; /* the same as a mask */

static void find_nodes(void)
{
    int mode;
    unsigned long allowed[NODES_MAX / 8] = {0};
    CHECK(syscall(SYS_get_mempolicy, &mode, allowed, 512L, NULL, (long)MPOL_F_MEMS_ALLOWED) == 0);
    for (int i = 0; i < NODES_MAX; i++) {
        if (allowed[0] >> i & 1)
            nodes[node_count++] = i;
    }
    all_nodes = allowed[0];
    CHECK(node_count > 0);
}

#endif
