/* SPDX-License-Identifier: MIT */
/*
 * bits.c - what the compiler asks of its library when the hart has no Zbb.
 *
 *      __builtin_ctzll(x)       -> __ctzdi2       zeros below the lowest one
 *      __builtin_clzll(x)       -> __clzdi2       zeros above the highest one
 *      __builtin_popcountll(x)  -> __popcountdi2  ones
 *
 * ctz isolates the lowest bit and multiplies by a de Bruijn number: the six bits at the top of the
 * product differ for each of the 64 possible factors, and index the answer.
 *
 * Locks: none. Linux's counterpart: lib/clz_ctz.c, lib/hweight.c.
 */
#include "base/types.h"

int __ctzdi2(uint64_t x);
int __clzdi2(uint64_t x);
int __popcountdi2(uint64_t x);

int __ctzdi2(uint64_t x)
{
    static const uint8_t position[64] = {
        0,  1,  48, 2,  57, 49, 28, 3,  61, 58, 50, 42, 38, 29, 17, 4,  62, 55, 59, 36, 53, 51,
        43, 22, 45, 39, 33, 30, 24, 18, 12, 5,  63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21,
        44, 32, 23, 11, 46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,  13, 8,  7,  6,
    };
    return position[((x & -x) * 0x03f79d71b4cb0a89UL) >> 58];
}

int __clzdi2(uint64_t x)
{
    int n = 0;
    for (unsigned half = 32; half > 0; half /= 2) {
        if (x >> (64 - half) == 0) {
            n += (int)half;
            x <<= half;
        }
    }
    return n;
}

int __popcountdi2(uint64_t x)
{
    x -= (x >> 1) & 0x5555555555555555UL;
    x = (x & 0x3333333333333333UL) + ((x >> 2) & 0x3333333333333333UL);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fUL;
    return (int)((x * 0x0101010101010101UL) >> 56);
}
