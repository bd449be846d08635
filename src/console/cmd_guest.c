/* SPDX-License-Identifier: MIT */
/*
 * cmd_guest.c - guests: starting, watching, stopping.
 *
 *      run --node 1 memhog 64M        memhog 64M &        ps        pause 3        kill 3
 *
 * A guest in the foreground has the terminal: Ctrl-C goes to it, and the prompt comes back when it
 * ends or stops. What a shell calls 128 + signal is its status here too.
 *
 * Locks: none; whose the terminal is, is one word.
 */
#include "console/cmd_guest.h"

#include "base/errno.h"
#include "base/parse.h"
#include "base/string.h"
#include "console/cmd.h"
#include "console/job.h"
#include "console/ps.h"
#include "file/tty.h"
#include "kern/serial.h"
#include "task/guest.h"
#include "task/syscall.h"

void guest_interrupt_foreground(int sig)
{
    uint32_t pgid = tty_pgrp();
    if (pgid)
        guest_kill_group(pgid, sig);
}

/* --- starting --------------------------------------------------------------------------------- */

/* A wait status as a shell has it. */
static int shell_status(int status)
{
    int sig = status & 0x7f;
    return sig ? 128 + sig : (status >> 8) & 0xff;
}

static int wait_for(struct console *con, uint32_t pid, const char *name)
{
    int status;
    console_begun(con);
    if (con->foreground)
        tty_set_pgrp(pid);
    if (con->foreground && console_interrupted()) /* typed before we knew its pid */
        guest_interrupt_foreground(SIGINT);
    int err = guest_wait_or_stop(pid, &status);
    if (con->foreground)
        tty_set_pgrp(0);
    if (err)
        return command_fail(con, name, "waiting for pid %u failed (%d)", pid, -err);
    if ((status & 0xff) == 0x7f) {
        print(con->out, "[pid %u] stopped: %s; 'resume %u' lets it go on\n", pid, name, pid);
        return 0;
    }
    if ((status & 0x7f) != 0) {
        char how[32]; /* in one piece: other jobs print too */
        struct buffer_sink b;
        buffer_sink_init(&b, how, sizeof(how));
        wait_status_print(status, &b.sink);
        print(con->out, "[pid %u] %s: %s\n", pid, name, how);
    }
    return shell_status(status);
}

static int start(struct console *con, char **argv, struct guest_options *options)
{
    char reason[128] = "";
    options->reason = reason;
    options->reason_size = sizeof(reason);
    options->out = con->out == serial_sink() ? NULL : con->out;
    options->no_input = !con->foreground;
    int pid = guest_spawn(argv[0], (const char *const *)argv, NULL, options);
    if (pid == -ENOENT) {
        command_fail(con, argv[0], "no such command or guest; 'help' and 'ls /bin' list them");
        return -127;
    }
    if (pid < 0) {
        command_fail(con, argv[0], "%s", reason[0] ? reason : "cannot be started");
        return -126;
    }
    return pid;
}

static int start_and_wait(struct console *con, char **argv, struct guest_options *options)
{
    int pid = start(con, argv, options);
    return pid < 0 ? -pid : wait_for(con, (uint32_t)pid, argv[0]);
}

int guest_run_words(struct console *con, int argc, char **argv)
{
    struct guest_options options = {0};
    char *words[GUEST_ARGS_MAX + 1];
    if (argc > GUEST_ARGS_MAX)
        return command_fail(con, argv[0], "too many words; a guest takes %d", GUEST_ARGS_MAX);
    memcpy(words, argv, sizeof(*words) * (size_t)argc);
    words[argc] = NULL;
    return start_and_wait(con, words, &options);
}

static int parse_run_option(const char *name, const char *value, struct guest_options *o)
{
    uint64_t n;
    int64_t adj;
    if (strcmp(name, "--node") == 0 && !parse_u64(value, 10, &n) && n < MAX_NODES) {
        o->has_nid = true;
        o->nid = (uint8_t)n;
        return 0;
    }
    if (strcmp(name, "--bind") == 0)
        return bitmap_parse_list(value, &o->bind.bits, MAX_NODES);
    if (strcmp(name, "--harts") == 0)
        return bitmap_parse_list(value, &o->affinity.bits, MAX_HARTS);
    if (strcmp(name, "--oom-score-adj") == 0 && !parse_s64(value, 10, &adj) && adj >= -1000 &&
        adj <= 1000) {
        o->oom_score_adj = (int16_t)adj;
        return 0;
    }
    return -EINVAL;
}

static int cmd_run(struct console *con, int argc, char **argv)
{
    struct guest_options options = {0};
    int i = 1;
    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2)
        if (parse_run_option(argv[i], argv[i + 1], &options))
            return command_fail(con, argv[0], "'%s %s' is not understood; see 'help run'", argv[i],
                                argv[i + 1]);
    if (i >= argc)
        return command_usage(con, argv[0]);
    char *words[GUEST_ARGS_MAX + 1];
    int n = MIN(argc - i, GUEST_ARGS_MAX);
    memcpy(words, argv + i, sizeof(*words) * (size_t)n);
    words[n] = NULL;
    return start_and_wait(con, words, &options);
}

