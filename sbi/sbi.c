/* SPDX-License-Identifier: MIT */
/*
 * sbi.c - calls to the firmware, new extensions first, those of 1.0's predecessors if need be.
 *
 *      sbi_probe(): base says 0.1?      -> only the legacy calls, one number each, masks in memory
 *                   0.2 and up          -> probe each extension that we can use
 *
 * Locks: none. `info` is written by the boot hart before others run.
 * Linux's counterpart: arch/riscv/kernel/sbi.c.
 */
#include "sbi/sbi.h"

#include "arch/csr.h"
#include "arch/layout.h"

/* Legacy extensions are their own function. */
#define LEGACY_SET_TIMER 0
#define LEGACY_PUTCHAR 1
#define LEGACY_GETCHAR 2
#define LEGACY_SEND_IPI 4
#define LEGACY_REMOTE_FENCE_I 5
#define LEGACY_REMOTE_SFENCE 6
#define LEGACY_REMOTE_SFENCE_ASID 7
#define LEGACY_SHUTDOWN 8

#define EXT_BASE 0x10
#define BASE_SPEC_VERSION 0
#define BASE_IMPL_ID 1
#define BASE_IMPL_VERSION 2
#define BASE_PROBE 3

#define EXT_TIME 0x54494d45
#define TIME_SET 0

#define EXT_IPI 0x735049
#define IPI_SEND 0

#define EXT_RFENCE 0x52464e43
#define RFENCE_FENCE_I 0
#define RFENCE_SFENCE 1
#define RFENCE_SFENCE_ASID 2

#define EXT_HSM 0x48534d
#define HSM_START 0
#define HSM_STOP 1
#define HSM_STATUS 2

#define EXT_SRST 0x53525354
#define SRST_RESET 0

#define EXT_DBCN 0x4442434e
#define DBCN_WRITE 0
#define DBCN_READ 1
#define DBCN_WRITE_BYTE 2

#define SPEC_0_2 2
#define MASK_BITS 64

struct sbi_ret {
    int64_t error;
    int64_t value;
};

static struct sbi_info info;
static bool have_sstc;
uint64_t boot_satp;

static struct sbi_ret call(uint64_t ext, uint64_t fn, uint64_t arg0, uint64_t arg1, uint64_t arg2,
                           uint64_t arg3, uint64_t arg4)
{
    register uint64_t a0 __asm__("a0") = arg0;
    register uint64_t a1 __asm__("a1") = arg1;
    register uint64_t a2 __asm__("a2") = arg2;
    register uint64_t a3 __asm__("a3") = arg3;
    register uint64_t a4 __asm__("a4") = arg4;
    register uint64_t a6 __asm__("a6") = fn;
    register uint64_t a7 __asm__("a7") = ext;
    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1)
                     : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7)
                     : "memory");
    return (struct sbi_ret){(int64_t)a0, (int64_t)a1};
}

static int64_t legacy(uint64_t ext, uint64_t arg0, uint64_t arg1, uint64_t arg2, uint64_t arg3)
{
    return call(ext, 0, arg0, arg1, arg2, arg3, 0).error;
}

/* --- what there is --------------------------------------------------------------------------- */

static bool probe(uint64_t ext)
{
    struct sbi_ret r = call(EXT_BASE, BASE_PROBE, ext, 0, 0, 0, 0);
    return r.error == SBI_SUCCESS && r.value != 0;
}

static uint64_t base_value(uint64_t fn)
{
    struct sbi_ret r = call(EXT_BASE, fn, 0, 0, 0, 0, 0);
    return r.error == SBI_SUCCESS ? (uint64_t)r.value : 0;
}

