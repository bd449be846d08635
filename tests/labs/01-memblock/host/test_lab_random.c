/* SPDX-License-Identifier: MIT */
/*
 * test_lab_random.c - trees, damage to trees, and machines, drawn from the seed.
 *
 *      a tree that is written down twice: as a blob, and as an array of what was drawn
 */
#include "labs/wire/expect.h"

#include "arch/layout.h"
#include "base/random.h"
#include "phys/machine_builder.h"
#include "phys/memblock.h"

enum { MOST_NODES = 50, TREES = 60, DAMAGES = 1000, MACHINES = 60, PAGES = 512 };

static struct rng rng;

static uint32_t below(uint32_t n)
{
    return (uint32_t)rng_below(&rng, n);
}

static int seeded(void **state)
{
    (void)state;
    rng_seed(&rng, lab_seed());
    return 0;
}

/* --- trees ------------------------------------------------------------------------------------ */

static struct drawn {
    int32_t at;
    int parent, sibling;     /* indexes, or -1 */
    uint32_t address, sizes; /* cells, for the children's reg */
    uint64_t base, size;     /* of reg */
} drawn[MOST_NODES];
static int nr_drawn;

static void draw_nops(void)
{
    for (uint32_t i = below(4); i > 2; i--)
        build_word(&b, FDT_NOP);
}

static void draw_reg(struct drawn *node, const struct drawn *parent)
{
    uint8_t cells[32] = {0};
    uint8_t *p = cells;
    node->base = parent->address == 2 ? rng_next(&rng) >> 8 : below(1u << 30);
    node->size = parent->sizes == 2 ? rng_next(&rng) >> 8 : parent->sizes * below(1u << 30);
    for (uint32_t i = parent->address; i-- > 0; p += 4)
        put_be32(p, i < 2 ? (uint32_t)(node->base >> (32 * i)) : 0);
    for (uint32_t i = parent->sizes; i-- > 0; p += 4)
        put_be32(p, (uint32_t)(node->size >> (32 * i)));
    build_prop(&b, "reg", cells, (uint32_t)(p - cells));
}

/* A node with all that is below it; returns its index. */
static int draw_node(int parent, uint32_t depth)
{
    static const char *const names[] = {"a", "bc", "soc", "cpus", "memory@80000000", "uart@10"};
    uint8_t bytes[40];
    int me = nr_drawn++, last = -1;
    struct drawn *node = &drawn[me];
    draw_nops();
    *node = (struct drawn){(int32_t)b.nr_structs, parent, -1, 1 + below(3), below(3), 0, 0};
    build_begin(&b, parent < 0 ? "" : names[below(ARRAY_SIZE(names))]);
    draw_nops();
    for (uint32_t i = below(3); i > 0; i--) {
        for (uint32_t k = 0; k < sizeof(bytes); k++)
            bytes[k] = (uint8_t)below(10);
        build_prop(&b, "noise", bytes, below(sizeof(bytes)));
    }
    if (parent >= 0)
        draw_reg(node, &drawn[parent]);
    build_cells(&b, "#address-cells", 1, node->address);
    build_cells(&b, "#size-cells", 1, node->sizes);
    for (uint32_t i = below(7); i > 0 && depth + 1 < FDT_MAX_DEPTH && nr_drawn < MOST_NODES; i--) {
        int child = draw_node(me, depth + 1);
        if (last >= 0)
            drawn[last].sibling = child;
        last = child;
    }
    draw_nops();
    build_end(&b);
    return me;
}

static void draw_tree(void)
{
    do {
        build_init(&b);
        nr_drawn = 0;
        draw_node(-1, 0);
    } while (nr_drawn < 5);
    build_finish(&b);
}

static void compare_node(const struct fdt *fdt, int i)
{
    const struct drawn *node = &drawn[i];
    fdt_node_t at = {node->at};
    uint64_t base = 0, size = 0;
    expect_equal(fdt_next_sibling(fdt, at).at, node->sibling < 0 ? -1 : drawn[node->sibling].at,
                 "the sibling of node %d", i);
    expect_equal(fdt_parent(fdt, at).at, node->parent < 0 ? -1 : drawn[node->parent].at,
                 "the parent of node %d", i);
    if (node->parent < 0)
        return;
    expect_equal(fdt_bus_reg(fdt, at, fdt_parent(fdt, at), 0, &base, &size), 0,
                 "fdt_bus_reg() of node %d", i);
    expect_equal(base, node->base, "base of node %d", i);
    expect_equal(size, node->size, "size of node %d", i);
}

static void any_tree(void **state)
{
    (void)state;
    for (int round = 0; round < TREES; round++) {
        struct fdt fdt;
        int i = 0;
        draw_tree();
        expect_equal(fdt_open(b.blob, b.size, &fdt), 0, "fdt_open() of a good tree");
        expect_equal(fdt.nr_nodes, nr_drawn, "nodes that fdt_open() counts");
        fdt_for_each_node(&fdt, node) {
            expect_true(i < nr_drawn, "the tree has %d nodes", nr_drawn);
            expect_equal(node.at, drawn[i].at, "where node %d is", i);
            compare_node(&fdt, i++);
        }
        expect_equal(i, nr_drawn, "nodes that a walk meets");
        build_free(&b);
    }
}

/* --- damage ----------------------------------------------------------------------------------- */