/* --- signals ---------------------------------------------------------------------------------- */

static int signal_all(struct console *con, char **argv, int first, int argc, int sig)
{
    int status = 0;
    for (int i = first; i < argc; i++) {
        uint64_t pid;
        if (parse_u64(argv[i], 10, &pid) || pid > PID_MAX || guest_kill((uint32_t)pid, sig))
            status = command_fail(con, argv[0], "no guest has pid '%s'; 'ps' lists them", argv[i]);
    }
    return status;
}

static int signal_number(const char *text)
{
    uint64_t n;
    if (!parse_u64(text, 10, &n))
        return n >= 1 && n <= NSIG ? (int)n : -EINVAL;
    for (int sig = 1; sig < 32; sig++)
        if (strcmp(signal_name(sig), text) == 0 || strcmp(signal_name(sig) + 3, text) == 0)
            return sig;
    return -EINVAL;
}

static int cmd_kill(struct console *con, int argc, char **argv)
{
    int sig = SIGTERM, first = 1;
    if (argc > 1 && argv[1][0] == '-') {
        sig = signal_number(argv[1] + 1);
        first = 2;
        if (sig < 0)
            return command_fail(con, argv[0], "'%s' is no signal; use -9, -KILL, -STOP, -TERM",
                                argv[1]);
    }
    if (argc <= first)
        return command_usage(con, argv[0]);
    if (strcmp(argv[first], "all") == 0) {
        guest_kill_all(sig, 0);
        return 0;
    }
    return signal_all(con, argv, first, argc, sig);
}

static int cmd_pause(struct console *con, int argc, char **argv)
{
    return argc < 2 ? command_usage(con, argv[0]) : signal_all(con, argv, 1, argc, SIGSTOP);
}

/* Let a guest go on, and wait for it as if it had just been started. */
static int cmd_resume(struct console *con, int argc, char **argv)
{
    uint64_t pid;
    if (argc != 2 || parse_u64(argv[1], 10, &pid))
        return command_usage(con, argv[0]);
    int status = signal_all(con, argv, 1, argc, SIGCONT);
    return status ? status : wait_for(con, (uint32_t)pid, argv[0]);
}

/* --- waiting and watching --------------------------------------------------------------------- */

static int cmd_wait(struct console *con, int argc, char **argv)
{
    uint64_t number = 0;
    if (argc > 2 || (argc == 2 && (parse_u64(argv[1], 10, &number) || !number)))
        return command_usage(con, argv[0]);
    int status = job_wait((int)number);
    if (status == -ESRCH)
        return command_fail(con, argv[0], "no job %s runs; 'jobs' lists them", argv[1]);
    if (status == -EINTR)
        return 130;
    return argc == 2 ? status : 0; /* as a shell: waiting for all succeeds */
}

static void print_job(int number, const char *line, void *arg)
{
    print(arg, "[%d] %s &\n", number, line);
}

static int cmd_jobs(struct console *con, int argc, char **argv)
{
    if (argc != 1)
        return command_usage(con, argv[0]);
    job_each(print_job, con->out);
    return 0;
}

static int cmd_unimplemented(struct console *con, int argc, char **argv)
{
    if (argc != 1)
        return command_usage(con, argv[0]);
    syscall_print_unknown(con->out);
    return 0;
}

static const struct command commands[] = {
    {"run", "[--node N] [--bind NODES] [--harts HARTS] [--oom-score-adj N] GUEST [ARG]...",
     "start a guest",
     "--node prefers a node's harts and memory, --bind takes memory from these nodes only,\n"
     "--harts runs it on these harts only. A guest's name alone starts it too.\n",
     cmd_run},
    {"ps", "[-o FIELD,...]", "list the guests",
     "Fields: pid ppid state hart node rss vsz minflt majflt time name adj args.\n", cmd_ps},
    {"top", "[SECONDS]", "the guests that use the harts most, each second; q ends", NULL, cmd_top},
    {"kill", "[-SIGNAL] PID... | all", "send a signal, SIGTERM if none is named", NULL, cmd_kill},
    {"pause", "PID...", "stop guests where they are (SIGSTOP)", NULL, cmd_pause},
    {"resume", "PID", "let a stopped guest go on, and wait for it", NULL, cmd_resume},
    {"wait", "[JOB]", "wait for jobs in the background", NULL, cmd_wait},
    {"jobs", "", "list the jobs in the background", NULL, cmd_jobs},
    {"unimplemented", "", "system calls that guests asked for and that are not there",
     "Number, name, how often. What a program lacked, when it says 'Function not implemented'.\n",
     cmd_unimplemented},
};

void cmd_guest_init(void)
{
    console_register("guests", commands, ARRAY_SIZE(commands));
}
