/* SPDX-License-Identifier: MIT */
/*
 * machine_hart.c - /cpus: which harts there are, and which of them we can use.
 *
 *      cpus { timebase-frequency = <10000000>;
 *          cpu@0 { reg = <0>; status = "okay"; riscv,isa = "rv64imafdc_sstc";
 *                  mmu-type = "riscv,sv48"; numa-node-id = <0>;
 *                  interrupt-controller { phandle = <8>; } } }
 *
 * A hart is usable if it is enabled, speaks rv64imac (that is what this image is compiled to) and
 * translates by Sv39 or more; Sv48 and Sv57 harts do Sv39 as well. The others are left out with a
 * warning, the boot hart among them is a reason to refuse.
 *
 * Locks: none. Invariant: harts[0] is the boot hart, the rest sorted by hart id.
 * Linux's counterpart: riscv_of_processor_hartid(), of_parse_and_init_cpus().
 */
#include "base/errno.h"
#include "base/string.h"
#include "phys/machine_read.h"

/* The single letters and the words of riscv,isa that somebody asks for. */
static const struct {
    const char *name;
    uint32_t flag;
} isa_words[] = {
    {"f", ISA_F},
    {"d", ISA_D},
    {"c", ISA_C},
    {"h", ISA_H},
    {"v", ISA_V},
    {"sstc", ISA_SSTC},
    {"svinval", ISA_SVINVAL},
    {"svnapot", ISA_SVNAPOT},
    {"svpbmt", ISA_SVPBMT},
    {"svadu", ISA_SVADU},
    {"zicboz", ISA_ZICBOZ},
    {"zicbom", ISA_ZICBOM},
    {"zba", ISA_ZBA},
    {"zbb", ISA_ZBB},
    {"zbs", ISA_ZBS},
};

static uint32_t isa_flag(const char *word, size_t len)
{
    for (size_t i = 0; i < ARRAY_SIZE(isa_words); i++)
        if (strlen(isa_words[i].name) == len && strncmp(isa_words[i].name, word, len) == 0)
            return isa_words[i].flag;
    return 0;
}

/* Length of the word at s: up to the next '_', or the end. */
static size_t word_length(const char *s)
{
    const char *end = strchr(s, '_');

    return end ? (size_t)(end - s) : strlen(s);
}

/* Flags of "rv64imafdc_zicsr_..."; false if it lacks one of the letters that we are made of. */
static bool parse_isa(const char *isa, uint32_t *flags)
{
    enum { I = 1, M = 2, A = 4 };
    uint32_t base = 0;

    *flags = 0;
    if (strncmp(isa, "rv64", strlen("rv64")) != 0)
        return false;
    const char *s = isa + strlen("rv64");
    /* Single letters end at '_', or where a word of several letters begins. */
    for (; *s && *s != '_' && *s != 's' && *s != 'x' && *s != 'z'; s++) {
        if (*s == 'g') {
            base |= I | M | A;
            *flags |= ISA_F | ISA_D;
        }
        base |= *s == 'i' ? I : *s == 'm' ? M : *s == 'a' ? A : 0;
        *flags |= isa_flag(s, 1);
    }
    while (*s) {
        size_t len = word_length(s);
        *flags |= isa_flag(s, len);
        s += len;
        s += *s == '_';
    }
    return base == (I | M | A) && (*flags & ISA_C);
}

/* Newer trees have a list of words instead of one string: join them to what the old one was. */
static void join_extensions(const struct fdt *fdt, fdt_node_t cpu, char *out, size_t size)
{
    const char *base = fdt_string(fdt, cpu, "riscv,isa-base");
    struct fdt_prop list;
    size_t len = strlcpy(out, base ? base : "", size);

    if (!fdt_prop(fdt, cpu, "riscv,isa-extensions", &list))
        return;
    for (uint32_t at = 0; at < list.len;) {
        const char *word = (const char *)list.value + at;
        size_t word_len = strnlen(word, list.len - at);
        at += (uint32_t)word_len + 1;
        if (len + word_len + 2 > size || (word_len == 1 && *word == 'i'))
            continue; /* the base says "rv64i" already */
        if (word_len > 1)
            out[len++] = '_';
        memcpy(out + len, word, word_len);
        len += word_len;
        out[len] = '\0';
    }
}

/* riscv,isa, whole for the flags, cut for show. NULL, or why the hart is no use. */
static const char *read_isa(const struct fdt *fdt, fdt_node_t cpu, struct machine_hart *hart)
{
    enum { JOINED_MAX = 1024 };
    const char *isa = fdt_string(fdt, cpu, "riscv,isa");
    char joined[JOINED_MAX];

    if (!isa) {
        join_extensions(fdt, cpu, joined, sizeof(joined));
        isa = joined;
    }
    machine_copy_text(hart->isa_string, isa, sizeof(hart->isa_string));
    return parse_isa(isa, &hart->isa) ? NULL : "is not rv64imac";
}

