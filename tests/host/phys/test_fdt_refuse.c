/* SPDX-License-Identifier: MIT */
/*
 * test_fdt_refuse.c - device trees that must be refused, each reason at least once.
 *
 * A table: how a good tree is broken, and which error and reason must come back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/errno.h"
#include "fdt_example.h"

/* --- how trees are broken --------------------------------------------------------------------- */

struct refusal {
    const char *reason; /* part of it */
    int error;
    void (*build)(struct builder *b);  /* instead of tree(); NULL: tree() */
    void (*breaks)(struct builder *b); /* patches the finished blob */
};
#define BREAKS(name, action)            \
    static void name(struct builder *b) \
    {                                   \
        action;                         \
    }

BREAKS(break_magic, b->blob[0] = 0)
BREAKS(break_old, build_patch(b, AT_VERSION, 15))
BREAKS(break_new, build_patch(b, AT_LAST_COMPATIBLE, 18))
static void break_compat(struct builder *b)
{
    build_patch(b, AT_VERSION, 16);
    build_patch(b, AT_LAST_COMPATIBLE, 17);
}
BREAKS(break_small, build_patch(b, AT_TOTAL_SIZE, 39))
BREAKS(break_huge, build_patch(b, AT_TOTAL_SIZE, FDT_MAX_SIZE + 1))
BREAKS(break_cut, build_patch(b, AT_TOTAL_SIZE, b->size + 1))
BREAKS(break_rsv_align, build_patch(b, AT_OFF_RSVMAP, AT_RSVMAP + 4))
BREAKS(break_rsv_low, build_patch(b, AT_OFF_RSVMAP, 32))
BREAKS(break_rsv_far, build_patch(b, AT_OFF_RSVMAP, 0xfffffff8))
static void break_rsv_end(struct builder *b)
{
    /* The strings, non-zero bytes to the end of the blob, as reservations. */
    uint32_t at = ALIGN_UP(b->size - b->nr_strings, 8u);
    build_patch(b, AT_OFF_RSVMAP, at);
    memset(b->blob + at, 1, b->size - at);
}
BREAKS(break_strings_far, build_patch(b, AT_OFF_STRINGS, b->size + 1))
BREAKS(break_strings_low, build_patch(b, AT_OFF_STRINGS, 0))
BREAKS(break_strings_long, build_patch(b, AT_SIZE_STRINGS, 0xffffffff))
BREAKS(break_strings_open, b->blob[b->size - 1] = 'x')
BREAKS(break_struct_align, build_patch(b, AT_OFF_STRUCT, 42))
BREAKS(break_struct_far, build_patch(b, AT_OFF_STRUCT, 0x80000000))
BREAKS(break_struct_low, build_patch(b, AT_OFF_STRUCT, 8))
BREAKS(break_struct_long, build_patch(b, AT_SIZE_STRUCT, 0xfffffff0))
BREAKS(break_struct_short, build_patch(b, AT_SIZE_STRUCT, b->nr_structs - 4))
BREAKS(break_struct_empty, build_patch(b, AT_SIZE_STRUCT, 0))
static void break_overlap_strings(struct builder *b)
{
    build_patch(b, AT_OFF_STRINGS, AT_RSVMAP);
    build_patch(b, AT_SIZE_STRINGS, b->size - AT_RSVMAP);
}
BREAKS(break_overlap_claim, build_patch(b, AT_SIZE_STRUCT, b->nr_structs + 4))
/* An empty list of reservations, inside of a property. */
static void build_zeros(struct builder *b)
{
    static const uint8_t zeros[32];

    build_init(b);
    build_begin(b, "");
    build_prop(b, "zeros", zeros, sizeof(zeros));
    build_end(b);
}
static void break_overlap_rsv(struct builder *b)
{
    enum { VALUE = 20 }; /* BEGIN_NODE, name, PROP, length, name */

    build_patch(b, AT_OFF_RSVMAP, ALIGN_UP(b->at_structs + VALUE, 8u));
}
BREAKS(break_token, build_patch(b, b->at_structs, 7))
BREAKS(break_prop_len, build_patch(b, b->at_structs + 12, 0xfffffff0))
BREAKS(break_prop_name, build_patch(b, b->at_structs + 16, b->nr_strings))