void sbi_probe(void)
{
    struct sbi_ret r = call(EXT_BASE, BASE_SPEC_VERSION, 0, 0, 0, 0, 0);
    /* An SBI 0.1 that does not know the call may answer anything but success. */
    info.base = r.error == SBI_SUCCESS && r.value >= SPEC_0_2;
    if (!info.base) {
        info.spec_version = 1;
        return;
    }
    info.spec_version = (uint64_t)r.value;
    info.impl_id = base_value(BASE_IMPL_ID);
    info.impl_version = base_value(BASE_IMPL_VERSION);
    info.time = probe(EXT_TIME);
    info.ipi = probe(EXT_IPI);
    info.rfence = probe(EXT_RFENCE);
    info.hsm = probe(EXT_HSM);
    info.srst = probe(EXT_SRST);
    info.dbcn = probe(EXT_DBCN);
}

const struct sbi_info *sbi_info(void)
{
    return &info;
}

const char *sbi_impl_name(uint64_t impl_id)
{
    static const char *const names[] = {"BBL",           "OpenSBI",  "Xvisor", "KVM",
                                        "RustSBI",       "Diosix",   "Coffer", "Xen",
                                        "PolarFire HSS", "coreboot", "oreboot"};
    return impl_id < ARRAY_SIZE(names) ? names[impl_id] : "unknown firmware";
}

const char *sbi_error_name(int64_t err)
{
    static const char *const names[] = {"success",           "failed",          "not supported",
                                        "invalid parameter", "denied",          "invalid address",
                                        "already available", "already started", "already stopped"};
    return err <= 0 && (uint64_t)-err < ARRAY_SIZE(names) ? names[-err] : "unknown error";
}

/* --- console --------------------------------------------------------------------------------- */

/* DBCN takes physical addresses, so what lies in the vmalloc area goes byte by byte. */
static bool has_phys_address(const char *buf)
{
    return vaddr_is_linear(buf) || (uint64_t)buf >= IMAGE_BASE;
}

static void write_byte(char c)
{
    if (info.dbcn)
        (void)call(EXT_DBCN, DBCN_WRITE_BYTE, (uint8_t)c, 0, 0, 0, 0);
    else
        (void)legacy(LEGACY_PUTCHAR, (uint8_t)c, 0, 0, 0);
}

void sbi_console_write(const char *buf, size_t n)
{
    while (info.dbcn && n > 0 && has_phys_address(buf)) {
        struct sbi_ret r = call(EXT_DBCN, DBCN_WRITE, n, virt_to_phys(buf).v, 0, 0, 0);
        if (r.error != SBI_SUCCESS)
            break;
        buf += r.value;
        n -= (size_t)r.value;
    }
    for (size_t i = 0; i < n; i++)
        write_byte(buf[i]);
}

int sbi_console_poll(void)
{
    static char byte; /* in the image, so that its physical address is known */
    if (!info.dbcn)
        return (int)legacy(LEGACY_GETCHAR, 0, 0, 0, 0);
    struct sbi_ret r = call(EXT_DBCN, DBCN_READ, 1, virt_to_phys(&byte).v, 0, 0, 0);
    return r.error == SBI_SUCCESS && r.value == 1 ? (uint8_t)byte : -1;
}

/* --- timer ----------------------------------------------------------------------------------- */

/* The hart may have Sstc while the firmware keeps it to itself (menvcfg.STCE): then it traps. */
static bool stimecmp_is_ours(void)
{
    uint64_t value, ours = 0;
    __asm__ volatile("1: csrr %0, %2\n"
                     "   li %1, 1\n"
                     "2:\n"
                     ".pushsection __ex_table, \"a\"\n"
                     ".balign 8\n"
                     ".dword 1b, 2b\n"
                     ".popsection"
                     : "=&r"(value), "+r"(ours)
                     : "i"(CSR_STIMECMP));
    return ours;
}

void sbi_use_sstc(bool yes)
{
    have_sstc = yes && stimecmp_is_ours();
}

void sbi_set_timer(uint64_t deadline)
{
    if (have_sstc)
        __asm__ volatile("csrw %0, %1" ::"i"(CSR_STIMECMP), "r"(deadline) : "memory");
    else if (info.time)
        (void)call(EXT_TIME, TIME_SET, deadline, 0, 0, 0, 0);
    else
        (void)legacy(LEGACY_SET_TIMER, deadline, 0, 0, 0);
}

