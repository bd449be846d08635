/* SPDX-License-Identifier: MIT */
/*
 * ps.c - the guests as a table.
 *
 *        PID  PPID S HART    RSS    VSZ  MINFLT  MAJFLT     TIME COMMAND
 *          1     0 R    2  65536  70112   16400       0  0:01.23 memhog 64M
 *
 * Sizes are in KiB, as Linux's ps has them.
 *
 * Locks: none here; each guest is looked at with a reference.
 */
#include "console/ps.h"

#include "base/parse.h"
#include "base/string.h"
#include "kern/serial.h"
#include "kern/timer.h"
#include "task/guest.h"

#define PAGE_KIB (PAGE_SIZE >> 10)

/* What is known of one guest at one moment. */
struct row {
    struct guest *guest;
    uint64_t rss, vsz, minflt, majflt, run_ns;
};

static void look_at(struct guest *g, struct row *row)
{
    struct mm_struct *mm = guest_mm(g);
    *row = (struct row){.guest = g, .run_ns = guest_run_ns(g)};
    if (!mm) {
        row->minflt = g->minflt;
        row->majflt = g->majflt;
        return;
    }
    row->rss = mm_rss(mm) * PAGE_KIB;
    row->vsz = load_relaxed(&mm->total_vm) * PAGE_KIB;
    row->minflt = load_relaxed(&mm->minflt);
    row->majflt = load_relaxed(&mm->majflt);
    mmput(mm);
}

/* --- fields ----------------------------------------------------------------------------------- */

static void show_pid(struct sink *out, const struct row *r)
{
    print(out, "%5u", r->guest->pid);
}

static void show_ppid(struct sink *out, const struct row *r)
{
    print(out, "%5u", guest_ppid(r->guest));
}

static void show_state(struct sink *out, const struct row *r)
{
    print(out, "%c", guest_state_letter(r->guest));
}

static void show_hart(struct sink *out, const struct row *r)
{
    print(out, "%4u", guest_hart(r->guest));
}

static void show_node(struct sink *out, const struct row *r)
{
    print(out, "%4d", r->guest->nid);
}

static void show_rss(struct sink *out, const struct row *r)
{
    print(out, "%7lu", r->rss);
}

static void show_vsz(struct sink *out, const struct row *r)
{
    print(out, "%7lu", r->vsz);
}

static void show_minflt(struct sink *out, const struct row *r)
{
    print(out, "%7lu", r->minflt);
}

static void show_majflt(struct sink *out, const struct row *r)
{
    print(out, "%6lu", r->majflt);
}

static void show_time(struct sink *out, const struct row *r)
{
    uint64_t centi = r->run_ns / (10 * NSEC_PER_MSEC);
    print(out, "%5lu:%02lu.%02lu", centi / 6000, centi / 100 % 60, centi % 100);
}

static void show_name(struct sink *out, const struct row *r)
{
    print(out, "%-15s", r->guest->name);
}

static void show_args(struct sink *out, const struct row *r)
{
    guest_print_cmdline(r->guest, out, ' ');
}

static void show_adj(struct sink *out, const struct row *r)
{
    print(out, "%5d", load_relaxed(&r->guest->oom_score_adj));
}

static const struct field {
    const char *name, *title;
    void (*show)(struct sink *out, const struct row *row);
} fields[] = {
    {"pid", "  PID", show_pid},
    {"ppid", " PPID", show_ppid},
    {"state", "S", show_state},
    {"hart", "HART", show_hart},
    {"node", "NODE", show_node},
    {"rss", "    RSS", show_rss},
    {"vsz", "    VSZ", show_vsz},
    {"minflt", " MINFLT", show_minflt},
    {"majflt", "MAJFLT", show_majflt},
    {"time", "      TIME", show_time},
    {"name", "NAME           ", show_name},
    {"adj", "  ADJ", show_adj},
    {"args", "COMMAND", show_args},
};

static const char default_fields[] = "pid,ppid,state,hart,rss,vsz,minflt,majflt,time,args";

static const struct field *field_find(const char *name, size_t n)
{
    for (unsigned i = 0; i < ARRAY_SIZE(fields); i++)
        if (strlen(fields[i].name) == n && strncmp(fields[i].name, name, n) == 0)
            return &fields[i];
    return NULL;
}

/* Split "pid,rss" into fields. How many, or -1 for a name that is none. */
static int parse_fields(const char *text, const struct field **chosen, int max)
{
    int n = 0;
    while (*text && n < max) {
        const char *comma = strchr(text, ',');
        size_t len = comma ? (size_t)(comma - text) : strlen(text);
        chosen[n] = field_find(text, len);
        if (!chosen[n++])
            return -1;
        text += len + (comma != NULL);
    }
    return n;
}

/* --- tables ----------------------------------------------------------------------------------- */

static void print_table(struct sink *out, const struct field *const *chosen, int n)
{
    for (int i = 0; i < n; i++)
        print(out, "%s%s", i ? " " : "", chosen[i]->title);
    print(out, "\n");
    struct guest *g;
    for (uint32_t from = 1; (g = guest_next(from)) != NULL;) {
        struct row row;
        look_at(g, &row);
        for (int i = 0; i < n; i++) {
            if (i)
                print(out, " ");
            chosen[i]->show(out, &row);
        }
        print(out, "\n");
        from = g->pid + 1;
        guest_put(g);
    }
}

int cmd_ps(struct console *con, int argc, char **argv)
{
    const struct field *chosen[ARRAY_SIZE(fields)];
    bool own = argc == 3 && strcmp(argv[1], "-o") == 0;
    if (argc != 1 && !own)
        return command_usage(con, argv[0]);
    int n = parse_fields(own ? argv[2] : default_fields, chosen, ARRAY_SIZE(chosen));
    if (n < 0)
        return command_fail(con, argv[0], "'%s' names no field; see 'help ps'", argv[2]);
    print_table(con->out, chosen, n);
    return 0;
}
