/* SPDX-License-Identifier: MIT */
/*
 * rmap_anon.c - anon_vmas: the family tree of private memory.
 *
 *      vma(parent) --avc--> A <--avc-- vma(child)          A: pages made before the fork
 *                           ^                              B: pages made by the child after it
 *                     parent|
 *                           B <--avc-- vma(child)
 *
 * A VMA and an anon_vma know each other by an anon_vma_chain, which is in a list of each. Locks of
 * families: a fixed array, indexed by a hash of the root's address, so that a lock outlives what
 * it protects. Two families may share a lock; a hart holds at most one of them.
 *
 * Linux's counterpart: mm/rmap.c, with its heuristics of reuse.
 */
#include "base/errno.h"
#include "base/hash.h"
#include "slab/cache.h"
#include "virt/mm.h"
#include "virt/rmap.h"
#include "virt/rmap_lock.h"

#define FAMILY_LOCK_BITS 6

static struct family_lock {
    struct spinlock lock;
} cache_aligned family_locks[1u << FAMILY_LOCK_BITS];

static struct kmem_cache *anon_vma_cache, *chain_cache;

void rmap_init(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(family_locks); i++)
        spin_init(&family_locks[i].lock, "anon_vma family", RANK_RMAP);
    anon_vma_cache = kmem_cache_create("anon_vma", sizeof(struct anon_vma), 0, 0, NULL);
    chain_cache = kmem_cache_create("anon_vma_chain", sizeof(struct anon_vma_chain), 0, 0, NULL);
    BUG_ON(!anon_vma_cache || !chain_cache);
}

struct spinlock *anon_vma_family_lock(const struct anon_vma *root)
{
    return &family_locks[hash_ptr(root, FAMILY_LOCK_BITS)].lock;
}

/* i_mmap_lock, of the same rank, may be held outside of it. */
static void family_lock(const struct anon_vma *av)
{
    spin_lock_nested(anon_vma_family_lock(av->root));
}

static void family_unlock(const struct anon_vma *av)
{
    spin_unlock(anon_vma_family_lock(av->root));
}

void anon_vma_lock_vma(struct vm_area_struct *vma)
{
    if (vma->anon_vma)
        family_lock(vma->anon_vma);
}

void anon_vma_unlock_vma(struct vm_area_struct *vma)
{
    if (vma->anon_vma)
        family_unlock(vma->anon_vma);
}

/* --- anon_vmas as objects --------------------------------------------------------------------- */

/* One reference, which the caller hands to what points to it. parent NULL: a new family. */
static struct anon_vma *anon_vma_alloc(struct anon_vma *parent)
{
    struct anon_vma *av = kmem_cache_alloc(anon_vma_cache, GFP_KERNEL);
    if (!av)
        return NULL;
    av->root = parent ? parent->root : av;
    av->parent = parent;
    av->refcount = 1;
    av->num_children = 0;
    av->num_active_vmas = 0;
    INIT_LIST_HEAD(&av->chains);
    if (parent)
        fetch_add_relaxed(&parent->refcount, 1);
    return av;
}

void put_anon_vma(struct anon_vma *av)
{
    /* a child keeps its parent, and so the root, whose address names the lock */
    while (av && fetch_sub(&av->refcount, 1) == 1) {
        struct anon_vma *parent = av->parent;
        kmem_cache_free(anon_vma_cache, av);
        av = parent;
    }
}

/* Connect the two; av's family is locked. */
static void chain_link(struct anon_vma_chain *avc, struct vm_area_struct *vma, struct anon_vma *av)
{
    avc->vma = vma;
    avc->anon_vma = av;
    fetch_add_relaxed(&av->refcount, 1);
    list_add(&avc->same_vma, &vma->anon_vma_chain);
    /* at the tail: walks see a parent's entries before its child's, see rmap_migrate.c */
    list_add_tail(&avc->same_anon_vma, &av->chains);
}

/* --- the first private page of a VMA ---------------------------------------------------------- */

/* May the two become one VMA one day, were their protections equal? Then share the anon_vma now. */
static struct anon_vma *anon_vma_to_share(const struct vm_area_struct *a,
                                          const struct vm_area_struct *b,
                                          const struct vm_area_struct *owner)
{
    if (!a || !b || a->vm_end != b->vm_start || ((a->vm_flags ^ b->vm_flags) & ~VM_ACCESS_FLAGS) ||
        a->vm_mapping != b->vm_mapping || a->vm_pgoff + vma_pages(a) != b->vm_pgoff ||
        !mpol_equal(a->vm_policy, b->vm_policy))
        return NULL;
    /* the owner may be getting its first one at this moment: the chain comes before it */
    struct anon_vma *av = load_acquire(&owner->anon_vma);
    return av && list_is_singular(&owner->anon_vma_chain) ? av : NULL;
}

