/* SPDX-License-Identifier: MIT */
/*
 * shmem.h - memory that several address spaces share: an object with pages and no file.
 */
#ifndef PAGODA_FAULT_SHMEM_H
#define PAGODA_FAULT_SHMEM_H

#include "virt/mapping.h"

/**
 * An object of `size` bytes, all zero, with one reference (mapping_put() drops it). Its pages are
 * made when they are touched and live as long as it does. NULL when out of memory.
 */
struct address_space *shmem_create(uint64_t size);

#endif
