/* SPDX-License-Identifier: MIT */
/*
 * sys_numa.c - where a guest's memory should come from, as it says itself.
 *
 * Node masks come as arrays of words with a length in bits; bits past MAX_NODES must be clear.
 * Linux's counterpart: the SYSCALL_DEFINEs of mm/mempolicy.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "fault/mmap.h"
#include "phys/node.h"
#include "task/syscall.h"
#include "task/syscalls.h"

#define MPOL_F_NODE 1
#define MPOL_F_ADDR 2
#define MPOL_F_MEMS_ALLOWED 4
#define MPOL_F_STATIC_NODES (1 << 15)
#define MPOL_F_RELATIVE_NODES (1 << 14)
#define MPOL_MF_STRICT 1
#define MPOL_MF_MOVE 2
#define MPOL_MF_MOVE_ALL 4
#define MASK_BITS_MAX (PAGE_SIZE * 8)

int64_t arg_nodes(vaddr_t mask, uint64_t bits, nodemask_t *nodes)
{
    nodes->bits = 0;
    if (!mask.v || bits <= 1) /* Linux counts one bit too many */
        return 0;
    bits--;
    if (bits > MASK_BITS_MAX)
        return -EINVAL;
    for (uint64_t i = 0; i * 64 < bits; i++) {
        uint64_t word;
        if (copy_from_user(&word, mk_vaddr(mask.v + i * 8), sizeof(word)))
            return -EFAULT;
        if (bits - i * 64 < 64)
            word &= (1UL << (bits - i * 64)) - 1;
        if (i == 0)
            nodes->bits = word;
        else if (word)
            return -EINVAL;
    }
    return nodes->bits >> MAX_NODES ? -EINVAL : 0;
}

static int64_t put_nodes(vaddr_t mask, uint64_t bits, nodemask_t nodes)
{
    if (!mask.v)
        return 0;
    if (node_states[N_POSSIBLE].bits >> MIN(bits, 63UL) || bits > MASK_BITS_MAX)
        return -EINVAL;
    for (uint64_t i = 0; i * 64 < bits - 1; i++) { /* one bit too many here, too */
        uint64_t word = i ? 0 : nodes.bits;
        if (copy_to_user(mk_vaddr(mask.v + i * 8), &word, sizeof(word)))
            return -EFAULT;
    }
    return 0;
}

/* The policy that mode and mask ask for; NULL and 0 for the default one. */
static int64_t make_policy(uint64_t mode, vaddr_t mask, uint64_t bits, struct mempolicy **pol)
{
    nodemask_t nodes;
    int err = 0;
    int64_t failed = arg_nodes(mask, bits, &nodes);
    *pol = NULL;
    if (failed)
        return failed;
    mode &= ~(uint64_t)(MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES);
    if (mode >= NR_MPOL_MODES)
        return -EINVAL;
    if (mode == MPOL_DEFAULT)
        return mask_empty(&nodes) ? 0 : -EINVAL;
    *pol = mpol_new((enum mpol_mode)mode, nodes, &err);
    return err;
}

int64_t sys_set_mempolicy(struct task *t, const uint64_t *a)
{
    struct mempolicy *pol;
    int64_t err = make_policy(a[0], mk_vaddr(a[1]), a[2], &pol);
    if (err)
        return err;
    mmap_write_lock(t->mm);
    vma_start_write_all(t->mm); /* faults use the policy */
    struct mempolicy *old = t->mm->policy;
    t->mm->policy = pol ? pol : &default_policy;
    mmap_write_unlock(t->mm);
    mpol_put(old);
    return 0;
}

/* MPOL_MF_MOVE: what lies on other nodes than a policy's is moved there. */
static int64_t move_to_policy(struct task *t, uint64_t start, uint64_t end,
                              const struct mempolicy *pol, uint64_t flags)
{
    nodemask_t elsewhere = {node_states[N_MEMORY].bits & ~pol->nodes.bits};
    if (mask_empty(&pol->nodes))
        return 0; /* it names no nodes */
    int64_t left = move_range(t->mm, start, end, elsewhere, pol->nodes, flags & MPOL_MF_MOVE_ALL);
    return left && (flags & MPOL_MF_STRICT) ? -EIO : 0;
}

