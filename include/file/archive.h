/* SPDX-License-Identifier: MIT */
/*
 * archive.h - the guest archive: the files that came with the machine, in a cpio.
 */
#ifndef PAGODA_FILE_ARCHIVE_H
#define PAGODA_FILE_ARCHIVE_H

#include "file/inode.h"

/**
 * Take the files out of the archive at @base (the initrd, reserved in memblock), keep their pages
 * where they lie, and give the other pages to the allocator. A broken member ends the reading with
 * a warning; what came before it stays. After slab_init() and lru_init(). Boot only.
 */
void archive_init(paddr_t base, uint64_t size);

#endif
