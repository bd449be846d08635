/* SPDX-License-Identifier: MIT */
/*
 * crc32.h - the checksum of Ethernet and zlib (polynomial 0xedb88320).
 */
#ifndef PAGODA_BASE_CRC32_H
#define PAGODA_BASE_CRC32_H

#include "base/types.h"

/** Continue @crc (0 to begin) over @n bytes. */
uint32_t crc32(uint32_t crc, const void *data, size_t n);

#endif
