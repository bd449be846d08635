/* SPDX-License-Identifier: MIT */
/*
 * runner.c - runs the tests of a graded program one by one, and signs what came of each.
 *
 *      this process                        a child, one a test
 *      has the key                         forgets the key first
 *      never runs what is graded           runs the test, then hands its token back
 *      "ok 3 - name # sig ..."      <---   token and number of failures, or its death
 *
 * A child that ends early, whatever its exit status, has not handed its token back and so has not
 * passed. One that never ends is stopped by its limit of processor time.
 *
 * LAB_ONLY    names of tests, between commas; all when it is not set
 * LAB_SECONDS processor time for a test
 * LAB_ENDLESS how many tests of other programs have not come to an end
 *
 * It takes the place of cmocka's own loop by the linker's --wrap.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/siphash.h"

#define OUTPUT_MOST 16384
#define PRINTED_MOST (1 << 20)
#define ENDLESS_MOST 2 /* tests that may use up all of their time */

static unsigned endless;

static volatile uint64_t key[2] = {HOST_KEY};

struct report {
    uint64_t token;
    int64_t failures;
};

int __real__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t n,
                                   CMFixtureFunction set_up, CMFixtureFunction tear_down);
int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t n,
                                   CMFixtureFunction set_up, CMFixtureFunction tear_down);

static int is_wanted(const char *test)
{
    const char *only = getenv("LAB_ONLY");
    size_t n = strlen(test);
    for (const char *at = only; at && (at = strstr(at, test)); at++)
        if ((at == only || at[-1] == ',') && (at[n] == ',' || !at[n]))
            return 1;
    return !only;
}

static void limit_time(void)
{
    const char *seconds = getenv("LAB_SECONDS");
    rlim_t most = seconds ? strtoul(seconds, NULL, 10) : 20;
    if (endless >= ENDLESS_MOST)
        most = 1;
    struct rlimit limit = {most, most + 1};
    setrlimit(RLIMIT_CPU, &limit);
}

/* Never returns. @out gets what the test prints, @back its report. */
static void child(const struct CMUnitTest *test, CMFixtureFunction set_up,
                  CMFixtureFunction tear_down, uint64_t token, int out, int back)
{
    key[0] = key[1] = 0;
    limit_time();
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    struct report report = {0,
                            __real__cmocka_run_group_tests(test->name, test, 1, set_up, tear_down)};
    report.token = token;
    fflush(NULL);
    _exit(write(back, &report, sizeof(report)) != (ssize_t)sizeof(report));
}

/* Read all that @pid says, and keep OUTPUT_MOST bytes; it is ended when it never stops. */
static size_t read_output(int from, char *text, pid_t pid)
{
    size_t used = 0, printed;
    ssize_t n;
    char rest[4096];
    while (used < OUTPUT_MOST && (n = read(from, text + used, OUTPUT_MOST - used)) > 0)
        used += (size_t)n;
    for (printed = used; (n = read(from, rest, sizeof(rest))) > 0; printed += (size_t)n)
        if (printed > PRINTED_MOST)
            kill(pid, SIGKILL);
    return used;
}

/* Print what a child says, each line as a diagnostic. */
static void copy_output(int from, pid_t pid)
{
    static char text[OUTPUT_MOST];
    size_t used = read_output(from, text, pid);
    int at_start = 1;
    for (size_t i = 0; i < used; i++) {
        if (at_start)
            fputs("# ", stdout);
        at_start = text[i] == '\n';
        putchar(text[i] >= ' ' || at_start ? text[i] : '?');
    }
    if (!at_start)
        putchar('\n');
}

static int is_endless(int status)
{
    return WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL);
}

static const char *how_it_died(int status)
{
    if (is_endless(status))
        return "did not come to an end";
    if (WIFSIGNALED(status))
        return "crashed";
    return "ended before the test did";
}

/* Run one test; 1: passed. */
static int run_one(const struct CMUnitTest *test, CMFixtureFunction set_up,
                   CMFixtureFunction tear_down)
{
    int out[2], back[2], status;
    struct report report = {0, 1};
    uint64_t token;
    fflush(stdout);
    if (pipe(out) || pipe(back) || getrandom(&token, sizeof(token), 0) != sizeof(token))
        return 0;
    pid_t pid = fork();
    if (pid == 0)
        child(test, set_up, tear_down, token, out[1], back[1]);
    close(out[1]);
    close(back[1]);
    copy_output(out[0], pid);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        status = -1;
    int whole =
        read(back[0], &report, sizeof(report)) == (ssize_t)sizeof(report) && report.token == token;
    close(out[0]);
    close(back[0]);
    endless += !whole && is_endless(status);
    if (!whole)
        printf("# the test's process %s\n", how_it_died(status));
    return whole && report.failures == 0;
}

static uint64_t signature(const char *test, int ok)
{
    struct siphash s;
    uint64_t mine[2] = {key[0], key[1]};
    siphash_init(&s, mine);
    siphash_add(&s, ok ? "ok " : "not ok ", ok ? 3 : 7);
    siphash_add(&s, test, strlen(test));
    return siphash_end(&s);
}

int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t n,
                                   CMFixtureFunction set_up, CMFixtureFunction tear_down)
{
    const char *before = getenv("LAB_ENDLESS");
    unsigned number = 0;
    int failed = 0;
    endless = before ? (unsigned)atoi(before) : 0;
    printf("KTAP version 1\n# Subtest: %s\n", name);
    for (size_t i = 0; i < n; i++) {
        if (!is_wanted(tests[i].name))
            continue;
        int ok = run_one(&tests[i], set_up, tear_down);
        failed += !ok;
        printf("%s %u - %s # sig %016lx\n", ok ? "ok" : "not ok", ++number, tests[i].name,
               signature(tests[i].name, ok));
    }
    printf("1..%u\n", number);
    return failed;
}
