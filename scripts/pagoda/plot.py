# SPDX-License-Identifier: MIT
"""A picture of how much of Linux's work a mechanism takes: bars in SVG, and nothing but text.

      first touch      |#######..................|    993 of 3,407
      read zero        |######...................|    291 of 1,160
                       0%    25%   50%         100%
"""
import html

LABELS, BARS, NUMBERS = 330, 420, 150  # widths of the three columns
ROW, BAR, MARGIN = 24, 14, 16
INK, QUIET, TRACK, FILL = "#24292f", "#6e7781", "#d8dee4", "#0969da"
GUIDES = (25, 50)  # per cent
FONT = "font-family='Helvetica, Arial, sans-serif' font-size='13'"


def text(x, y, words, anchor="start", colour=INK):
    return (f"<text x='{x}' y='{y}' fill='{colour}' text-anchor='{anchor}'>{html.escape(words)}"
            "</text>")


def rectangle(x, y, width, colour):
    return f"<rect x='{x}' y='{y}' width='{width:.1f}' height='{BAR}' rx='2' fill='{colour}'/>"


def bar(y, label, ours, theirs):
    """One row: what, how much of theirs, both figures."""
    left = MARGIN + LABELS
    width = BARS * min(ours / theirs, 1)
    return [text(left - 10, y + BAR - 3, label, "end"), rectangle(left, y, BARS, TRACK),
            rectangle(left, y, width, FILL),
            text(left + BARS + 10, y + BAR - 3, f"{ours:,} of {theirs:,}", colour=QUIET)]


def bars(title, rows):
    """The picture of @rows, each (label, ours, theirs)."""
    left, top = MARGIN + LABELS, MARGIN + 40
    height = top + ROW * len(rows) + 30
    width = left + BARS + NUMBERS + MARGIN
    lines = [f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' {FONT}>",
             f"<rect width='{width}' height='{height}' fill='white'/>",
             text(MARGIN, MARGIN + 12, title)]
    for i, row in enumerate(rows):
        lines += bar(top + i * ROW, *row)
    bottom = top + ROW * len(rows)
    for share in GUIDES + (100,):
        x = left + BARS * share / 100
        lines.append(f"<line x1='{x}' x2='{x}' y1='{top - 6}' y2='{bottom}' stroke='{QUIET}' "
                     "stroke-dasharray='3,3'/>")
        lines.append(text(x, bottom + 16, f"{share} %", "middle", QUIET))
    return "\n".join(lines + ["</svg>", ""])