/* Absent means an old tree: a hart that got as far as S-mode has Sv39. */
static const char *read_mmu(const struct fdt *fdt, fdt_node_t cpu, struct machine_hart *hart)
{
    const char *type = fdt_string(fdt, cpu, "mmu-type");

    hart->sv = 39;
    if (type && strcmp(type, "riscv,sv48") == 0)
        hart->sv = 48;
    else if (type && strcmp(type, "riscv,sv57") == 0)
        hart->sv = 57;
    else if (type && strcmp(type, "riscv,sv39") != 0)
        return "has no Sv39";
    return NULL;
}

/* The phandle by which interrupt controllers name this hart: its cpu-intc child's. */
static uint32_t read_intc(const struct fdt *fdt, fdt_node_t cpu)
{
    uint32_t phandle;

    fdt_for_each_child(fdt, cpu, child) {
        if (fdt_compatible(fdt, child, "riscv,cpu-intc") &&
            fdt_u32(fdt, child, "phandle", &phandle) == 0)
            return phandle;
    }
    return 0;
}

/* harts[0] stays for the boot hart, the others are kept sorted. */
static void insert_hart(struct machine *m, const struct machine_hart *hart)
{
    uint32_t at = hart->hartid == m->boot_hartid ? 0 : m->nr_harts;

    while (at > 1 && m->harts[at - 1].hartid > hart->hartid) {
        m->harts[at] = m->harts[at - 1];
        at--;
    }
    m->harts[at] = *hart;
}

/* One cpu node. m->harts[0] is kept free for the boot hart, so nr_harts begins at 1. */
static void read_hart(struct machine *m, const struct fdt *fdt, fdt_node_t cpu, fdt_node_t cpus)
{
    struct machine_hart hart = {0};
    uint64_t size;

    if (fdt_bus_reg(fdt, cpu, cpus, 0, &hart.hartid, &size)) {
        machine_warn(m, "%s: no hart id, left out", fdt_name(fdt, cpu));
        return;
    }
    if (!fdt_enabled(fdt, cpu)) {
        m->nr_disabled++;
        return;
    }
    const char *wrong = read_isa(fdt, cpu, &hart);
    if (!wrong)
        wrong = read_mmu(fdt, cpu, &hart);
    bool boot = hart.hartid == m->boot_hartid;
    if (!wrong && (machine_hart_index(m, hart.hartid) > 0 || (boot && m->harts[0].sv)))
        wrong = "occurs twice";
    if (!wrong && !boot && m->nr_harts == MAX_HARTS)
        wrong = "is one too many";
    if (wrong) {
        machine_warn(m, "hart %lu: %s, left out", hart.hartid, wrong);
        return;
    }
    hart.intc_phandle = read_intc(fdt, cpu);
    if (fdt_u32(fdt, cpu, "riscv,cboz-block-size", &hart.cboz_size))
        hart.cboz_size = 0;
    hart.nid = (uint8_t)machine_read_nid(m, fdt, cpu);
    insert_hart(m, &hart);
    m->nr_harts += !boot;
}

static int refuse(struct machine *m, const char *reason)
{
    m->reason = reason;
    return -ENODEV;
}

/* In /cpus, or in old trees in each cpu. */
static int read_timebase(struct machine *m, const struct fdt *fdt, fdt_node_t cpus)
{
    if (fdt_u64(fdt, cpus, "timebase-frequency", &m->timebase_hz) &&
        fdt_u64(fdt, fdt_child(fdt, cpus, "cpu"), "timebase-frequency", &m->timebase_hz))
        return refuse(m, "/cpus tells no timebase-frequency");
    return m->timebase_hz ? 0 : refuse(m, "timebase-frequency is 0");
}

int machine_read_harts(struct machine *m, const struct fdt *fdt)
{
    fdt_node_t cpus = fdt_path(fdt, "/cpus", strlen("/cpus"));

    m->nr_harts = 1;
    m->harts[0].hartid = m->boot_hartid;
    fdt_for_each_child(fdt, cpus, cpu) {
        const char *type = fdt_string(fdt, cpu, "device_type");
        if (type && strcmp(type, "cpu") == 0)
            read_hart(m, fdt, cpu, cpus);
    }
    if (m->harts[0].sv == 0) {
        m->nr_harts = 0;
        return refuse(m, "the boot hart is not among the usable harts of /cpus");
    }
    return read_timebase(m, fdt, cpus);
}
