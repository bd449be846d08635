/* SPDX-License-Identifier: MIT */
/*
 * seed.c - where chance begins.
 *
 *      seed=N given         N: the run repeats itself
 *      /chosen/rng-seed     the firmware's randomness, folded to 64 bits
 *      neither              the clock, which is little but not nothing
 *
 * Locks: none. Linux's counterpart: add_bootloader_randomness().
 */
#include "base/random.h"
#include "boot/boot.h"
#include "kern/log.h"
#include "kern/timer.h"
#include "phys/bootargs.h"
#include "phys/machine.h"
#include "task/exec.h"

static uint64_t fold_rng_seed(void)
{
    struct rng rng;
    rng_seed(&rng, now_ticks());
    for (uint32_t i = 0; i < machine.rng_seed_len; i++)
        rng_seed(&rng, rng_next(&rng) ^ machine.rng_seed[i]);
    return rng_next(&rng);
}

void boot_seed(void)
{
    bool fixed = bootarg_get("seed") != NULL;
    uint64_t seed = fixed ? bootarg_u64("seed", 0) : fold_rng_seed();
    guest_random_seed(seed);
    if (fixed)
        pr_info("seed: %lu, from the command line", seed);
}
