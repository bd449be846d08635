/* SPDX-License-Identifier: MIT */
/*
 * mempolicy.c - choosing the node of a guest's page.
 *
 *      alloc_page_vma(gfp, vma, addr):  vma->vm_policy, else mm->policy
 *          DEFAULT, LOCAL     alloc near this hart, fall back by distance      (the fast path)
 *          BIND               nodemask: nothing else will do
 *          PREFERRED(_MANY)   the nodemask without waiting, then anywhere
 *          INTERLEAVE         the (page number mod weight)-th node of the mask, then anywhere
 *
 * Interleaving by page number, not by a running counter: the same page of the same range lies on
 * the same node in each run.
 *
 * Locks: none; policies do not change. Linux's counterpart: mm/mempolicy.c.
 */
#include "virt/mempolicy.h"

#include "base/errno.h"
#include "phys/alloc.h"
#include "slab/cache.h"
#include "virt/mm.h"

struct mempolicy default_policy = {.count = 1, .mode = MPOL_DEFAULT, .home = NO_NODE};

static struct kmem_cache *policy_cache;

static const char *const mode_names[NR_MPOL_MODES] = {
    [MPOL_DEFAULT] = "default", [MPOL_PREFERRED] = "prefer",
    [MPOL_BIND] = "bind",       [MPOL_INTERLEAVE] = "interleave",
    [MPOL_LOCAL] = "local",     [MPOL_PREFERRED_MANY] = "prefer (many)",
};

void mempolicy_init(void)
{
    policy_cache = kmem_cache_create("mempolicy", sizeof(struct mempolicy), 0, 0, NULL);
    BUG_ON(!policy_cache);
}

struct mempolicy *mpol_new(enum mpol_mode mode, nodemask_t nodes, int *err)
{
    bool takes_nodes = mode != MPOL_DEFAULT && mode != MPOL_LOCAL;
    nodemask_t usable = {nodes.bits & node_states[N_MEMORY].bits};
    *err = -EINVAL;
    if (mode >= NR_MPOL_MODES || (!takes_nodes && !mask_empty(&nodes)))
        return NULL;
    if (mode == MPOL_PREFERRED && mask_empty(&nodes))
        mode = MPOL_LOCAL; /* as Linux: the node of whoever touches the page */
    else if (takes_nodes && mask_empty(&usable))
        return NULL;
    if (mode == MPOL_PREFERRED)
        usable.bits &= -usable.bits; /* one is preferred: the first */
    *err = -ENOMEM;
    struct mempolicy *pol = kmem_cache_alloc(policy_cache, GFP_KERNEL);
    if (!pol)
        return NULL;
    pol->count = 1;
    pol->mode = (uint8_t)mode;
    pol->home = NO_NODE;
    pol->nodes = usable;
    *err = 0;
    return pol;
}

void mpol_get(struct mempolicy *pol)
{
    fetch_add_relaxed(&pol->count, 1);
}

void mpol_put(struct mempolicy *pol)
{
    if (pol != &default_policy && fetch_sub(&pol->count, 1) == 1)
        kmem_cache_free(policy_cache, pol);
}

bool mpol_equal(const struct mempolicy *a, const struct mempolicy *b)
{
    return a == b ||
           (a && b && a->mode == b->mode && a->nodes.bits == b->nodes.bits && a->home == b->home);
}

static int nth_node(const nodemask_t *nodes, uint64_t n)
{
    unsigned nid = mask_first(nodes);
    for (n %= mask_weight(nodes); n > 0; n--)
        nid = mask_next(nodes, nid);
    return (int)nid;
}

struct page *alloc_page_by_policy(const struct mempolicy *pol, gfp_t gfp,
                                  struct vm_area_struct *vma, uint64_t addr)
{
    struct page *page = NULL;
    int nid = pol->home == NO_NODE ? numa_node_id() : pol->home;
    switch (pol->mode) {
    case MPOL_BIND:
        return alloc_pages_mask(nid, gfp, 0, &pol->nodes);
    case MPOL_PREFERRED_MANY:
        page = alloc_pages_mask(nid, (gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_NOWARN, 0, &pol->nodes);
        break;
    case MPOL_PREFERRED:
        nid = (int)mask_first(&pol->nodes);
        break;
    case MPOL_INTERLEAVE:
        nid = nth_node(&pol->nodes, vma_index(vma, addr));
        count_vm_event(NUMA_INTERLEAVE);
        break;
    default:
        break;
    }
    return page ? page : alloc_pages_node(nid, gfp, 0);
}

void mpol_print(const struct mempolicy *pol, struct sink *out)
{
    print(out, "%s", mode_names[pol->mode]);
    if (mask_empty(&pol->nodes))
        return;
    print(out, ":");
    bitmap_print_list(out, &pol->nodes.bits, MAX_NODES);
}
