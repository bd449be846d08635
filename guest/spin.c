/* SPDX-License-Identifier: MIT */
/*
 * spin - computes, and never gives way by itself.
 *
 * Shows preemption: several of these share a hart by time slices, and the console stays usable.
 * It keeps a sum in floating-point registers, which a careless context switch would spoil.
 */
#include "lib/guest.h"

#include <stdio.h>
#include <stdlib.h>

static const struct guest_help help = {
    "spin [--seconds N]",
    "Computes for N seconds (default: until killed) and checks the result.\n",
};

/* The sum of 1/2 + 1/4 + ... : exact in binary, so any disturbance shows. */
static double halves(void)
{
    double sum = 0, term = 0.5;
    for (int i = 0; i < 50; i++) {
        sum += term;
        term *= 0.5;
        __asm__ volatile("" : "+f"(sum), "+f"(term));
    }
    return sum + term * 2;
}

int main(int argc, char **argv)
{
    guest_help_wanted(argc, argv, &help);
    const char *seconds_arg = guest_option(argc, argv, "--seconds");
    guest_no_more(&help, argc, argv);
    double limit = seconds_arg ? (double)guest_number(&help, seconds_arg, 1000000) : -1;
    double start = guest_seconds();
    unsigned long rounds = 0;
    do {
        for (int i = 0; i < 10000; i++) {
            double sum = halves();
            if (sum < 1.0 || sum > 1.0) {
                fprintf(stderr, "spin: the sum of halves became %.17g\n", sum);
                return 1;
            }
        }
        rounds++;
    } while (limit < 0 || guest_seconds() - start < limit);
    printf("spin: %lu rounds, all exact\n", rounds);
    return 0;
}
