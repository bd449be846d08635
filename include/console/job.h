/* SPDX-License-Identifier: MIT */
/*
 * console/job.h - pipelines that run beside the prompt.
 */
#ifndef PAGODA_CONSOLE_JOB_H
#define PAGODA_CONSOLE_JOB_H

#include "console/console.h"
#include "console/parse.h"

/**
 * Run the pipeline of @script that begins at stage @first in a thread of its own, printing to
 * @out; the script is copied. Returns its job number, or -ENOMEM, or -EAGAIN when there are too
 * many jobs.
 */
int job_start(struct sink *out, const struct script *script, unsigned first) must_check;

/**
 * Wait until no job runs, or job @number has ended (0: all). Returns the status of the last one
 * waited for, -ESRCH when there is no such job, -EINTR on Ctrl-C.
 */
int job_wait(int number) must_check;

/** How many jobs run now. */
unsigned job_count(void);

/** Call @fn for each job that runs, with the line it was started by. */
void job_each(void (*fn)(int number, const char *line, void *arg), void *arg);

#endif