int64_t sys_mbind(struct task *t, const uint64_t *a)
{
    uint64_t start = a[0], len = a[1];
    struct mempolicy *pol;
    if (arg_range(start, &len) ||
        (a[5] & ~(uint64_t)(MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)))
        return -EINVAL;
    if ((a[5] & MPOL_MF_MOVE_ALL) && !cred_capable(&t->guest->cred, CAP_SYS_NICE))
        return -EPERM;
    int64_t err = make_policy(a[2], mk_vaddr(a[3]), a[4], &pol);
    if (err)
        return err;
    err = mm_set_range_policy(t->mm, start, start + len, pol);
    if (!err && pol && (a[5] & (MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)))
        err = move_to_policy(t, start, start + len, pol, a[5]);
    if (pol)
        mpol_put(pol);
    return err;
}

int64_t sys_set_mempolicy_home_node(struct task *t, const uint64_t *a)
{
    uint64_t start = a[0], end = start + ALIGN_UP(a[1], PAGE_SIZE);
    if (!IS_ALIGNED(start, PAGE_SIZE) || a[3] || a[2] >= MAX_NODES ||
        !node_state_test((int)a[2], N_ONLINE) || end < start)
        return -EINVAL;
    return start == end ? 0 : mm_set_home_node(t->mm, start, end, (int)a[2]);
}

/* MPOL_F_NODE | MPOL_F_ADDR: on which node does the page lie? It is touched if it is not there. */
static int64_t node_of_address(struct task *t, uint64_t addr, uint32_t *nid)
{
    uint32_t word;
    int64_t err = -EFAULT;
    if (get_user_u32(&word, mk_vaddr(ALIGN_DOWN(addr, 4))))
        return -EFAULT;
    spin_lock(&t->mm->page_table_lock);
    const pte_t *pte = mm_find_pte(t->mm, addr);
    pte_t e = pte ? pte_load(pte) : mk_pte(0);
    if (pte_present(e)) {
        *nid = pfn_to_page(pte_pfn(e))->nid;
        err = 0;
    }
    spin_unlock(&t->mm->page_table_lock);
    return err;
}

/* The policy that counts at addr, or for the whole space; kept for the caller. */
static int64_t policy_at(struct task *t, uint64_t addr, bool by_addr, struct mempolicy *out)
{
    struct mm_struct *mm = t->mm;
    int64_t err = 0;
    down_read(&mm->mmap_lock);
    const struct mempolicy *pol = mm->policy;
    if (by_addr) {
        const struct vm_area_struct *vma = vma_lookup(mm, addr);
        if (!vma)
            err = -EFAULT;
        else if (vma->vm_policy)
            pol = vma->vm_policy;
    }
    *out = *pol;
    up_read(&mm->mmap_lock);
    return err;
}

int64_t sys_get_mempolicy(struct task *t, const uint64_t *a)
{
    uint64_t flags = a[4];
    struct mempolicy pol;
    uint32_t mode;
    if (flags & ~(uint64_t)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED))
        return -EINVAL;
    if (flags & MPOL_F_MEMS_ALLOWED) {
        if (flags & (MPOL_F_NODE | MPOL_F_ADDR))
            return -EINVAL;
        if (a[0] && put_user_u32(0, mk_vaddr(a[0])))
            return -EFAULT;
        return put_nodes(mk_vaddr(a[1]), a[2], node_states[N_MEMORY]);
    }
    if (a[3] && !(flags & MPOL_F_ADDR))
        return -EINVAL;
    int64_t err = policy_at(t, a[3], flags & MPOL_F_ADDR, &pol);
    if (err)
        return err;
    mode = pol.mode;
    if ((flags & MPOL_F_NODE) && (flags & MPOL_F_ADDR)) {
        err = node_of_address(t, a[3], &mode);
    } else if (flags & MPOL_F_NODE) {
        if (pol.mode != MPOL_INTERLEAVE)
            return -EINVAL;
        mode = mask_first(&pol.nodes);
    }
    if (err)
        return err;
    if (a[0] && put_user_u32(mode, mk_vaddr(a[0])))
        return -EFAULT;
    return put_nodes(mk_vaddr(a[1]), a[2], pol.nodes);
}
