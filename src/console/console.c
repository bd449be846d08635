/* SPDX-License-Identifier: MIT */
/*
 * console.c - the person's side of the monitor: the prompt.
 *
 *      keys --> tty --> line.c --> parse.c --> run.c --> a command, or a guest
 *               raw     edits      words       |
 *               cooked while a command runs <--'
 *
 * The console is one thread of the class RUN_HIGH: it stays usable while guests use every hart.
 *
 * Locks: none; `interrupted` is a flag that the terminal's thread sets.
 */
#include "console/console.h"

#include "arch/csr.h"
#include "base/atomic.h"
#include "base/string.h"
#include "console/batch.h"
#include "console/cmd.h"
#include "console/cmd_guest.h"
#include "console/filter.h"
#include "console/line.h"
#include "file/root.h"
#include "file/registry.h"
#include "file/tty.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/serial.h"
#include "kern/thread.h"
#include "sbi/sbi.h"

#define PROMPT "pagoda> "

static struct line line;
static uint64_t boot_from, boot_to; /* instret when the monitor began, and at the prompt */
static bool interrupted;

void console_boot_began(uint64_t instret)
{
    boot_from = instret;
}

uint64_t boot_instructions(void)
{
    return boot_to - boot_from;
}

bool console_interrupted(void)
{
    return load_relaxed(&interrupted);
}

static void on_interrupt(int sig)
{
    if (sig != TTY_SIGTSTP)
        store_relaxed(&interrupted, true);
    guest_interrupt_foreground(sig);
}

void console_init(void)
{
    cmd_machine_init();
    cmd_views_init();
    cmd_memory_init();
    cmd_pressure_init();
    cmd_memmap_init();
    cmd_guest_init();
    cmd_space_init();
    cmd_trace_init();
    cmd_bench_init();
    tty_init();
    tty_set_interrupt(on_interrupt);
}

/* --- completion ------------------------------------------------------------------------------ */

struct offer {
    const char *word;
    size_t dir_len; /* of @word, up to and with its last '/' */
    line_offer offer;
    void *arg;
};

static void offer_command(const char *theme, const struct command *cmd, void *arg)
{
    const struct offer *o = arg;
    (void)theme;
    if (strncmp(cmd->name, o->word, strlen(o->word)) == 0)
        o->offer(o->arg, cmd->name);
}

static void offer_guest(void *arg, const char *name, bool is_dir)
{
    const struct offer *o = arg;
    if (!is_dir && strncmp(name, o->word, strlen(o->word)) == 0)
        o->offer(o->arg, name);
}

static void offer_path(void *arg, const char *name, bool is_dir)
{
    const struct offer *o = arg;
    char path[VIEW_PATH];
    if (strncmp(name, o->word + o->dir_len, strlen(o->word + o->dir_len)) != 0)
        return;
    snprintf(path, sizeof(path), "%.*s%s%s", (int)o->dir_len, o->word, name, is_dir ? "/" : "");
    o->offer(o->arg, path);
}

static void complete(const char *word, bool first, line_offer offer, void *arg)
{
    const char *slash = strrchr(word, '/');
    struct offer o = {word, slash ? (size_t)(slash - word) + 1 : 0, offer, arg};
    if (slash) {
        char dir[VIEW_PATH];
        strlcpy(dir, word, MIN(sizeof(dir), o.dir_len + 1));
        int err = file_list(dir, offer_path, &o);
        (void)err; /* a directory that is not there has nothing to offer */
    } else if (first) {
        command_each(offer_command, &o);
        int guests = file_list("/bin", offer_guest, &o);
        (void)guests;
    }
}

/* --- the prompt ------------------------------------------------------------------------------ */

/* One line, typed and edited, into line.text. */
static void read_line(void)
{
    tty_set_mode(TTY_RAW);
    line_begin(&line);
    for (;;) {
        int c = tty_getc();
        enum line_event event = c < 0 ? LINE_MORE : line_feed(&line, (char)c);
        if (event == LINE_READY)
            break;
        if (event == LINE_END)
            print(line.out, "('poweroff' switches the machine off)\n");
        if (event != LINE_MORE)
            line_begin(&line);
    }
    store_relaxed(&interrupted, false);
    tty_set_mode(TTY_COOKED); /* from here on Ctrl-C is for the command that follows */
}

static void console_thread(void *arg)
{
    struct console con = {.out = serial_sink(), .foreground = true};
    (void)arg;
    boot_to = csr_read(instret);
    if (batch_run(&con, PROMPT)) {
        serial_flush();
        sbi_system_reset(SBI_RESET_SHUTDOWN, SBI_RESET_NO_REASON);
    }
    print(con.out, "Type 'help' for the commands, 'ls /bin' for the guests.\n");
    line_init(&line, con.out, PROMPT, complete);
    for (;;) {
        read_line();
        console_run_line(&con, line.text);
    }
}

void console_start(void)
{
    if (!kthread_run("console", console_thread, NULL, NO_NODE))
        panic("no memory for the console's thread; the machine is too small");
}
