/* SPDX-License-Identifier: MIT */
/*
 * line.c - editing one line on a terminal: cursor, history, completion.
 *
 *      pagoda> cat /proc/bud|dyinfo         text, len 16, at 13 (the bar)
 *
 *      history:  [0] nodes  [1] zones  [2] check      ring of the last lines
 *                                       browsing 1 = the last one
 *
 * The editor is a machine that is fed byte by byte and never waits, so that a host test can type
 * to it. After each change the line from the prompt on is drawn anew: a serial line is fast enough
 * for that, and there is no screen state to lose.
 *
 * Locks: none; a line belongs to one thread.
 * Keys: those of readline that fingers know (arrows, Home, End, ^A ^E ^K ^U ^W ^Y ^L ^P ^N, Tab).
 */
#include "console/line.h"

#include "base/string.h"

#define CTRL(c) ((char)((c)&0x1f))
#define KEY_DELETE 0x7f

void line_init(struct line *l, struct sink *out, const char *prompt, line_completer complete)
{
    memset(l, 0, sizeof(*l));
    l->out = out;
    l->prompt = prompt;
    l->complete = complete;
}

void line_redraw(struct line *l)
{
    print(l->out, "\r\x1b[K%s%s", l->prompt, l->text);
    if (l->len > l->at)
        print(l->out, "\x1b[%zuD", l->len - l->at);
}

void line_begin(struct line *l)
{
    l->len = l->at = 0;
    l->text[0] = '\0';
    l->browsing = 0;
    l->escape = ESC_NONE;
    print(l->out, "%s", l->prompt);
}

/* --- changing the text ----------------------------------------------------------------------- */

static void insert(struct line *l, const char *s, size_t n)
{
    if (l->len + n >= sizeof(l->text))
        return;
    memmove(l->text + l->at + n, l->text + l->at, l->len - l->at + 1);
    memcpy(l->text + l->at, s, n);
    l->len += n;
    l->at += n;
    if (l->at == l->len)
        l->out->write(l->out, s, n); /* the common case: typed at the end */
    else
        line_redraw(l);
}

static void cut(struct line *l, size_t from, size_t to, bool keep)
{
    if (from >= to)
        return;
    if (keep) {
        memcpy(l->yanked, l->text + from, to - from);
        l->yanked[to - from] = '\0';
    }
    memmove(l->text + from, l->text + to, l->len - to + 1);
    l->len -= to - from;
    l->at = from;
    line_redraw(l);
}

static size_t word_start(const struct line *l)
{
    size_t i = l->at;
    while (i && l->text[i - 1] == ' ')
        i--;
    while (i && l->text[i - 1] != ' ')
        i--;
    return i;
}

static void move_to(struct line *l, size_t at)
{
    l->at = MIN(at, l->len);
    line_redraw(l);
}

/* --- history --------------------------------------------------------------------------------- */

static void remember(struct line *l)
{
    char *last = l->nr_history ? l->history[(l->nr_history - 1) % LINE_HISTORY] : NULL;
    if (l->len && !(last && strcmp(last, l->text) == 0))
        strlcpy(l->history[l->nr_history++ % LINE_HISTORY], l->text, SCRIPT_LINE);
}

static void browse(struct line *l, int step)
{
    unsigned kept = MIN(l->nr_history, (unsigned)LINE_HISTORY);
    unsigned to = l->browsing + (unsigned)step;
    if (to > kept) /* also below zero */
        return;
    l->browsing = to;
    const char *line = to ? l->history[(l->nr_history - to) % LINE_HISTORY] : "";
    strlcpy(l->text, line, sizeof(l->text));
    l->len = l->at = strlen(l->text);
    line_redraw(l);
}

/* --- completion ------------------------------------------------------------------------------ */

struct completion {
    struct line *line;
    unsigned count;
    bool list; /* print them instead of gathering what they share */
    char shared[SCRIPT_LINE];
};

static void take_candidate(void *arg, const char *candidate)
{
    struct completion *c = arg;
    if (c->list) {
        print(c->line->out, "%s  ", candidate);
        return;
    }
    if (c->count++ == 0) {
        strlcpy(c->shared, candidate, sizeof(c->shared));
        return;
    }
    size_t i = 0;
    while (c->shared[i] && c->shared[i] == candidate[i])
        i++;
    c->shared[i] = '\0';
}