/* --- sets of harts --------------------------------------------------------------------------- */

bool sbi_next_window(uint64_t *ids, size_t *n, uint64_t *mask, uint64_t *base)
{
    size_t left = 0;
    if (*n == 0)
        return false;
    *base = ids[0];
    for (size_t i = 1; i < *n; i++)
        *base = MIN(*base, ids[i]);
    *mask = 0;
    for (size_t i = 0; i < *n; i++) {
        if (ids[i] - *base < MASK_BITS)
            *mask |= 1UL << (ids[i] - *base);
        else
            ids[left++] = ids[i];
    }
    *n = left;
    return true;
}

/* Legacy calls take the address of a mask of ids from 0, as the caller's mode sees it. */
static int legacy_masked(uint64_t ext, uint64_t mask, uint64_t base, uint64_t arg1, uint64_t arg2,
                         uint64_t arg3)
{
    uint64_t words[2];
    if (base >= MASK_BITS)
        return SBI_ERR_INVALID_PARAM;
    words[0] = mask << base;
    words[1] = base ? mask >> (MASK_BITS - base) : 0;
    return (int)legacy(ext, (uint64_t)words, arg1, arg2, arg3);
}

int sbi_send_ipi(uint64_t mask, uint64_t base)
{
    if (!info.ipi)
        return legacy_masked(LEGACY_SEND_IPI, mask, base, 0, 0, 0);
    return (int)call(EXT_IPI, IPI_SEND, mask, base, 0, 0, 0).error;
}

int sbi_remote_fence_i(uint64_t mask, uint64_t base)
{
    if (!info.rfence)
        return legacy_masked(LEGACY_REMOTE_FENCE_I, mask, base, 0, 0, 0);
    return (int)call(EXT_RFENCE, RFENCE_FENCE_I, mask, base, 0, 0, 0).error;
}

int sbi_remote_sfence_vma(uint64_t mask, uint64_t base, vaddr_t start, uint64_t size)
{
    if (!info.rfence)
        return legacy_masked(LEGACY_REMOTE_SFENCE, mask, base, start.v, size, 0);
    return (int)call(EXT_RFENCE, RFENCE_SFENCE, mask, base, start.v, size, 0).error;
}

int sbi_remote_sfence_vma_asid(uint64_t mask, uint64_t base, vaddr_t start, uint64_t size,
                               uint64_t asid)
{
    if (!info.rfence)
        return legacy_masked(LEGACY_REMOTE_SFENCE_ASID, mask, base, start.v, size, asid);
    return (int)call(EXT_RFENCE, RFENCE_SFENCE_ASID, mask, base, start.v, size, asid).error;
}

/* --- harts and the machine ------------------------------------------------------------------- */

int sbi_hart_start(uint64_t hartid, paddr_t entry, uint64_t opaque)
{
    if (!info.hsm)
        return SBI_ERR_NOT_SUPPORTED;
    return (int)call(EXT_HSM, HSM_START, hartid, entry.v, opaque, 0, 0).error;
}

void sbi_hart_stop(void)
{
    if (info.hsm)
        (void)call(EXT_HSM, HSM_STOP, 0, 0, 0, 0, 0);
}

int sbi_hart_status(uint64_t hartid)
{
    if (!info.hsm)
        return SBI_ERR_NOT_SUPPORTED;
    struct sbi_ret r = call(EXT_HSM, HSM_STATUS, hartid, 0, 0, 0, 0);
    return (int)(r.error == SBI_SUCCESS ? r.value : r.error);
}

void sbi_system_reset(enum sbi_reset type, enum sbi_reason reason)
{
    if (info.srst)
        (void)call(EXT_SRST, SRST_RESET, type, reason, 0, 0, 0);
    (void)legacy(LEGACY_SHUTDOWN, 0, 0, 0, 0);
    for (;;)
        __asm__ volatile("wfi");
}
