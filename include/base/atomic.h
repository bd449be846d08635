/* SPDX-License-Identifier: MIT */
/*
 * atomic.h - memory that several harts touch at once.
 *
 * Macros over the compiler's builtins, for plain integers and pointers. The name says the order:
 * relaxed promises only that the access is whole; acquire and release pair up to hand data over;
 * the read-modify-write ones are acquire and release at once unless they are called relaxed.
 */
#ifndef PAGODA_BASE_ATOMIC_H
#define PAGODA_BASE_ATOMIC_H

#include "base/types.h"

#define load_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)

/*
 * GCC 12 makes an amoswap of an atomic store. A volatile store of an aligned word is whole as well,
 * and one instruction; only TSan wants to be told.
 */
#ifdef __SANITIZE_THREAD__
#define store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#else
#define store_relaxed(p, v) ((void)(*(volatile __typeof__(*(p)) *)(p) = (v)))
#endif

/** Add where only one writes and others only look: no read-modify-write, just nothing torn. */
#define add_relaxed(p, v) store_relaxed((p), (__typeof__(*(p)))(load_relaxed(p) + (v)))
#define store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

#define fetch_add(p, v) __atomic_fetch_add((p), (v), __ATOMIC_ACQ_REL)
#define fetch_sub(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_ACQ_REL)
#define fetch_or(p, v) __atomic_fetch_or((p), (v), __ATOMIC_ACQ_REL)
#define fetch_and(p, v) __atomic_fetch_and((p), (v), __ATOMIC_ACQ_REL)
#define fetch_add_relaxed(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELAXED)
#define fetch_sub_relaxed(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_RELAXED)
#define xchg(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)

/** If *p is *expected store v and return true; else put what is there into *expected. */
#define cmpxchg(p, expected, v) \
    __atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)

#endif
