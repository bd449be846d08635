/* SPDX-License-Identifier: MIT */
/*
 * ram.c - memory where the monitor expects its linear map and its mem_map.
 *
 * Both are reserved as a whole before main(); a page of them costs memory once it is touched.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "arch/layout.h"
#include "support/host.h"

#define RAM_SIZE (16UL << 30)
#define MAP_SIZE (RAM_SIZE / 4096 * 64)

static void reserve(uint64_t base, uint64_t size)
{
    void *p = mmap((void *)base, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (p != (void *)base) {
        perror("host RAM");
        exit(2);
    }
}

__attribute__((constructor)) static void host_ram_init(void)
{
    reserve(LINEAR_BASE, RAM_SIZE);
    reserve(VMEMMAP_BASE, MAP_SIZE);
}

void host_ram_clear(void)
{
    madvise((void *)LINEAR_BASE, RAM_SIZE, MADV_DONTNEED);
    madvise((void *)VMEMMAP_BASE, MAP_SIZE, MADV_DONTNEED);
}
