/* SPDX-License-Identifier: MIT */
/*
 * sbi.h - what we ask of the firmware.
 *
 *      a7 extension, a6 function, a0.. arguments --ecall--> OpenSBI (M-mode) --> a0 error, a1 value
 *
 *      wish            extension     fallback of SBI 0.1, if the probe says there is no better
 *      console bytes   DBCN          legacy 1 (putchar), 2 (getchar)
 *      timer           Sstc / TIME   legacy 0 (set_timer)
 *      wake a hart     sPI           legacy 4 (send_ipi)
 *      forget a TLB    RFNC          legacy 6, 7 (remote_sfence_vma, with ASID)
 *      start a hart    HSM           none: only the boot hart runs
 *      end             SRST          legacy 8 (shutdown)
 *
 * SBI names harts by a 64-bit mask and the id of its bit 0. Machines may number their harts as they
 * like, so a set of harts takes one call for each window of 64 ids.
 *
 * Locks: none; OpenSBI serialises what must be. Probed once by the boot hart.
 * Linux's counterpart: arch/riscv/kernel/sbi.c.
 */
#ifndef PAGODA_SBI_SBI_H
#define PAGODA_SBI_SBI_H

#ifndef __ASSEMBLER__
#include "base/types.h"

enum sbi_error {
    SBI_SUCCESS = 0,
    SBI_ERR_FAILED = -1,
    SBI_ERR_NOT_SUPPORTED = -2,
    SBI_ERR_INVALID_PARAM = -3,
    SBI_ERR_DENIED = -4,
    SBI_ERR_INVALID_ADDRESS = -5,
    SBI_ERR_ALREADY_AVAILABLE = -6,
    SBI_ERR_ALREADY_STARTED = -7,
    SBI_ERR_ALREADY_STOPPED = -8,
};

enum sbi_reset { SBI_RESET_SHUTDOWN = 0, SBI_RESET_COLD_REBOOT = 1, SBI_RESET_WARM_REBOOT = 2 };
enum sbi_reason { SBI_RESET_NO_REASON = 0, SBI_RESET_FAILURE = 1 };

/** What the firmware is and can do. */
struct sbi_info {
    uint64_t spec_version; /* major << 24 | minor; 0.1 reports 1 */
    uint64_t impl_id;      /* 1: OpenSBI */
    uint64_t impl_version; /* OpenSBI: major << 16 | minor */
    bool base, dbcn, time, ipi, rfence, hsm, srst;
};

/** Ask which extensions there are. First of all; before it everything uses the fallbacks. */
void sbi_probe(void);
const struct sbi_info *sbi_info(void);

/** The name of an implementation id, "OpenSBI" and so on; never NULL. */
const char *sbi_impl_name(uint64_t impl_id);

/** A word for an error, for messages. */
const char *sbi_error_name(int64_t err);

/** Console bytes, as they are. buf may lie anywhere in the monitor's memory. */
void sbi_console_write(const char *buf, size_t n);

/** One byte that has come in, or -1. */
int sbi_console_poll(void);

/**
 * All harts have Sstc (device tree): if the firmware lets us, sbi_set_timer() costs one CSR write
 * from now on. The trap vector is set.
 */
void sbi_use_sstc(bool yes);

/** Timer interrupt of this hart when rdtime >= deadline; also takes a pending one back. */
void sbi_set_timer(uint64_t deadline);

/* A set of harts, as SBI takes it: bit n of mask is the hart with id base + n. */

/** Cause a software interrupt on them. 0 or an sbi_error. */
int sbi_send_ipi(uint64_t mask, uint64_t base);

/**
 * Have them forget translations of [start, start+size), or all if size is UINT64_MAX; with an ASID
 * only that one's, and not global ones. Returns when they have. 0 or an sbi_error.
 */
int sbi_remote_sfence_vma(uint64_t mask, uint64_t base, vaddr_t start, uint64_t size);
int sbi_remote_sfence_vma_asid(uint64_t mask, uint64_t base, vaddr_t start, uint64_t size,
                               uint64_t asid);

/** Have them run fence.i. */
int sbi_remote_fence_i(uint64_t mask, uint64_t base);

/**
 * Cut a set of hart ids into such windows: the first one's mask and base, its ids taken out of
 * ids[0..*n-1] (the order of the rest may change). False when none were left.
 *
 *      while (sbi_next_window(ids, &n, &mask, &base))
 *          sbi_send_ipi(mask, base);
 */
bool sbi_next_window(uint64_t *ids, size_t *n, uint64_t *mask, uint64_t *base);

/** Start a stopped hart at `entry` (physical, MMU off) with a0 = its id, a1 = opaque. */
int sbi_hart_start(uint64_t hartid, paddr_t entry, uint64_t opaque);

/** Stop this hart; returns only if that failed. */
void sbi_hart_stop(void);

/** 0 started, 1 stopped, 2 start pending, ... or an sbi_error. */
int sbi_hart_status(uint64_t hartid);

/** End the machine. Falls back to legacy shutdown, then to sleeping for ever. */
noreturn void sbi_system_reset(enum sbi_reset type, enum sbi_reason reason);

/* --- where harts enter: entry.S ------------------------------------------------------------- */

/**
 * What further harts start with. sbi_hart_start(id, virt_to_phys(secondary_entry), physical address
 * of its struct hart), whose arch.kernel_sp is the stack to use; satp becomes boot_satp.
 */
extern char secondary_entry[];

/** The kernel's satp value; the kernel map writes it once its root stands. 0: the early tables. */
extern uint64_t boot_satp;

/* What entry.S expects of main.c. */
struct hart;
extern struct hart boot_hart; /* the boot hart's tp */

/** The boot hart, on the boot stack, early tables, trap vector set, BSS zeroed. */
noreturn void monitor_main(uint64_t hartid, uint64_t dtb_paddr);

/** A further hart, on its own stack, tp = its struct hart, boot_satp's tables, trap vector set. */
noreturn void secondary_main(struct hart *hart);

#endif
#endif
