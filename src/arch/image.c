/* SPDX-License-Identifier: MIT */
/*
 * image.c - the image's parts, and what may be done with each: W or X, never both.
 *
 * Locks: none; constant. Linux's counterpart: mark_rodata_ro() and STRICT_KERNEL_RWX.
 */
#include "arch/layout.h"
#include "arch/pte.h"

const struct image_section image_sections[] = {
    {"text", text_start, text_end, PTE_R | PTE_X},
    {"rodata", rodata_start, rodata_end, PTE_R},
    {"data", data_start, boot_stack_guard, PTE_R | PTE_W},
    {"boot stack", boot_stack_low, boot_stack_top, PTE_R | PTE_W},
};
const uint32_t nr_image_sections = ARRAY_SIZE(image_sections);
