/* SPDX-License-Identifier: MIT */
/*
 * clock_params.h - from rdtime to nanoseconds, for who cannot ask: it is mapped into guests.
 *
 *      ns since the machine's clock began = (ticks * scale) >> shift       in 128 bits
 *      ns since 1970                      = that + realtime_offset
 *
 * Only the offset ever changes, and it is one word: so readers need no lock.
 */
#ifndef PAGODA_KERN_CLOCK_PARAMS_H
#define PAGODA_KERN_CLOCK_PARAMS_H

#include "base/types.h"

struct clock_params {
    uint64_t scale;
    uint64_t shift;
    uint64_t realtime_offset; /* a */
};

#endif
