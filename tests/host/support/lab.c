/* SPDX-License-Identifier: MIT */
/*
 * lab.c - a stub of a lab was reached by a test: the test has failed, the next one goes on.
 *
 * Only the thread that runs the tests can end one of them; another thread ends the program.
 */
#include "kern/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

void lab_missing_at(const char *lab, int step, const char *file, int line, const char *function,
                    ...)
{
    if (getpid() != (pid_t)syscall(SYS_gettid)) {
        fprintf(stderr, "lab %s, step %d is missing: %s(), %s:%d\n", lab, step, function, file,
                line);
        abort();
    }
    fail_msg("lab %s, step %d is missing: %s(), %s:%d", lab, step, function, file, line);
    abort();
}
