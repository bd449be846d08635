/* SPDX-License-Identifier: MIT */
/*
 * test_space_threads.c - harts that fault in one address space while others change it. Under TSan.
 *
 *      one table:   [hart 0][ scratch 0 ][hart 1][ scratch 1 ] ... [ contested ]
 *                    own     mapped, moved,  own                    hart 0 maps and unmaps it,
 *                            unmapped by 0                          the others fault in it
 *
 * What a hart wrote into its own pages it must read again, whatever the others do around it: map,
 * unmap, protect, move, and fork the space, which makes every page copy-on-write.
 */
#include "virt/space.h"

#include <pthread.h>

#include "base/random.h"

enum { HARTS = 4, ROUNDS = 4000, OWN = 24, SCRATCH = 12, STRIDE = 64, CONTESTED = 16 };

#define BASE GIB(1)
#define TOP (BASE + GIB(1))

static struct mm_struct *mm;
static uint64_t own_values[HARTS][OWN];
static uint64_t contested_done, contested_not_there; /* (a) */
static int failures;                                 /* (a) cmocka is for the main thread */
static uint32_t running;                             /* (a) harts that must still be served */

static void note(bool ok, int line)
{
    if (!ok && fetch_add(&failures, 1) < 5)
        fprintf(stderr, "line %d: wrong\n", line);
}
#define NOTE(ok) note((ok), __LINE__)

static uint64_t own_addr(unsigned hart, unsigned page)
{
    return BASE + (hart * STRIDE + page) * PAGE_SIZE;
}

static uint64_t scratch_addr(unsigned hart)
{
    return own_addr(hart, OWN + 4);
}

static uint64_t contested_addr(unsigned page)
{
    return own_addr(HARTS, page);
}

static void map_at(uint64_t addr, uint64_t pages)
{
    struct mmap_request req = {.addr = addr,
                               .len = pages * PAGE_SIZE,
                               .prot = PROT_READ | PROT_WRITE,
                               .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED};
    NOTE(do_mmap(mm, &req) == (int64_t)addr);
}

static void check_word(struct mm_struct *space, uint64_t addr, uint64_t wanted)
{
    uint64_t value = ~wanted;
    NOTE(space_load(space, addr, &value) == FAULT_DONE && value == wanted);
}

/* --- what harts do ---------------------------------------------------------------------------- */

static void use_own_pages(unsigned me, struct rng *rng)
{
    for (unsigned i = 0; i < 8; i++) {
        unsigned page = (unsigned)rng_below(rng, OWN);
        check_word(mm, own_addr(me, page), own_values[me][page]);
        own_values[me][page]++;
        NOTE(space_store(mm, own_addr(me, page), own_values[me][page]) == FAULT_DONE);
    }
}

static void map_move_unmap(unsigned me, struct rng *rng)
{
    uint64_t at = scratch_addr(me), to = at + SCRATCH * PAGE_SIZE;
    uint64_t addr = rng_below(rng, SCRATCH) * PAGE_SIZE;
    map_at(at, SCRATCH);
    check_word(mm, at + addr, 0);
    NOTE(space_store(mm, at + addr, 77) == FAULT_DONE);
    NOTE(do_mremap(mm, at, SCRATCH * PAGE_SIZE, SCRATCH * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
                   to) == (int64_t)to);
    NOTE(user_fault(mm, at + addr, PTE_W) == FAULT_MAPERR);
    check_word(mm, to + addr, 77);
    NOTE(do_munmap(mm, to, SCRATCH * PAGE_SIZE) == 0);
    NOTE(user_fault(mm, to + addr, PTE_R) == FAULT_MAPERR);
}

static void protect_and_back(unsigned me, struct rng *rng)
{
    unsigned page = (unsigned)rng_below(rng, OWN);
    uint64_t addr = own_addr(me, page);
    NOTE(do_mprotect(mm, addr, PAGE_SIZE, PROT_READ) == 0);
    NOTE(user_fault(mm, addr, PTE_W) == FAULT_ACCERR);
    check_word(mm, addr, own_values[me][page]);
    NOTE(do_mprotect(mm, addr, PAGE_SIZE, PROT_READ | PROT_WRITE) == 0);
}

