/* SPDX-License-Identifier: MIT */
/*
 * guest.c - the table of guests: who is there, by pid; and keeping one while looking at it.
 *
 *      table:  [1] -> [2] -> [5] -> [9]        by pid, each with a reference of the table
 *
 * Locks: table_lock (RANK_GUEST_TABLE) for the list and for who is whose child; then guest->lock.
 * Linux's counterpart: kernel/pid.c, the task list.
 */
#include "task/guest.h"

#include "base/errno.h"
#include "base/string.h"
#include "kern/timer.h"
#include "slab/cache.h"
#include "task/guest_table.h"
#include "task/sigqueue.h"
#include "task/task.h"
#include "task/user.h"

struct spinlock guest_table_lock = SPINLOCK_INIT("guest table", RANK_GUEST_TABLE);

static LIST_HEAD(table);
static uint32_t nr_guests;
static uint32_t last_pid;
static struct kmem_cache *guest_cache;

void guest_table_init(void)
{
    guest_cache = kmem_cache_create("guest", sizeof(struct guest), 0, 0, NULL);
    BUG_ON(!guest_cache);
}

/* --- the table -------------------------------------------------------------------------------- */

/* The guest with the smallest pid >= from. table_lock held. */
static struct guest *at_or_above(uint32_t from)
{
    struct guest *g;
    assert_locked(&guest_table_lock);
    list_for_each_entry(g, &table, table_node) {
        if (g->pid >= from)
            return g;
    }
    return NULL;
}

/* A free number, going up and round as Linux does. tids of threads come out of the same stock. */
static uint32_t free_pid(void)
{
    for (uint32_t i = 0; i < PID_MAX; i++) {
        last_pid = last_pid >= PID_MAX - 1 ? 1 : last_pid + 1;
        const struct guest *g = at_or_above(last_pid);
        if (!g || g->pid != last_pid)
            return last_pid;
    }
    return 0;
}

uint32_t pid_for_thread(void)
{
    spin_lock(&guest_table_lock);
    uint32_t pid = free_pid();
    spin_unlock(&guest_table_lock);
    return pid;
}

struct guest *guest_alloc(void)
{
    struct guest *g = kmem_cache_alloc(guest_cache, GFP_KERNEL | __GFP_ZERO);
    if (!g)
        return NULL;
    g->refcount = 1;
    g->nid = NO_NODE;
    g->start_ns = now_ns();
    spin_init(&g->lock, "guest", RANK_GUEST);
    INIT_LIST_HEAD(&g->children);
    INIT_LIST_HEAD(&g->sibling);
    INIT_LIST_HEAD(&g->table_node);
    INIT_LIST_HEAD(&g->tasks);
    INIT_LIST_HEAD(&g->sem_undos);
    wait_queue_init(&g->wait_exit);
    wait_queue_init(&g->wait_child);
    wait_queue_init(&g->wait_resume);
    wait_queue_init(&g->wait_signal);
    sigpending_init(&g->pending);
    return g;
}

struct inode *guest_inode(struct guest *g, struct inode *const *which)
{
    spin_lock(&g->lock);
    struct inode *inode = *which ? inode_get(*which) : NULL;
    spin_unlock(&g->lock);
    return inode;
}

void guest_drop_inodes(struct guest *g)
{
    spin_lock(&g->lock);
    struct inode *exe = g->exe, *cwd = g->cwd, *root = g->root;
    g->exe = g->cwd = g->root = NULL;
    spin_unlock(&g->lock);
    inode_put(exe);
    inode_put(cwd);
    inode_put(root);
}

int guest_enter_table(struct guest *g, struct guest *parent)
{
    spin_lock(&guest_table_lock);
    g->pid = free_pid();
    if (!g->pid) {
        spin_unlock(&guest_table_lock);
        return -EAGAIN;
    }
    struct guest *above = at_or_above(g->pid);
    list_add_tail(&g->table_node, above ? &above->table_node : &table);
    g->parent = parent;
    if (parent)
        list_add_tail(&g->sibling, &parent->children);
    g->pgid = parent ? parent->pgid : g->pid;
    g->sid = parent ? parent->sid : g->pid;
    nr_guests++;
    guest_get(g);
    spin_unlock(&guest_table_lock);
    return 0;
}

void guest_leave_table_locked(struct guest *g)
{
    assert_locked(&guest_table_lock);
    list_del_init(&g->table_node);
    if (g->parent)
        list_del_init(&g->sibling);
    g->parent = NULL;
    g->state = GUEST_GONE;
    nr_guests--;
}

/* --- looking ---------------------------------------------------------------------------------- */

