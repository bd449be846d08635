/* SPDX-License-Identifier: MIT */
/*
 * machine.h - the machine, as plain facts read once out of the device tree.
 *
 *      blob --fdt_open()--> struct fdt --machine_from_fdt()--> struct machine --> memblock, harts,
 *                                                                                  uart, plic, ...
 *
 * The rest of the monitor never sees the tree: it sees this struct. Everything has a fixed size
 * and nothing is allocated (there is no memory to allocate from yet), so the struct lies in BSS.
 * Where the tree lies or contradicts itself, and Linux goes on, so do we: the fact is repaired
 * and a line is added to `warnings`. Where going on makes no sense, machine_from_fdt() refuses
 * with `reason`.
 *
 * After it returned 0:
 *   - harts[0] is the boot hart, the others follow by rising hart id; all of them are usable
 *     (enabled, rv64, at least Sv39), and kern gives them these same indexes;
 *   - memory[] is sorted, not empty, its ranges do not overlap, all sizes are above 0;
 *   - every nid is below MAX_NODES and set in `nodes`;
 *   - distance[][] is filled for all MAX_NODES nodes: 10 on the diagonal, at least 11 elsewhere.
 *
 * Ranges are bytes as the firmware gave them; memblock trims them to whole pages.
 *
 * Locks: none; written once by the boot hart, then constant.
 * Linux's counterpart: early_init_dt_scan(), of_numa.c, and many an init function after them.
 */
#ifndef PAGODA_PHYS_MACHINE_H
#define PAGODA_PHYS_MACHINE_H

#include "base/bitmap.h"
#include "base/format.h"
#include "base/limits.h"
#include "base/types.h"
#include "phys/fdt.h"

#define MACHINE_MAX_MEMORY 64
#define MACHINE_MAX_RESERVED 64
#define MACHINE_MAX_PLICS MAX_NODES
#define MACHINE_MAX_VIRTIO 32
#define MACHINE_BOOTARGS_MAX 2048 /* Linux's COMMAND_LINE_SIZE is 1024 on riscv */
#define MACHINE_SEED_MAX 64
#define MACHINE_NAME_MAX 40
#define MACHINE_WARNINGS_MAX 4096

/* Distances as ACPI's SLIT has them; a node is 10 from itself. */
#define LOCAL_DISTANCE 10
#define REMOTE_DISTANCE 20

#define MACHINE_NO_IRQ 0u       /* PLIC source 0 does not exist */
#define MACHINE_NO_CONTEXT (-1) /* this PLIC does not serve this hart in S-mode */

/* Extensions of a hart that somebody here asks for. */
enum machine_isa {
    ISA_F = 1 << 0,
    ISA_D = 1 << 1,
    ISA_C = 1 << 2,
    ISA_H = 1 << 3,
    ISA_V = 1 << 4,
    ISA_SSTC = 1 << 5,
    ISA_SVINVAL = 1 << 6,
    ISA_SVNAPOT = 1 << 7,
    ISA_SVPBMT = 1 << 8,
    ISA_SVADU = 1 << 9,
    ISA_ZICBOZ = 1 << 10,
    ISA_ZICBOM = 1 << 11,
    ISA_ZBA = 1 << 12,
    ISA_ZBB = 1 << 13,
    ISA_ZBS = 1 << 14,
};

struct machine_hart {
    uint64_t hartid;
    uint32_t isa;          /* enum machine_isa */
    uint32_t intc_phandle; /* of its cpu-intc, 0 if none */
    uint32_t cboz_size;    /* riscv,cboz-block-size in bytes, 0 if not told */
    uint8_t nid;
    uint8_t sv;           /* 39, 48 or 57 */
    char isa_string[128]; /* for /proc/cpuinfo; cut if longer */
};

struct machine_range {
    paddr_t base;
    uint64_t size;
    uint32_t nid;
};

