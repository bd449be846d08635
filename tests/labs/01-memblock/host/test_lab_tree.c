/* SPDX-License-Identifier: MIT */
/*
 * test_lab_tree.c - tokens and walks of device trees: steps 1 and 2.
 *
 *      bytes of a structure block, cut to size, so that ASan sees each byte read too many
 */
#include "blocks.h"

/* A property without the padding that build_prop() adds; returns the bytes of the token. */
static uint32_t bare_prop(uint32_t len, uint32_t claimed)
{
    uint8_t value[64] = "the value of a property, and a little more than that";
    build_string(&b, "first");
    build_word(&b, FDT_PROP);
    build_word(&b, claimed);
    build_word(&b, build_string(&b, "reg"));
    build_bytes(&b, value, len);
    return 12 + len;
}

/* --- step 1: a token -------------------------------------------------------------------------- */

static void a_token_of_each_kind(void **state)
{
    (void)state;
    struct fdt_token token;
    build_begin(&b, "soc");
    build_prop(&b, "reg", "12345678", 8);
    build_end(&b);
    build_word(&b, FDT_END);
    struct fdt fdt = tree_of_all();
    expect_true(!fdt_token(&fdt, 0, &token), "BEGIN_NODE is a good token");
    expect_equal(token.tag, FDT_BEGIN_NODE, "the tag of BEGIN_NODE");
    expect_equal(token.at, 0, "where BEGIN_NODE is");
    expect_equal(token.name_len, 3, "the length of \"soc\"");
    expect_true(!strcmp(token.name, "soc"), "the name of the node is soc");
    expect_equal(token.next, 8, "what follows BEGIN_NODE \"soc\"");
    expect_true(!fdt_token(&fdt, 8, &token), "PROP is a good token");
    expect_equal(token.tag, FDT_PROP, "the tag of PROP");
    expect_equal(token.len, 8, "the length of the property");
    expect_true(!strcmp(token.name, "reg"), "the name of the property is reg");
    expect_true(token.value == block + 20, "value points behind len and name");
    expect_equal(token.next, 28, "what follows PROP");
    expect_true(!fdt_token(&fdt, 28, &token), "END_NODE is a good token");
    expect_equal(token.tag, FDT_END_NODE, "the tag of END_NODE");
    expect_equal(token.next, 32, "what follows END_NODE");
    expect_true(!fdt_token(&fdt, 32, &token), "END is a good token");
    expect_equal(token.tag, FDT_END, "the tag of END");
}

static void a_token_name_is_padded(void **state)
{
    struct fdt_token token;
    char name[10] = "";
    for (uint32_t len = 0; len < 9; len++) {
        fresh(state);
        build_begin(&b, name);
        build_end(&b);
        struct fdt fdt = tree_of_all();
        expect_true(!fdt_token(&fdt, 0, &token), "a name of %u characters is good", len);
        expect_equal(token.name_len, len, "the length of a name");
        expect_equal(token.next, 4 + ALIGN_UP(len + 1, 4u),
                     "the next token after a name of %u characters and its NUL", len);
        name[len] = 'a';
    }
}

static void a_token_value_is_padded(void **state)
{
    struct fdt_token token;
    for (uint32_t len = 0; len < 9; len++) {
        fresh(state);
        bare_prop(len, len);
        build_end(&b);
        struct fdt fdt = tree_of_all();
        expect_true(!fdt_token(&fdt, 0, &token), "a value of %u bytes is good", len);
        expect_equal(token.len, len, "the length of the value: without its padding");
        expect_equal(token.next, 12 + ALIGN_UP(len, 4u), "the next token after a value of %u bytes",
                     len);
    }
}

static void a_token_behind_nops(void **state)
{
    (void)state;
    struct fdt_token token;
    build_word(&b, FDT_NOP);
    build_word(&b, FDT_NOP);
    build_end(&b);
    struct fdt fdt = tree_of_all();
    expect_true(!fdt_token(&fdt, 0, &token), "NOPs are skipped");
    expect_equal(token.tag, FDT_END_NODE, "the first tag behind the NOPs");
    expect_equal(token.at, 8, "where the tag itself is");
    expect_equal(token.next, 12, "what follows it");
    fdt = cut_to(8);
    expect_true(fdt_token(&fdt, 0, &token) != NULL, "nothing but NOPs: the structure runs out");
}