/* Is the word that starts at @start in the place of a command? */
static bool is_first_word(const struct line *l, size_t start)
{
    while (start && l->text[start - 1] == ' ')
        start--;
    return !start || l->text[start - 1] == ';' || l->text[start - 1] == '|' ||
           l->text[start - 1] == '&';
}

static void complete(struct line *l)
{
    struct completion c = {.line = l};
    char word[SCRIPT_LINE];
    size_t start = l->at;
    while (start && l->text[start - 1] != ' ')
        start--;
    memcpy(word, l->text + start, l->at - start);
    word[l->at - start] = '\0';
    bool first = is_first_word(l, start);
    if (!l->complete)
        return;
    l->complete(word, first, take_candidate, &c);
    size_t typed = strlen(word), shared = strlen(c.shared);
    if (c.count && shared > typed)
        insert(l, c.shared + typed, shared - typed);
    if (c.count == 1 && shared && c.shared[shared - 1] != '/')
        insert(l, " ", 1);
    if (c.count > 1 && shared == typed) {
        c.list = true;
        print(l->out, "\n");
        l->complete(word, first, take_candidate, &c);
        print(l->out, "\n");
        line_redraw(l);
    }
}

/* --- keys ------------------------------------------------------------------------------------ */

static void escape_key(struct line *l, char c)
{
    l->escape = ESC_NONE;
    switch (c) {
    case 'A':
        browse(l, 1);
        break;
    case 'B':
        browse(l, -1);
        break;
    case 'C':
        move_to(l, l->at + 1);
        break;
    case 'D':
        move_to(l, l->at ? l->at - 1 : 0);
        break;
    case 'H':
        move_to(l, 0);
        break;
    case 'F':
        move_to(l, l->len);
        break;
    case '~':
        if (l->escape_number == 3)
            cut(l, l->at, MIN(l->at + 1, l->len), false);
        else if (l->escape_number == 1 || l->escape_number == 7)
            move_to(l, 0);
        else if (l->escape_number == 4 || l->escape_number == 8)
            move_to(l, l->len);
        break;
    default:
        break;
    }
}

/* The bytes of an escape sequence; true while they belong to one. */
static bool in_escape(struct line *l, char c)
{
    if (l->escape == ESC_SEEN) {
        l->escape = c == '[' || c == 'O' ? ESC_BRACKET : ESC_NONE;
        l->escape_number = 0;
        return true;
    }
    if (l->escape != ESC_BRACKET)
        return false;
    if (c >= '0' && c <= '9')
        l->escape_number = (l->escape_number * 10 + (unsigned)(c - '0')) % 100;
    else
        escape_key(l, c);
    return true;
}

static void control_key(struct line *l, char c)
{
    switch (c) {
    case '\x1b':
        l->escape = ESC_SEEN;
        break;
    case '\t':
        complete(l);
        break;
    case '\b':
    case KEY_DELETE:
        cut(l, l->at ? l->at - 1 : 0, l->at, false);
        break;
    case CTRL('A'):
        move_to(l, 0);
        break;
    case CTRL('B'):
        move_to(l, l->at ? l->at - 1 : 0);
        break;
    case CTRL('D'):
        cut(l, l->at, MIN(l->at + 1, l->len), false);
        break;
    case CTRL('E'):
        move_to(l, l->len);
        break;
    case CTRL('F'):
        move_to(l, l->at + 1);
        break;
    case CTRL('K'):
        cut(l, l->at, l->len, true);
        break;
    case CTRL('L'):
        print(l->out, "\x1b[H\x1b[2J");
        line_redraw(l);
        break;
    case CTRL('N'):
        browse(l, -1);
        break;
    case CTRL('P'):
        browse(l, 1);
        break;
    case CTRL('U'):
        cut(l, 0, l->at, true);
        break;
    case CTRL('W'):
        cut(l, word_start(l), l->at, true);
        break;
    case CTRL('Y'):
        insert(l, l->yanked, strlen(l->yanked));
        break;
    default:
        break; /* other control bytes mean nothing here */
    }
}

enum line_event line_feed(struct line *l, char c)
{
    if (in_escape(l, c))
        return LINE_MORE;
    if (c == '\r' || c == '\n') {
        print(l->out, "\n");
        remember(l);
        return LINE_READY;
    }
    if (c == CTRL('C')) {
        print(l->out, "^C\n");
        return LINE_CANCEL;
    }
    if (c == CTRL('D') && l->len == 0)
        return LINE_END;
    if ((unsigned char)c < ' ' || c == KEY_DELETE)
        control_key(l, c);
    else
        insert(l, &c, 1);
    return LINE_MORE;
}