static void build_no_root(struct builder *b)
{
    build_init(b);
}
static void build_named_root(struct builder *b)
{
    build_init(b);
    build_begin(b, "root");
    build_end(b);
}
static void build_two_roots(struct builder *b)
{
    build_init(b);
    build_begin(b, "");
    build_end(b);
    build_begin(b, "");
    build_end(b);
}
static void build_nameless_child(struct builder *b)
{
    build_init(b);
    build_begin(b, "");
    build_begin(b, "");
    build_end(b);
    build_end(b);
}
static void build_slash(struct builder *b)
{
    build_init(b);
    build_begin(b, "");
    build_begin(b, "a/b");
    build_end(b);
    build_end(b);
}
static void build_escape(struct builder *b)
{
    build_init(b);
    build_begin(b, "");
    build_begin(b, "\033[2J");
    build_end(b);
    build_end(b);
}
static void build_deep(struct builder *b)
{
    build_init(b);
    build_begin(b, "");
    for (uint32_t i = 0; i < FDT_MAX_DEPTH; i++)
        build_begin(b, "n");
    for (uint32_t i = 0; i <= FDT_MAX_DEPTH; i++)
        build_end(b);
}
static void build_extra_end(struct builder *b)
{
    build_init(b);
    build_begin(b, "");
    build_end(b);
    build_end(b);
}
static void build_missing_end_node(struct builder *b)
{
    build_init(b);
    build_begin(b, "");
}
static void build_prop_outside(struct builder *b)
{
    build_init(b);
    build_begin(b, "");
    build_end(b);
    build_str(b, "late", "x");
}
static void build_prop_behind_child(struct builder *b)
{
    build_init(b);
    build_begin(b, "");
    build_begin(b, "child");
    build_end(b);
    build_str(b, "late", "x");
    build_end(b);
}
static void build_long_name(struct builder *b)
{
    char name[FDT_NAME_MAX + 1];

    memset(name, 'a', FDT_NAME_MAX);
    name[FDT_NAME_MAX] = '\0';
    build_init(b);
    build_begin(b, "");
    build_begin(b, name);
    build_end(b);
    build_end(b);
}
/* BEGIN_NODE whose name runs to the end of the structure. */
static void build_open_name(struct builder *b)
{
    build_init(b);
    build_begin(b, "");
    build_word(b, FDT_BEGIN_NODE);
    b->structs[b->nr_structs] = 'x';
    b->structs[b->nr_structs + 1] = 'x';
    b->structs[b->nr_structs + 2] = 'x';
    b->structs[b->nr_structs + 3] = 'x';
    b->nr_structs += 4;
}
BREAKS(break_open_name, build_patch(b, AT_SIZE_STRUCT, b->nr_structs - 4))
static void build_half_prop(struct builder *b)
{
    build_init(b);
    build_begin(b, "");
    build_word(b, FDT_PROP);
}

