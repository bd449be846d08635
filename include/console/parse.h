/* SPDX-License-Identifier: MIT */
/*
 * console/parse.h - a typed line becomes a script: pipelines of words.
 */
#ifndef PAGODA_CONSOLE_PARSE_H
#define PAGODA_CONSOLE_PARSE_H

#include "base/types.h"

#define SCRIPT_LINE 512  /* the longest line, in bytes, with its final NUL */
#define SCRIPT_WORDS 96  /* words of all stages together */
#define SCRIPT_STAGES 24 /* commands and filters of all pipelines together */

/** What follows a stage. */
enum script_link {
    LINK_END,        /* nothing: the line ends here */
    LINK_THEN,       /* `;`  run the next pipeline when this one has ended */
    LINK_BACKGROUND, /* `&`  run this pipeline beside what follows */
    LINK_PIPE,       /* `|`  the next stage filters what this one prints */
};

struct stage {
    unsigned first, argc; /* words[first] .. words[first + argc - 1] */
    enum script_link link;
};

struct script {
    unsigned nr_stages, nr_words;
    struct stage stages[SCRIPT_STAGES];
    char *words[SCRIPT_WORDS];    /* point into text */
    bool is_status[SCRIPT_WORDS]; /* the word is an unquoted $?, put in when its stage runs */
    char text[SCRIPT_LINE * 2];
};

/**
 * Split @line into @out. Words are separated by blanks; '..' and ".." quote, \ quotes one
 * character, # at the start of a word begins a comment. Returns 0, or -EINVAL with *@why set to
 * what is wrong (a constant string). An empty line is a script of no stages.
 */
int script_parse(const char *line, struct script *out, const char **why) must_check;

#endif