/* Cut after each byte: whole, or refused; and nothing behind the cut is looked at. */
static void a_token_that_is_cut_off(void **state)
{
    struct fdt_token token;
    for (uint32_t kind = 0; kind < 3; kind++) {
        fresh(state);
        uint32_t whole = kind == 0 ? 4 : 4 + 8;
        if (kind == 0)
            build_end(&b);
        else if (kind == 1)
            build_begin(&b, "memory@");
        else
            whole = bare_prop(9, 9);
        for (uint32_t n = 0; n <= whole; n++) {
            struct fdt fdt = cut_to(n);
            expect_equal(fdt_token(&fdt, 0, &token) == NULL, n == whole,
                         "is a token of %u bytes good when the structure has %u", whole, n);
        }
    }
}

static void a_token_past_the_end(void **state)
{
    static const uint32_t outside[] = {4, 8, 0x7ffffffc, 0xfffffffc, 0xffffffff};
    struct fdt_token token;
    (void)state;
    build_end(&b);
    struct fdt fdt = tree_of_all();
    for (uint32_t i = 0; i < ARRAY_SIZE(outside); i++)
        expect_true(fdt_token(&fdt, outside[i], &token) != NULL,
                    "there is no token at 0x%x of a structure of 4 bytes", outside[i]);
}

static void a_token_whose_length_lies(void **state)
{
    static const uint32_t lies[] = {9, 0x80000000, 0xfffffff0, 0xfffffff4, 0xfffffff8, 0xffffffff};
    struct fdt_token token;
    for (uint32_t i = 0; i < ARRAY_SIZE(lies); i++) {
        fresh(state);
        bare_prop(8, lies[i]);
        struct fdt fdt = tree_of_all();
        expect_true(fdt_token(&fdt, 0, &token) != NULL,
                    "a property that claims 0x%x bytes where 8 are left is refused", lies[i]);
    }
}

static void a_token_with_a_name_from_nowhere(void **state)
{
    struct fdt_token token;
    (void)state;
    bare_prop(4, 4);
    put_be32(b.structs + 8, b.nr_strings - 1);
    struct fdt fdt = tree_of_all();
    expect_true(!fdt_token(&fdt, 0, &token), "the last byte of the strings may be a name");
    for (uint32_t i = 0; i < 3; i++) {
        put_be32(b.structs + 8, i == 0 ? b.nr_strings : 0xfffffff0u + i);
        fdt = tree_of_all();
        expect_true(fdt_token(&fdt, 0, &token) != NULL, "a name outside of the strings is refused");
    }
}

static void a_token_with_a_long_name(void **state)
{
    struct fdt_token token;
    char name[80];
    for (uint32_t len = FDT_NAME_MAX - 2; len < FDT_NAME_MAX + 4; len++) {
        fresh(state);
        memset(name, 'n', sizeof(name));
        name[len] = '\0';
        build_begin(&b, name);
        build_end(&b);
        struct fdt fdt = tree_of_all();
        expect_equal(fdt_token(&fdt, 0, &token) == NULL, len < FDT_NAME_MAX,
                     "is a name of %u characters good", len);
    }
}

static void a_token_that_does_not_exist(void **state)
{
    static const uint32_t tags[] = {0, 5, 8, 10, 0x01000000, 0xffffffff};
    struct fdt_token token;
    for (uint32_t i = 0; i < ARRAY_SIZE(tags); i++) {
        fresh(state);
        build_word(&b, tags[i]);
        build_word(&b, 0);
        build_word(&b, 0);
        struct fdt fdt = tree_of_all();
        expect_true(fdt_token(&fdt, 0, &token) != NULL, "there is no tag 0x%x", tags[i]);
    }
}

/* --- step 2: walking -------------------------------------------------------------------------- */

enum { ROOT, CPUS, CPU0, CACHE, CPU1, MEMORY, SOC, UART, NODES };

/* / { cpus { cpu@0 { cache }  cpu@1 }  memory  soc { uart } }, with properties and NOPs between. */
static struct fdt example(fdt_node_t at[NODES])
{
    static const char *const names[NODES] = {"",      "cpus",   "cpu@0", "cache",
                                             "cpu@1", "memory", "soc",   "uart"};
    static const int ends[NODES] = {0, 0, 0, 2, 2, 1, 0, 3};
    for (int i = 0; i < NODES; i++) {
        at[i].at = (int32_t)b.nr_structs;
        build_begin(&b, names[i]);
        build_cells(&b, "reg", 1, FDT_END_NODE); /* a value that looks like a token */
        build_str(&b, "status", "okay");
        for (int end = 0; end < ends[i]; end++)
            build_end(&b);
        if (ends[i] && i != UART)
            build_word(&b, FDT_NOP);
    }
    for (int i = 0; i < NODES; i++) /* a node is where its BEGIN is, not the NOP before it */
        expect_equal(b.structs[at[i].at + 3], FDT_BEGIN_NODE, "the test's own tree");
    build_word(&b, FDT_END);
    return tree_of_all();
}