struct guest *guest_next(uint32_t from)
{
    spin_lock(&guest_table_lock);
    struct guest *g = at_or_above(from);
    if (g)
        guest_get(g);
    spin_unlock(&guest_table_lock);
    return g;
}

struct guest *guest_find(uint32_t pid)
{
    struct guest *g = guest_next(pid);
    if (g && g->pid != pid) {
        guest_put(g);
        return NULL;
    }
    return g;
}

void guest_put(struct guest *g)
{
    if (fetch_sub(&g->refcount, 1) == 1) {
        ASSERT(list_empty(&g->tasks) && !g->mm && !g->files && !g->pending.set);
        if (g->user)
            user_put(g->user);
        kmem_cache_free(guest_cache, g);
    }
}

uint32_t guest_count(void)
{
    return load_relaxed(&nr_guests);
}

struct mm_struct *guest_mm(struct guest *g)
{
    spin_lock(&g->lock);
    struct mm_struct *mm = g->mm;
    if (mm && !mmget_not_zero(mm))
        mm = NULL;
    spin_unlock(&g->lock);
    return mm;
}

struct guest *guest_first_locked(void)
{
    assert_locked(&guest_table_lock);
    return list_first_entry_or_null(&table, struct guest, table_node);
}

struct guest *guest_after_locked(struct guest *g)
{
    assert_locked(&guest_table_lock);
    return g->table_node.next == &table ? NULL : list_next_entry(g, table_node);
}

struct task *guest_task_locked(struct guest *g, uint32_t tid)
{
    struct task *t;
    assert_locked(&g->lock);
    list_for_each_entry(t, &g->tasks, guest_node)
        if (t->tid == tid)
            return t;
    return NULL;
}

static bool has_thread(struct guest *g, uint32_t tid)
{
    spin_lock(&g->lock);
    bool has = g->pid == tid || guest_task_locked(g, tid);
    spin_unlock(&g->lock);
    return has;
}

struct guest *guest_find_thread(uint32_t tid)
{
    struct guest *g = guest_find(tid);
    if (g)
        return g;
    spin_lock(&guest_table_lock);
    for (g = guest_first_locked(); g && !has_thread(g, tid); g = guest_after_locked(g))
        ;
    if (g)
        guest_get(g);
    spin_unlock(&guest_table_lock);
    return g;
}

struct guest *guest_parent(struct guest *g)
{
    spin_lock(&guest_table_lock);
    struct guest *parent = g->parent;
    if (parent)
        guest_get(parent);
    spin_unlock(&guest_table_lock);
    return parent;
}

/* --- facts for people ------------------------------------------------------------------------- */

uint64_t guest_run_ns(struct guest *g)
{
    struct task *t;
    spin_lock(&g->lock);
    uint64_t ns = g->run_ns;
    list_for_each_entry(t, &g->tasks, guest_node)
        ns += thread_run_ns(t->thread);
    spin_unlock(&g->lock);
    return ns;
}

#define TICK_NS (NSEC_PER_SEC / 100)

void guest_child_info(struct guest *g, int status, struct siginfo_words *info)
{
    info->pid = (int32_t)g->pid;
    info->uid = g->cred.uid[ID_REAL];
    info->status = status;
    info->utime = (int64_t)(guest_run_ns(g) / TICK_NS);
}

char guest_state_letter(struct guest *g)
{
    struct task *t;
    char letter = 'S';
    spin_lock(&g->lock);
    if (g->state == GUEST_ZOMBIE || g->state == GUEST_GONE)
        letter = 'Z';
    else if (g->state == GUEST_STOPPED)
        letter = 'T';
    list_for_each_entry(t, &g->tasks, guest_node) {
        if (letter == 'S' && load_relaxed(&t->thread->state) == THREAD_RUNNABLE)
            letter = 'R';
    }
    spin_unlock(&g->lock);
    return letter;
}

uint32_t guest_hart(struct guest *g)
{
    spin_lock(&g->lock);
    uint32_t hart = 0;
    if (!list_empty(&g->tasks))
        hart = list_first_entry(&g->tasks, struct task, guest_node)->thread->hart;
    spin_unlock(&g->lock);
    return hart;
}

int guest_set_oom_score_adj(struct guest *g, int adj)
{
    if (adj < -1000 || adj > 1000)
        return -EINVAL;
    spin_lock(&g->lock);
    store_relaxed(&g->oom_score_adj, (int16_t)adj);
    if (g->mm)
        store_relaxed(&g->mm->owner.oom_score_adj, (int16_t)adj);
    spin_unlock(&g->lock);
    return 0;
}
