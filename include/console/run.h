/* SPDX-License-Identifier: MIT */
/*
 * console/run.h - running what was parsed.
 */
#ifndef PAGODA_CONSOLE_RUN_H
#define PAGODA_CONSOLE_RUN_H

#include "console/console.h"
#include "console/parse.h"

/** The last stage of the pipeline that begins at stage @first. */
unsigned pipeline_end(const struct script *script, unsigned first);

/** Run the pipeline of stages @first .. @last. Returns its status and leaves it in con->status. */
int pipeline_run(struct console *con, struct script *script, unsigned first, unsigned last);

/** The words of a pipeline again, for messages and job lists. */
void pipeline_text(const struct script *script, unsigned first, unsigned last, char *buf,
                   size_t size);

#endif
