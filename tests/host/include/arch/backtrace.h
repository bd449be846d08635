/* SPDX-License-Identifier: MIT */
/* backtrace.h of the host: who called, one level. Shadows include/arch/backtrace.h. */
#ifndef PAGODA_ARCH_BACKTRACE_H
#define PAGODA_ARCH_BACKTRACE_H

#include "base/format.h"
#include "base/types.h"

size_t backtrace_capture(uint64_t *pcs, size_t max);
void backtrace_print_pcs(struct sink *out, const uint64_t *pcs, size_t n);

#endif
