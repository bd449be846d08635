/* SPDX-License-Identifier: MIT */
/*
 * parse.c - a typed line becomes a script: pipelines of words.
 *
 *      cat /proc/vmstat | grep compact ; repeat 3 hello &
 *      \____ stage 0 _/ |\_ stage 1 _/ ; \__ stage 2 __/ &
 *
 *      words:  cat  /proc/vmstat  grep  compact  repeat  3  hello
 *      text:   cat\0/proc/vmstat\0grep\0compact\0repeat\0003\0hello\0
 *
 * One pass, left to right, no state beside the script that is filled. A shell's expansions are
 * left out on purpose; `$?` is the only one, and it waits until its stage runs, because an earlier
 * stage of the same line may change it.
 */
#include "console/parse.h"

#include "base/errno.h"
#include "base/string.h"

struct parser {
    const char *at;
    struct script *out;
    size_t used;     /* bytes of out->text */
    const char *why; /* what is wrong, or NULL */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_operator(char c)
{
    return c == '|' || c == ';' || c == '&';
}

static void put_char(struct parser *p, char c)
{
    if (p->used + 1 >= sizeof(p->out->text))
        p->why = "the line is too long";
    else
        p->out->text[p->used++] = c;
}

/* The part of a word between two quotes. */
static void take_quoted(struct parser *p, char quote)
{
    p->at++;
    while (*p->at && *p->at != quote && !p->why) {
        if (quote == '"' && p->at[0] == '\\' && (p->at[1] == '"' || p->at[1] == '\\'))
            p->at++;
        put_char(p, *p->at++);
    }
    if (*p->at == quote)
        p->at++;
    else if (!p->why)
        p->why = "a quote is not closed";
}

static void take_word(struct parser *p)
{
    struct script *out = p->out;
    bool plain = true;
    if (out->nr_words == SCRIPT_WORDS) {
        p->why = "the line has too many words";
        return;
    }
    char *word = &out->text[p->used];
    while (*p->at && !is_blank(*p->at) && !is_operator(*p->at) && !p->why) {
        if (*p->at == '\'' || *p->at == '"') {
            plain = false;
            take_quoted(p, *p->at);
            continue;
        }
        if (*p->at == '\\' && p->at[1]) {
            plain = false;
            p->at++;
        }
        put_char(p, *p->at++);
    }
    put_char(p, '\0');
    if (p->why)
        return;
    out->is_status[out->nr_words] = plain && strcmp(word, "$?") == 0;
    out->words[out->nr_words++] = word;
}

static enum script_link link_of(char c)
{
    return c == '|' ? LINK_PIPE : c == '&' ? LINK_BACKGROUND : LINK_THEN;
}

/* A stage is complete when an operator or the end of the line is met. */
static void end_stage(struct parser *p, unsigned first, enum script_link link)
{
    struct script *out = p->out;
    unsigned argc = out->nr_words - first;
    bool piped_into = out->nr_stages && out->stages[out->nr_stages - 1].link == LINK_PIPE;
    if (!argc) {
        if (piped_into || link == LINK_PIPE)
            p->why = "a command is missing beside '|'";
        else if (link == LINK_BACKGROUND)
            p->why = "a command is missing before '&'";
        return; /* `;;` and a final `;` are harmless */
    }
    if (out->nr_stages == SCRIPT_STAGES) {
        p->why = "the line has too many commands";
        return;
    }
    out->stages[out->nr_stages++] = (struct stage){first, argc, link};
}

int script_parse(const char *line, struct script *out, const char **why)
{
    struct parser p = {.at = line, .out = out};
    out->nr_stages = out->nr_words = 0;
    unsigned first = 0;
    for (;;) {
        while (is_blank(*p.at))
            p.at++;
        bool end = *p.at == '\0' || *p.at == '#';
        if (end || is_operator(*p.at)) {
            end_stage(&p, first, end ? LINK_END : link_of(*p.at));
            first = out->nr_words;
            if (end || p.why)
                break;
            p.at++;
            continue;
        }
        take_word(&p);
        if (p.why)
            break;
    }
    *why = p.why;
    return p.why ? -EINVAL : 0;
}