struct machine_reserved {
    paddr_t base;
    uint64_t size;
    bool no_map; /* must not even be mapped: the firmware's own, under PMP */
    char name[MACHINE_NAME_MAX];
};

struct machine_uart {
    bool present;
    paddr_t base;
    uint64_t size;
    uint32_t reg_shift; /* register n is at base + (n << reg_shift) */
    uint32_t io_width;  /* 1, 2 or 4 bytes an access */
    uint32_t clock_hz;  /* input clock, 0 if not told */
    uint32_t baud;      /* from stdout-path's options, 0 if not told */
    uint32_t irq;       /* MACHINE_NO_IRQ: poll it */
    int32_t plic;       /* index in plics[], -1 if none */
};

struct machine_rtc {
    paddr_t base; /* size 0: there is none */
    uint64_t size;
};

struct machine_plic {
    paddr_t base;
    uint64_t size;
    uint32_t phandle;
    uint32_t nr_sources; /* riscv,ndev: sources 1..nr_sources */
    uint32_t nid;
    int16_t context[MAX_HARTS]; /* S-mode context by index in harts[], or MACHINE_NO_CONTEXT */
};

struct machine_virtio {
    paddr_t base;
    uint64_t size;
    uint32_t irq;
    int32_t plic;
};

struct machine {
    char model[MACHINE_NAME_MAX];
    uint64_t timebase_hz;
    uint64_t boot_hartid;

    uint32_t nr_harts;
    uint32_t nr_disabled; /* harts that are there, but not for us */
    uint32_t nr_memory;
    uint32_t nr_reserved;
    uint32_t nr_plics;
    uint32_t nr_virtio;

    bool numa;        /* the tree had numa-node-id properties, and numa=off was not asked */
    nodemask_t nodes; /* all ids that a hart or a memory node (even an empty one) names */
    uint32_t nr_nodes;
    uint8_t distance[MAX_NODES][MAX_NODES];

    struct machine_hart harts[MAX_HARTS];
    struct machine_range memory[MACHINE_MAX_MEMORY];
    struct machine_reserved reserved[MACHINE_MAX_RESERVED];
    struct machine_uart uart;
    struct machine_rtc rtc;
    struct machine_plic plics[MACHINE_MAX_PLICS];
    struct machine_virtio virtio[MACHINE_MAX_VIRTIO];

    paddr_t initrd; /* initrd_size 0: there is none */
    uint64_t initrd_size;
    uint8_t rng_seed[MACHINE_SEED_MAX];
    uint32_t rng_seed_len;
    char bootargs[MACHINE_BOOTARGS_MAX];

    const char *reason; /* why machine_from_fdt() refused, or NULL */
    uint32_t nr_warnings;
    uint32_t warnings_len;
    char warnings[MACHINE_WARNINGS_MAX]; /* lines, each ended by '\n' */
};

/** The machine that we run on. Filled by main.c, constant afterwards. */
extern struct machine machine;

/**
 * Read all of the above from an opened tree. `boot_hartid` is what the firmware passed in a0.
 * 0, or -ENODEV (no memory, no boot hart, no timebase) or -EINVAL with m->reason set.
 */
int machine_from_fdt(struct machine *m, const struct fdt *fdt, uint64_t boot_hartid) must_check;

/** `numa=off`: all memory and all harts on node 0. */
void machine_numa_off(struct machine *m);

/** Index in m->harts of a hart id, or -1. */
int machine_hart_index(const struct machine *m, uint64_t hartid);

/** Index in m->plics of a phandle, or -1. */
int machine_plic_index(const struct machine *m, uint32_t phandle);

/** Copy text of the tree for show; what is not visible becomes '?': terminals obey some of it. */
void machine_copy_text(char *to, const char *from, size_t size);

/** Add a line to m->warnings; lines past its size are counted but lost. */
void machine_warn(struct machine *m, const char *fmt, ...) format_printf(2, 3);

/** Print what was found, a line a fact; the warnings are lines already. */
void machine_dump(const struct machine *m, struct sink *out);

#endif
