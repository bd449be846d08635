/* SPDX-License-Identifier: MIT */
/*
 * cmd_machine.c - the machine as a whole: help, the log, the clock, tests, the audit, power.
 *
 * `time` and `repeat` run other commands, so they compose: repeat 3 time hello.
 *
 * Locks: none here.
 */
#include "console/cmd.h"

#include "base/errno.h"
#include "base/parse.h"
#include "base/string.h"
#include "console/check.h"
#include "console/console.h"
#include "kern/log.h"
#include "kern/selftest.h"
#include "kern/serial.h"
#include "kern/timer.h"
#include "sbi/sbi.h"

/* --- help ------------------------------------------------------------------------------------ */

struct help_walk {
    struct console *con;
    const char *theme;
};

static void help_entry(const char *theme, const struct command *cmd, void *arg)
{
    struct help_walk *walk = arg;
    if (walk->theme != theme)
        print(walk->con->out, "%s%s:\n", walk->theme ? "\n" : "", theme);
    walk->theme = theme;
    print(walk->con->out, "  %-10s %s\n", cmd->name, cmd->summary);
}

static int help_console(struct console *con)
{
    print(
        con->out,
        "A line holds commands: a ; b (one after the other), a & (in the background; 'wait' waits\n"
        "for it), a | grep TEXT (filters: grep, head, tail, wc), '..' and \"..\" quote, $? is the\n"
        "status of the last command, # begins a comment. A word that is no command is looked up\n"
        "among the guests in /bin. Keys: arrows, Home, End, Tab completes, Ctrl-C interrupts,\n"
        "Ctrl-A -E -K -U -W -Y -L as in readline.\n");
    return 0;
}

static int cmd_help(struct console *con, int argc, char **argv)
{
    if (argc > 2)
        return command_usage(con, argv[0]);
    if (argc == 1) {
        struct help_walk walk = {con, NULL};
        command_each(help_entry, &walk);
        print(con->out, "\n'help NAME' says more of one, 'help console' tells how lines are read; "
                        "guests: 'ls /bin'.\n");
        return 0;
    }
    if (strcmp(argv[1], "console") == 0)
        return help_console(con);
    const struct command *cmd = command_find(argv[1]);
    if (!cmd)
        return command_fail(con, argv[0],
                            "no command '%s'; 'help' lists them, a guest has its own --help",
                            argv[1]);
    command_print_usage(con->out, cmd);
    print(con->out, "%s\n%s", cmd->summary, cmd->details ? cmd->details : "");
    return 0;
}

/* --- the log and the clock ------------------------------------------------------------------- */

static int cmd_dmesg(struct console *con, int argc, char **argv)
{
    if (argc != 1)
        return command_usage(con, argv[0]);
    log_dump(con->out);
    return 0;
}

static int cmd_time(struct console *con, int argc, char **argv)
{
    if (argc < 2)
        return command_usage(con, argv[0]);
    uint64_t start = now_ns();
    int status = console_run_words(con, argc - 1, argv + 1);
    uint64_t us = (now_ns() - start) / NSEC_PER_USEC;
    print(con->out, "real %llu.%06llu s\n", (unsigned long long)(us / 1000000),
          (unsigned long long)(us % 1000000));
    return status;
}

static int cmd_repeat(struct console *con, int argc, char **argv)
{
    uint64_t n;
    int status = 0;
    if (argc < 3 || parse_u64(argv[1], 10, &n))
        return command_usage(con, argv[0]);
    for (uint64_t i = 0; i < n && !console_interrupted(); i++) {
        status = console_run_words(con, argc - 2, argv + 2);
        if (status)
            return command_fail(con, argv[0], "turn %llu of %llu gave status %d; stopped",
                                (unsigned long long)(i + 1), (unsigned long long)n, status);
    }
    return status;
}

static int cmd_sleep(struct console *con, int argc, char **argv)
{
    uint64_t seconds;
    if (argc != 2 || parse_u64(argv[1], 10, &seconds) || seconds > 1000000)
        return command_usage(con, argv[0]);
    for (uint64_t i = 0; i < seconds * 10 && !console_interrupted(); i++)
        if (sleep_ns(100 * NSEC_PER_MSEC))
            break;
    return 0;
}

/* --- tests and the audit --------------------------------------------------------------------- */

static int cmd_selftest(struct console *con, int argc, char **argv)
{
    if (argc > 2)
        return command_usage(con, argv[0]);
    int failed = selftest_run(argc == 2 ? argv[1] : NULL, con->out);
    if (failed == -ENOENT)
        return command_fail(con, argv[0], "no suite '%s'; 'selftest' alone runs all", argv[1]);
    return failed != 0;
}

static int cmd_check(struct console *con, int argc, char **argv)
{
    if (argc != 1)
        return command_usage(con, argv[0]);
    unsigned long faults = check_all(con->out);
    if (faults)
        return command_fail(con, argv[0], "%lu faults; 'page PFN' and 'dmesg' tell more", faults);
    return 0;
}

/* --- power ----------------------------------------------------------------------------------- */

static int cmd_poweroff(struct console *con, int argc, char **argv)
{
    if (argc != 1)
        return command_usage(con, argv[0]);
    serial_flush();
    sbi_system_reset(SBI_RESET_SHUTDOWN, SBI_RESET_NO_REASON);
}

static int cmd_reboot(struct console *con, int argc, char **argv)
{
    if (argc != 1)
        return command_usage(con, argv[0]);
    serial_flush();
    sbi_system_reset(SBI_RESET_COLD_REBOOT, SBI_RESET_NO_REASON);
}

static const struct command commands[] = {
    {"help", "[NAME]", "list the commands, or tell more of one", NULL, cmd_help},
    {"dmesg", "", "print the monitor's log", NULL, cmd_dmesg},
    {"check", "", "audit all of memory: pages, lists, mappings, counters",
     "Each page is in exactly one state, each list well linked, each mapping has its rmap, and\n"
     "each counter is the sum of what it counts. Status 0 when nothing is wrong.\n",
     cmd_check},
    {"selftest", "[SUITE]", "run the built-in tests (KTAP)", NULL, cmd_selftest},
    {"time", "CMD [ARG]...", "run a command and tell how long it took", NULL, cmd_time},
    {"repeat", "N CMD [ARG]...", "run a command N times, or until it fails", NULL, cmd_repeat},
    {"sleep", "SECONDS", "wait", NULL, cmd_sleep},
    {"reboot", "", "start the machine again", NULL, cmd_reboot},
    {"poweroff", "", "switch the machine off", NULL, cmd_poweroff},
};

void cmd_machine_init(void)
{
    console_register("machine", commands, ARRAY_SIZE(commands));
}