/* Nobody knows what is there, and whoever faults must not be hurt. No access: there is no TLB. */
static void contest(unsigned me, struct rng *rng)
{
    if (me == 0 && rng_below(rng, 2)) {
        map_at(contested_addr(0), CONTESTED);
    } else if (me == 0) {
        uint64_t n = 1 + rng_below(rng, CONTESTED);
        NOTE(do_munmap(mm, contested_addr(0), n * PAGE_SIZE) == 0);
    } else {
        uint64_t addr = contested_addr((unsigned)rng_below(rng, CONTESTED));
        enum fault_result result = user_fault(mm, addr, rng_below(rng, 2) ? PTE_W : PTE_R);
        NOTE(result == FAULT_DONE || result == FAULT_MAPERR);
        fetch_add(result == FAULT_DONE ? &contested_done : &contested_not_there, 1);
    }
}

static void fork_and_look(unsigned me, struct rng *rng)
{
    unsigned page = (unsigned)rng_below(rng, OWN);
    struct mm_struct *child = mm_alloc();
    NOTE(child && dup_mmap(child, mm) == 0);
    check_word(child, own_addr(me, page), own_values[me][page]);
    NOTE(space_store(child, own_addr(me, page), 1UL << 60) == FAULT_DONE);
    check_word(mm, own_addr(me, page), own_values[me][page]);
    mmput(child);
}

static void *work(void *arg)
{
    unsigned me = (unsigned)(uintptr_t)arg;
    struct rng rng = {me + 1};
    host_run_as(me);
    for (unsigned i = 0; i < ROUNDS; i++) {
        use_own_pages(me, &rng);
        switch (rng_below(&rng, 16)) {
        case 0:
            map_move_unmap(me, &rng);
            break;
        case 1:
            protect_and_back(me, &rng);
            break;
        case 2:
            if (me < 2 && rng_below(&rng, 8) == 0)
                fork_and_look(me, &rng);
            break;
        case 3:
        case 4:
        case 5:
            contest(me, &rng);
            break;
        default:
            break;
        }
        host_poll();
    }
    fetch_sub(&running, 1);
    while (load_acquire(&running))
        host_poll();
    host_leave();
    return NULL;
}

static void run_harts(void)
{
    pthread_t threads[HARTS];
    running = HARTS;
    for (uintptr_t i = 0; i < HARTS; i++)
        pthread_create(&threads[i], NULL, work, (void *)i);
    for (unsigned i = 0; i < HARTS; i++)
        pthread_join(threads[i], NULL);
    host_become(0);
}

static void faults_and_changes_at_once(void **state)
{
    (void)state;
    mm = space_new(TOP);
    for (unsigned i = 0; i < HARTS; i++)
        map_at(own_addr(i, 0), OWN);
    run_harts();
    assert_int_equal(failures, 0);
    for (unsigned i = 0; i < HARTS; i++)
        for (unsigned page = 0; page < OWN; page++)
            check_word(mm, own_addr(i, page), own_values[i][page]);
    assert_int_equal(failures, 0);
    assert_int_equal(lru_check(&stderr_sink), 0);
    assert_int_equal(mm_check(mm, &stderr_sink), 0);
    mmput(mm);
    lru_add_drain_all();
    fake_check();
    assert_int_equal(objects_out, 0);
    /* it was what it should be: faults in parallel, and both ways */
    assert_true(contested_done > 0 && contested_not_there > 0);
    assert_true(vm_event_sum(VMA_LOCK_SUCCESS) > vm_event_sum(VMA_LOCK_ABORT));
    assert_true(vm_event_sum(VMA_LOCK_ABORT) > 0 && vm_event_sum(VMA_LOCK_RETRY) > 0);
}

static int set_up(void **state)
{
    (void)state;
    space_boot(HARTS);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_and_changes_at_once),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
