/* SPDX-License-Identifier: MIT */
/*
 * guests.h - guests for the killer: address spaces with pages on two nodes, and nobody in them.
 *
 *      node 0: 48 MiB, hart 0      node 1: 48 MiB, hart 1      node 2: no memory
 *
 *      guest(7, 0)             an empty space, owner.pid 7, oom_score_adj 0
 *      touch(mm, at, 5, 1)     five private pages there, of node 1: by faults of hart 1
 *      weigh(mm, 1000)         as if 1000 private pages were resident, without any
 *
 * Spaces, page tables and faults are real (virt/space.h). Killing is not: kill() notes whom. The
 * reaper's thread is a function that the test runs until it would sleep for more work.
 */
#ifndef LABS_OOM_GUESTS_H
#define LABS_OOM_GUESTS_H

#include "labs/wire/expect.h"
#include "virt/space.h"

#include "base/random.h"
#include "fault/zap.h"
#include "kern/mutex.h"
#include "pressure/oom.h"

enum { GUESTS_MOST = 64, KILLS_MOST = 16, LOW = 16 * 4096, SLEEPS_MOST = 200 };
#define AREA (GIB(1) - 8 * PAGE_SIZE) /* a range of guests begins just below a table's end */
#define TOP (GIB(4))

/* --- killing ---------------------------------------------------------------------------------- */

static struct mm_struct *killed[KILLS_MOST];
static bool marked_before[KILLS_MOST];  /* MMF_OOM_VICTIM, when it was killed */
static uint32_t count_then[KILLS_MOST]; /* holders of its struct, when it was killed */
static unsigned kills;
static void (*while_killing)(struct mm_struct *mm);

static void note_kill(struct mm_struct *mm)
{
    expect_true(kills < KILLS_MOST, "no more than %d are killed", KILLS_MOST);
    marked_before[kills] = mm_flag(mm, MMF_OOM_VICTIM);
    count_then[kills] = load_relaxed(&mm->count);
    killed[kills++] = mm;
    if (while_killing)
        while_killing(mm);
}

static const struct mm_owner_ops owner_ops = {.kill = note_kill};

/* --- the reaper's thread ---------------------------------------------------------------------- */

static void (*reaper)(void *arg);
static jmp_buf reaper_sleeps;
static unsigned sleeps;                  /* pauses of the reaper so far */
static void (*while_asleep)(unsigned n); /* called in each, with its number from 1 */

struct thread *kthread_run(const char *name, void (*fn)(void *), void *arg, int nid)
{
    static struct thread thread;
    (void)name, (void)arg, (void)nid;
    reaper = fn;
    return &thread;
}

/* What a thread that waits comes to. */
static void waiting(uint64_t ns)
{
    if (!ns)
        longjmp(reaper_sleeps, 1);
    expect_true(++sleeps < SLEEPS_MOST, "the reaper gives up one day");
    if (while_asleep)
        while_asleep(sleeps);
}

/* Run the reaper until there is nothing to do for it. */
static inline void run_reaper(void)
{
    sleeps = 0;
    host_waiting = waiting;
    if (!setjmp(reaper_sleeps))
        reaper(NULL);
    host_waiting = NULL;
}

/* --- guests ----------------------------------------------------------------------------------- */

static struct mm_struct *guests[GUESTS_MOST];
static unsigned nr_guests;

static inline struct mm_struct *guest(uint32_t pid, int adj)
{
    struct mm_struct *mm = space_new(TOP);
    mm->owner = (struct mm_owner){.ops = &owner_ops, .pid = pid, .oom_score_adj = (int16_t)adj};
    snprintf(mm->owner.name, sizeof(mm->owner.name), "guest%u", pid);
    expect_true(nr_guests < GUESTS_MOST, "the test has room for a guest");
    return guests[nr_guests++] = mm;
}

static inline void weigh(struct mm_struct *mm, int64_t pages)
{
    mm->rss[MM_ANONPAGES] += pages;
}

static inline void map(struct mm_struct *mm, uint64_t at, uint64_t pages,
                       struct address_space *file, uint64_t flags)
{
    struct mmap_request req = {.addr = at,
                               .len = pages * PAGE_SIZE,
                               .prot = PROT_READ | PROT_WRITE,
                               .flags = MAP_FIXED | flags,
                               .mapping = file};
    expect_equal(do_mmap(mm, &req), at, "where a range was mapped");
}

static inline void map_private(struct mm_struct *mm, uint64_t at, uint64_t pages)
{
    map(mm, at, pages, NULL, MAP_PRIVATE | MAP_ANONYMOUS);
}

/* Write to @n pages from @at on, as the hart of a node does that runs the guest. */
static inline void touch(struct mm_struct *mm, uint64_t at, unsigned n, int nid)
{
    host_become((uint32_t)nid);
    for (unsigned i = 0; i < n; i++)
        expect_equal(space_store(mm, at + i * PAGE_SIZE, at + i), FAULT_DONE,
                     "the fault's outcome");
    host_become(0);
}

/* Page table, ranges, mapcounts and counters agree. Not of one that was weighed. */
static inline void expect_sane(struct mm_struct *mm)
{
    expect_equal(mm_check(mm, &stderr_sink), 0, "faults that mm_check() finds");
}

static inline uint64_t tables_of(const struct mm_struct *mm)
{
    return mm_pgtables_bytes(mm) >> PAGE_SHIFT;
}

static inline uint32_t users_of(const struct mm_struct *mm)
{
    return load_relaxed(&mm->users);
}

/* --- shortages -------------------------------------------------------------------------------- */

static const nodemask_t node1 = {2};

static inline struct relief_request request_on(const nodemask_t *nodes)
{
    return (struct relief_request){.gfp = GFP_HIGHUSER_MOVABLE,
                                   .highest_zone = ZONE_MOVABLE,
                                   .zonelist = node_zonelist(0, 0),
                                   .nodes = nodes};
}

static inline enum relief_result ask(struct relief_request *request)
{
    return relief_climb(request, RELIEF_RANK_KILL, RELIEF_RANK_KILL);
}

static inline int machine_of_guests(void **state)
{
    static pte_t root[PT_ENTRIES];
    (void)state;
    fake_begin();
    fake_memory(0, MIB(0), MIB(48));
    fake_memory(1, MIB(48), MIB(48));
    fake_memory(2, 0, 0);
    fake_hart(0);
    fake_hart(1);
    fake_boot("");
    kernel_pgtable.root = root;
    mm_init();
    fault_init();
    sysctl_overcommit_memory = OVERCOMMIT_ALWAYS;
    sysctl_oom_dump_tasks = 0;
    oom_init();
    return 0;
}

/* Before each test: nobody is there. */
static inline int no_guests(void **state)
{
    (void)state;
    for (unsigned i = 0; i < nr_guests; i++)
        guests[i]->owner.ops = NULL, mm_test_and_set_flag(guests[i], MMF_OOM_SKIP);
    nr_guests = kills = 0;
    while_killing = NULL;
    while_asleep = NULL;
    return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, no_guests)

#endif