int anon_vma_prepare_slow(struct vm_area_struct *vma)
{
    struct vm_area_struct *next = vma_next(vma), *prev = vma_prev(vma);
    struct anon_vma *made = NULL, *av = anon_vma_to_share(vma, next, next);
    struct anon_vma_chain *avc = kmem_cache_alloc(chain_cache, GFP_KERNEL);
    if (!av)
        av = anon_vma_to_share(prev, vma, prev);
    if (!av)
        av = made = anon_vma_alloc(NULL);
    if (!avc || !av) {
        if (avc)
            kmem_cache_free(chain_cache, avc);
        put_anon_vma(made);
        return -ENOMEM;
    }
    family_lock(av);
    spin_lock(&vma->vm_mm->page_table_lock); /* other threads fault in the same VMA */
    if (!vma->anon_vma) {
        chain_link(avc, vma, av);
        av->num_active_vmas++;
        store_release(&vma->anon_vma, av);
        avc = NULL;
    }
    spin_unlock(&vma->vm_mm->page_table_lock);
    family_unlock(av);
    put_anon_vma(made);
    if (avc)
        kmem_cache_free(chain_cache, avc);
    return 0;
}

/* --- splits and forks ------------------------------------------------------------------------- */

/*
 * dst is chained to all that src is. When `reuse`, dst has no anon_vma yet and takes one over that
 * has lost its VMAs and has but one child, so that fork after fork does not grow the chains. On
 * -ENOMEM dst is chained to nothing.
 */
static int clone_chains(struct vm_area_struct *dst, struct vm_area_struct *src, bool reuse)
{
    /* lab rmap: begin 2 */
    struct anon_vma_chain *from;
    list_for_each_entry_reverse(from, &src->anon_vma_chain, same_vma) {
        struct anon_vma *av = from->anon_vma;
        struct anon_vma_chain *avc = kmem_cache_alloc(chain_cache, GFP_KERNEL);
        if (!avc) {
            unlink_anon_vmas(dst); /* and from what was taken over */
            return -ENOMEM;
        }
        family_lock(av);
        chain_link(avc, dst, av);
        if (reuse && !dst->anon_vma && av->num_children < 2 && !av->num_active_vmas) {
            dst->anon_vma = av;
            av->num_active_vmas++;
        }
        family_unlock(av);
    }
    return 0;
    /* lab rmap: stub lab_missing("rmap", 2, dst, src, reuse, chain_link); */
    /* lab rmap: end */
}

int anon_vma_clone(struct vm_area_struct *dst, struct vm_area_struct *src)
{
    int err = clone_chains(dst, src, false);
    if (err || !src->anon_vma)
        return err;
    dst->anon_vma = src->anon_vma;
    family_lock(dst->anon_vma);
    dst->anon_vma->num_active_vmas++;
    family_unlock(dst->anon_vma);
    return 0;
}

int anon_vma_fork(struct vm_area_struct *dst, struct vm_area_struct *src)
{
    /* lab rmap: begin 2 */
    if (!src->anon_vma)
        return 0;
    int err = clone_chains(dst, src, true);
    if (err || dst->anon_vma)
        return err;
    struct anon_vma *av = anon_vma_alloc(src->anon_vma);
    struct anon_vma_chain *avc = kmem_cache_alloc(chain_cache, GFP_KERNEL);
    if (!av || !avc) {
        put_anon_vma(av);
        if (avc)
            kmem_cache_free(chain_cache, avc);
        unlink_anon_vmas(dst);
        return -ENOMEM;
    }
    family_lock(av);
    chain_link(avc, dst, av);
    dst->anon_vma = av;
    av->num_active_vmas = 1;
    av->parent->num_children++;
    family_unlock(av);
    put_anon_vma(av); /* the chain keeps it */
    return 0;
    /* lab rmap: stub lab_missing("rmap", 2, dst, src, clone_chains); */
    /* lab rmap: end */
}

void unlink_anon_vmas(struct vm_area_struct *vma)
{
    struct anon_vma_chain *avc, *next;
    if (vma->anon_vma) {
        family_lock(vma->anon_vma);
        vma->anon_vma->num_active_vmas--;
        family_unlock(vma->anon_vma);
        vma->anon_vma = NULL;
    }
    list_for_each_entry_safe(avc, next, &vma->anon_vma_chain, same_vma) {
        struct anon_vma *av = avc->anon_vma;
        family_lock(av);
        list_del(&avc->same_anon_vma);
        if (list_empty(&av->chains) && av->parent)
            av->parent->num_children--;
        family_unlock(av);
        list_del(&avc->same_vma);
        kmem_cache_free(chain_cache, avc);
        put_anon_vma(av);
    }
}