/* Look at all of it: ASan sees what is read outside of the blob, and the walk must end. */
static void look_at(const struct fdt *fdt)
{
    uint64_t base, size, sum = 0;
    uint32_t seen = 0;
    fdt_for_each_node(fdt, node) {
        struct fdt_prop prop = {0};
        while (fdt_next_prop(fdt, node, &prop))
            for (uint32_t i = 0; i < prop.len; i++)
                sum += prop.value[i];
        fdt_node_t parent = fdt_parent(fdt, node);
        expect_equal(fdt_valid(parent), node.at != fdt_root(fdt).at, "has node %d a parent",
                     node.at);
        for (uint32_t i = 0; fdt_valid(parent) && i < 4; i++)
            if (fdt_bus_reg(fdt, node, parent, i, &base, &size) == 0)
                sum += base + size;
        fdt_for_each_child(fdt, node, child)
            seen++;
    }
    expect_equal(seen + 1, fdt->nr_nodes, "children of all nodes, and the root; sum %lx",
                 (long)sum);
}

static void any_damage(void **state)
{
    (void)state;
    for (int round = 0; round < DAMAGES; round++) {
        struct fdt fdt;
        if (round % 100 == 0) {
            if (round)
                build_free(&b);
            draw_tree();
        }
        uint8_t *copy = malloc(b.size);
        memcpy(copy, b.blob, b.size);
        for (uint32_t i = 1 + below(3); i > 0; i--)
            copy[b.at_structs + below(b.nr_structs)] = (uint8_t)(below(2) ? below(10) : below(256));
        if (fdt_open(copy, b.size, &fdt) == 0)
            look_at(&fdt);
        free(copy);
    }
    build_free(&b);
}

/* --- machines --------------------------------------------------------------------------------- */

static struct {
    int8_t node[PAGES]; /* node + 1, or 0: no RAM */
    bool taken[PAGES];
} model;

static void draw_memory(void)
{
    for (uint32_t i = 1 + below(8); i > 0; i--) {
        uint32_t page = below(PAGES - 64), pages = 1 + below(64), nid = below(4);
        memory(MEMORY_BASE + page * PAGE_SIZE, pages * PAGE_SIZE, (int)nid);
        for (uint32_t k = page; k < page + pages; k++)
            model.node[k] = model.node[k] ? model.node[k] : (int8_t)(nid + 1);
    }
}

static void draw_reservations(void)
{
    for (uint32_t i = below(12); i > 0; i--) {
        uint32_t from = below((PAGES - 20) * PAGE_SIZE), bytes = 1 + below(16 * PAGE_SIZE);
        build_reserve(&b, MEMORY_BASE + from, bytes);
        for (uint32_t k = from / PAGE_SIZE; k <= (from + bytes - 1) / PAGE_SIZE; k++)
            model.taken[k] = true;
    }
}

static void compare_machine(void)
{
    bool seen[PAGES] = {0};
    struct memblock_region r;
    for (uint32_t i = 0; i < PAGES; i++)
        expect_equal(memblock_nid(mk_paddr(MEMORY_BASE + i * PAGE_SIZE)) + 1, model.node[i],
                     "1 + node of page %u of the machine", i);
    for_each_free_range(MEMBLOCK_ANY_NODE, &r) {
        expect_true(r.size && r.size <= PAGES * PAGE_SIZE, "a free range has a size");
        for (uint64_t at = r.base.v; at < r.base.v + r.size; at += PAGE_SIZE) {
            uint64_t i = (at - MEMORY_BASE) / PAGE_SIZE;
            expect_true(i < PAGES && !seen[i], "page %lu is listed once", (long)i);
            seen[i] = true;
            expect_equal(r.nid + 1, model.node[i], "1 + node of the free page %lu", (long)i);
        }
    }
    for (uint32_t i = 0; i < PAGES; i++)
        expect_equal(seen[i], model.node[i] && !model.taken[i], "is page %u free", i);
}

/* Take all there is, a page at a time, and each must be free. */
static void take_all(void)
{
    uint32_t free = 0, got = 0;
    for (uint32_t i = 0; i < PAGES; i++)
        free += model.node[i] && !model.taken[i];
    memblock.bottom_up = below(2);
    for (; got <= free; got++) {
        paddr_t at = memblock_alloc_phys(PAGE_SIZE, PAGE_SIZE, MEMBLOCK_LOWEST, MEMBLOCK_HIGHEST,
                                         (int)below(5) - 1);
        uint64_t i = (at.v - MEMORY_BASE) / PAGE_SIZE;
        if (!at.v)
            break;
        expect_true(i < PAGES && model.node[i] && !model.taken[i], "page %lu was free", (long)i);
        model.taken[i] = true;
    }
    expect_equal(got, free, "pages that could be had, one by one");
}

static void any_machine(void **state)
{
    (void)state;
    for (int round = 0; round < MACHINES; round++) {
        memset(&model, 0, sizeof(model));
        begin_root();
        one_cpu();
        draw_memory();
        draw_reservations();
        expect_equal(finish(), 0, "machine_from_fdt() of a good tree");
        expect_equal(memblock_from_machine(&m, 0), 0, "memblock_from_machine()");
        compare_machine();
        take_all();
    }
}

#define TEST(name) cmocka_unit_test_setup(name, seeded)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(any_tree), TEST(any_damage), TEST(any_machine)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
