/* SPDX-License-Identifier: MIT */
/*
 * page_debug.h - debug builds: who allocated a page, who freed it, and is it used after that?
 */
#ifndef PAGODA_PHYS_PAGE_DEBUG_H
#define PAGODA_PHYS_PAGE_DEBUG_H

#include "base/format.h"
#include "kern/panic.h"
#include "phys/page.h"

/** Note the allocation of 2^order pages, and check that the free pattern is whole. */
void page_debug_alloc(struct page *page, unsigned order);

/** Check that the block may be freed (panics with both stacks if not), note it, poison it. */
void page_debug_free(struct page *page, unsigned order);

/** Filling free pages with a pattern costs a page's stores each: `page_poison=1` turns it on. */
void page_debug_init(void);

/** A page is in a state that it must not be in: report and panic. */
noreturn void bad_page(const struct page *page, const char *what);

/** Both stacks of a page, for `page PFN`; nothing in release builds. */
void page_debug_print(struct sink *out, const struct page *page);

#endif