static void walk_to_the_next_sibling(void **state)
{
    fdt_node_t at[NODES];
    struct fdt fdt = example(at);
    (void)state;
    expect_equal(fdt_next_sibling(&fdt, at[CPU0]).at, at[CPU1].at, "the node after cpu@0");
    expect_equal(fdt_next_sibling(&fdt, at[CPUS]).at, at[MEMORY].at, "the node after cpus");
    expect_equal(fdt_next_sibling(&fdt, at[MEMORY]).at, at[SOC].at, "the node after memory");
}

static void walk_stops_at_the_last_sibling(void **state)
{
    static const int last[] = {ROOT, CACHE, CPU1, SOC, UART};
    fdt_node_t at[NODES];
    struct fdt fdt = example(at);
    (void)state;
    for (uint32_t i = 0; i < ARRAY_SIZE(last); i++)
        expect_true(!fdt_valid(fdt_next_sibling(&fdt, at[last[i]])),
                    "node %d of the tree is the last child of its parent", last[i]);
}

static void walk_up_to_the_parent(void **state)
{
    static const int parents[NODES] = {-1, ROOT, CPUS, CPU0, CPUS, ROOT, ROOT, SOC};
    fdt_node_t at[NODES];
    struct fdt fdt = example(at);
    (void)state;
    for (int i = 1; i < NODES; i++)
        expect_equal(fdt_parent(&fdt, at[i]).at, at[parents[i]].at, "the parent of node %d", i);
    expect_true(!fdt_valid(fdt_parent(&fdt, at[ROOT])), "the root has no parent");
}

static void walk_from_nowhere(void **state)
{
    fdt_node_t at[NODES];
    struct fdt fdt = example(at);
    const fdt_node_t nowhere[] = {FDT_NO_NODE, {0x7ffffffc}, {(int32_t)fdt.struct_size}};
    (void)state;
    for (uint32_t i = 0; i < ARRAY_SIZE(nowhere); i++) {
        expect_true(!fdt_valid(fdt_next_sibling(&fdt, nowhere[i])),
                    "%d is no node and has no sibling", nowhere[i].at);
        expect_true(!fdt_valid(fdt_parent(&fdt, nowhere[i])), "%d is no node and has no parent",
                    nowhere[i].at);
    }
    expect_true(!fdt_valid(fdt_parent(&fdt, (fdt_node_t){at[SOC].at + 4})),
                "inside of a token there is no node");
}

/* As deep as trees may be: the way from the root to the last node is 16 nodes. */
static void walk_a_deep_tree(void **state)
{
    int32_t at[FDT_MAX_DEPTH];
    (void)state;
    for (uint32_t i = 0; i < FDT_MAX_DEPTH; i++) {
        at[i] = (int32_t)b.nr_structs;
        build_begin(&b, i ? "n" : "");
    }
    for (uint32_t i = 0; i < FDT_MAX_DEPTH; i++)
        build_end(&b);
    build_word(&b, FDT_END);
    struct fdt fdt = tree_of_all();
    for (uint32_t i = 1; i < FDT_MAX_DEPTH; i++)
        expect_equal(fdt_parent(&fdt, (fdt_node_t){at[i]}).at, at[i - 1],
                     "the parent of the node at depth %u", i);
}

/* A sibling costs the subtree between and no more: else this never ends. */
static void walk_a_wide_tree(void **state)
{
    enum { CHILDREN = 5000, WALKS = 200 };
    (void)state;
    build_begin(&b, "");
    for (uint32_t i = 0; i < CHILDREN; i++) {
        build_begin(&b, "n");
        build_end(&b);
    }
    build_end(&b);
    build_word(&b, FDT_END);
    struct fdt fdt = tree_of_all();
    for (uint32_t walk = 0; walk < WALKS; walk++) {
        uint32_t seen = 0;
        fdt_for_each_child(&fdt, fdt_root(&fdt), child)
            seen++;
        expect_equal(seen, CHILDREN, "children of a wide root");
    }
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_token_of_each_kind),      TEST(a_token_name_is_padded),
        TEST(a_token_value_is_padded),   TEST(a_token_behind_nops),
        TEST(a_token_that_is_cut_off),   TEST(a_token_past_the_end),
        TEST(a_token_whose_length_lies), TEST(a_token_with_a_name_from_nowhere),
        TEST(a_token_with_a_long_name),  TEST(a_token_that_does_not_exist),
        TEST(walk_to_the_next_sibling),  TEST(walk_stops_at_the_last_sibling),
        TEST(walk_up_to_the_parent),     TEST(walk_from_nowhere),
        TEST(walk_a_deep_tree),          TEST(walk_a_wide_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
