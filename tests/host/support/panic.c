/* SPDX-License-Identifier: MIT */
/*
 * panic.c - panics, warnings and the log of this host. HOST_LOG=1 shows the log.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/backtrace.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/percpu.h"
#include "support/host.h"

int pagoda_vsnprintf(char *buf, size_t size, const char *fmt, va_list args);

char host_panic_text[512];
jmp_buf *host_panic_expected;
static uint64_t warnings;

static noreturn void end(void)
{
    if (host_panic_expected)
        longjmp(*host_panic_expected, 1);
    fprintf(stderr, "panic: %s\n", host_panic_text);
    abort();
}

void panic(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    pagoda_vsnprintf(host_panic_text, sizeof(host_panic_text), fmt, args);
    va_end(args);
    end();
}

void panic_check(const char *what, const char *file, int line)
{
    snprintf(host_panic_text, sizeof(host_panic_text), "%s:%d: %s", file, line, what);
    end();
}

void warn_check(const char *what, const char *file, int line)
{
    warnings++;
    fprintf(stderr, "warning: %s:%d: %s\n", file, line, what);
}

uint64_t warn_count(void)
{
    return warnings;
}

bool panicking(void)
{
    return false;
}

bool panic_is_mine(void)
{
    return true;
}

void panic_stop_self(void)
{
    abort();
}

void host_panic_over(void)
{
    this_hart()->nr_held = 0;
}

void log_vprint(enum log_level level, const char *fmt, va_list args)
{
    char line[LOG_LINE_MAX];
    if (!getenv("HOST_LOG"))
        return;
    pagoda_vsnprintf(line, sizeof(line), fmt, args);
    fprintf(stderr, "<%d> %s\n", (int)level, line);
}

void log_print(enum log_level level, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    log_vprint(level, fmt, args);
    va_end(args);
}

static void log_sink_write(struct sink *sink, const char *text, size_t n)
{
    (void)sink;
    if (getenv("HOST_LOG"))
        fwrite(text, 1, n, stderr);
}

void log_sink_init(struct log_sink *s, enum log_level level)
{
    memset(s, 0, sizeof(*s));
    s->sink.write = log_sink_write;
    s->level = level;
}

void log_sink_flush(struct log_sink *s)
{
    (void)s;
}

size_t backtrace_capture(uint64_t *pcs, size_t max)
{
    if (max)
        pcs[0] = (uint64_t)__builtin_return_address(0);
    return max ? 1 : 0;
}

void backtrace_print_pcs(struct sink *out, const uint64_t *pcs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        print(out, "  %#lx\n", pcs[i]);
}