static const struct refusal refusals[] = {
    {"magic", -EINVAL, NULL, break_magic},
    {"below 16", -EOPNOTSUPP, NULL, break_old},
    {"after 17", -EOPNOTSUPP, NULL, break_new},
    {"older than the oldest", -EINVAL, NULL, break_compat},
    {"smaller than its header", -EINVAL, NULL, break_small},
    {"larger than 2 MiB", -E2BIG, NULL, break_huge},
    {"cut off", -E2BIG, NULL, break_cut},
    {"8-byte aligned", -EINVAL, NULL, break_rsv_align},
    {"reservations lie outside", -EFAULT, NULL, break_rsv_low},
    {"reservations lie outside", -EFAULT, NULL, break_rsv_far},
    {"reservations do not end", -EFAULT, NULL, break_rsv_end},
    {"strings lie outside", -EFAULT, NULL, break_strings_far},
    {"strings lie outside", -EFAULT, NULL, break_strings_low},
    {"strings lie outside", -EFAULT, NULL, break_strings_long},
    {"last string does not end", -EINVAL, NULL, break_strings_open},
    {"4-byte aligned", -EINVAL, NULL, break_struct_align},
    {"structure lies outside", -EFAULT, NULL, break_struct_far},
    {"structure lies outside", -EFAULT, NULL, break_struct_low},
    {"longer than it is", -EFAULT, NULL, break_struct_long},
    {"runs out before it ends", -EINVAL, NULL, break_struct_short},
    {"runs out before it ends", -EINVAL, NULL, break_struct_empty},
    {"overlap", -EINVAL, NULL, break_overlap_strings},
    {"overlap", -EINVAL, NULL, break_overlap_claim},
    {"overlap", -EINVAL, build_zeros, break_overlap_rsv},
    {"token that does not exist", -EINVAL, NULL, break_token},
    {"longer than what is left", -EINVAL, NULL, break_prop_len},
    {"outside the strings", -EINVAL, NULL, break_prop_name},
    {"no root", -EINVAL, build_no_root, NULL},
    {"root alone", -EINVAL, build_named_root, NULL},
    {"second root", -EINVAL, build_two_roots, NULL},
    {"root alone", -EINVAL, build_nameless_child, NULL},
    {"no name may have", -EINVAL, build_slash, NULL},
    {"no name may have", -EINVAL, build_escape, NULL},
    {"too deeply", -EINVAL, build_deep, NULL},
    {"never began", -EINVAL, build_extra_end, NULL},
    {"ends inside a node", -EINVAL, build_missing_end_node, NULL},
    {"outside of all nodes", -EINVAL, build_prop_outside, NULL},
    {"behind a child", -EINVAL, build_prop_behind_child, NULL},
    {"does not end", -EINVAL, build_long_name, NULL},
    {"does not end", -EINVAL, build_open_name, break_open_name},
    {"inside a property", -EINVAL, build_half_prop, NULL},
};

static void refuses_with_reason(void **state)
{
    const struct refusal *r = *state;
    struct builder b;
    struct fdt fdt;

    if (r->build)
        r->build(&b);
    else
        tree(&b);
    build_finish(&b);
    if (r->breaks)
        r->breaks(&b);
    assert_int_equal(fdt_open(b.blob, b.size, &fdt), r->error);
    assert_non_null(fdt.reason);
    if (!strstr(fdt.reason, r->reason))
        fail_msg("refused because \"%s\", expected \"%s\"", fdt.reason, r->reason);
    assert_true(fdt.where <= b.size);
    build_free(&b);
}

static void refuses_nothing_and_too_little(void **state)
{
    struct fdt fdt;
    uint8_t few[16] = {0xd0, 0x0d, 0xfe, 0xed};

    (void)state;
    assert_int_equal(fdt_open(NULL, 4096, &fdt), -EINVAL);
    assert_int_equal(fdt_open(few, sizeof(few), &fdt), -EINVAL);
    assert_int_equal(fdt_claimed_size(NULL), 0);
}

/* Every proper prefix of a good tree is cut off, and is refused without a byte read past it. */
static void refuses_every_prefix(void **state)
{
    struct builder b;
    struct fdt fdt = good(&b);

    (void)state;
    for (uint32_t size = 0; size < b.size; size++) {
        uint8_t *prefix = malloc(size ? size : 1);
        memcpy(prefix, b.blob, size);
        assert_int_not_equal(fdt_open(prefix, size, &fdt), 0);
        free(prefix);
    }
    build_free(&b);
}

int main(void)
{
    enum { NR = ARRAY_SIZE(refusals) };
    static struct CMUnitTest tests[NR + 2] = {
        [NR] = cmocka_unit_test(refuses_nothing_and_too_little),
        [NR + 1] = cmocka_unit_test(refuses_every_prefix),
    };

    for (size_t i = 0; i < NR; i++)
        tests[i] = (struct CMUnitTest){.name = refusals[i].reason,
                                       .test_func = refuses_with_reason,
                                       .initial_state = (void *)&refusals[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
