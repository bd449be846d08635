/* SPDX-License-Identifier: MIT */
/*
 * console/line.h - editing one line on a terminal: cursor, history, completion.
 */
#ifndef PAGODA_CONSOLE_LINE_H
#define PAGODA_CONSOLE_LINE_H

#include "base/format.h"
#include "base/types.h"
#include "console/parse.h"

#define LINE_HISTORY 32

enum line_event {
    LINE_MORE,   /* keep typing */
    LINE_READY,  /* Enter: line->text is whole */
    LINE_CANCEL, /* Ctrl-C: forget it */
    LINE_END,    /* Ctrl-D on an empty line */
};

/** Offers one candidate for the word that is being completed. */
typedef void (*line_offer)(void *arg, const char *candidate);

/** Calls @offer for each candidate that begins with @word; @first: it is the command word. */
typedef void (*line_completer)(const char *word, bool first, line_offer offer, void *arg);

struct line {
    struct sink *out;
    const char *prompt;
    line_completer complete;
    size_t len, at; /* bytes typed; where the cursor stands */
    enum { ESC_NONE, ESC_SEEN, ESC_BRACKET } escape;
    unsigned escape_number;
    char text[SCRIPT_LINE];
    char yanked[SCRIPT_LINE];      /* what Ctrl-K, Ctrl-U or Ctrl-W took, for Ctrl-Y */
    unsigned nr_history, browsing; /* lines remembered; 0: the new line, n: n-th from the last */
    char history[LINE_HISTORY][SCRIPT_LINE];
};

/** Make @l empty; it prints to @out. @complete may be NULL. */
void line_init(struct line *l, struct sink *out, const char *prompt, line_completer complete);

/** Print the prompt and begin a new line. */
void line_begin(struct line *l);

/** Take one byte from the terminal. */
enum line_event line_feed(struct line *l, char c) must_check;

/** Print the prompt and what is typed so far again, after something else was printed. */
void line_redraw(struct line *l);

#endif
