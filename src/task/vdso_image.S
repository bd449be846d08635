/* SPDX-License-Identifier: MIT */
/* vdso_image.S - the vdso (vdso/) as bytes of the monitor's image; vdso.c maps it. */
    .section .rodata
    .balign 8
    .globl vdso_image, vdso_image_end
vdso_image:
    .incbin "vdso.so"
vdso_image_end:
    .if (vdso_image_end - vdso_image) > 4096
    .error "the vdso is more than a page"
    .endif
