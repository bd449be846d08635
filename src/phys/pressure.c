/* SPDX-License-Identifier: MIT */
/*
 * pressure.c - the registry of those who can relieve memory pressure; see pressure.h.
 *
 *      ladder -> [ wake 0 ] -> [ compact 10 ] -> [ shrink 30 ] -> [ kill 40 ]
 *
 * Locks: none; rungs are hung at boot by one hart, and only read afterwards.
 * Invariant: ranks ascend along the list.
 */
#include "phys/pressure.h"

static LIST_HEAD(ladder);

void relief_register(struct relief *relief)
{
    struct relief *other;
    list_for_each_entry(other, &ladder, node) {
        if (other->rank > relief->rank)
            break;
    }
    list_add_tail(&relief->node, &other->node); /* before the first higher one, or at the end */
}

enum relief_result relief_climb(struct relief_request *request, int min_rank, int max_rank)
{
    struct relief *relief;
    list_for_each_entry(relief, &ladder, node) {
        if (relief->rank < min_rank || relief->rank > max_rank)
            continue;
        enum relief_result result = relief->relieve(request);
        if (result != RELIEF_NONE)
            return result;
    }
    return RELIEF_NONE;
}

void relief_each(void (*fn)(const struct relief *relief, void *arg), void *arg)
{
    struct relief *relief;
    list_for_each_entry(relief, &ladder, node) {
        fn(relief, arg);
    }
}
