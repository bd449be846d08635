/* SPDX-License-Identifier: MIT */
/*
 * siphash.c - SipHash-2-4: a short keyed hash.
 *
 *      key, key -> v0 v1 v2 v3
 *      each word of 8 bytes:   v3 ^= word; round; round; v0 ^= word
 *      at the end:             v2 ^= 0xff; four rounds; v0 ^ v1 ^ v2 ^ v3
 *
 * The last word has what is left over, and the length in its highest byte.
 *
 * Locks: none, no state. Linux's counterpart: lib/siphash.c.
 */
#include "base/siphash.h"

static uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static void take_word(struct siphash *s, uint64_t word)
{
    s->v[3] ^= word;
    sip_round(s->v);
    sip_round(s->v);
    s->v[0] ^= word;
}

void siphash_init(struct siphash *s, const uint64_t key[2])
{
    s->v[0] = key[0] ^ 0x736f6d6570736575UL;
    s->v[1] = key[1] ^ 0x646f72616e646f6dUL;
    s->v[2] = key[0] ^ 0x6c7967656e657261UL;
    s->v[3] = key[1] ^ 0x7465646279746573UL;
    s->word = s->bytes = 0;
}

void siphash_add(struct siphash *s, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < n; i++) {
        s->word |= (uint64_t)p[i] << (s->bytes % 8 * 8);
        if (++s->bytes % 8 == 0) {
            take_word(s, s->word);
            s->word = 0;
        }
    }
}

uint64_t siphash_end(struct siphash *s)
{
    take_word(s, s->word | s->bytes << 56);
    s->v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(s->v);
    return s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];
}
