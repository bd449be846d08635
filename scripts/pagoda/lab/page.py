# SPDX-License-Identifier: MIT
"""The page of a class: a histogram for each item, and a line for each student."""
import html

BARS = 10
STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em }
.items { display: flex; flex-wrap: wrap; gap: 1.5em }
.item { width: 15em }
.item svg { width: 100%; height: 5em; background: #f4f4f4 }
.item rect { fill: #47a }
table { border-collapse: collapse; margin-top: 1em }
td, th { padding: .2em .6em; border-bottom: 1px solid #ddd; text-align: right }
td:first-child, th:first-child, td:last-child { text-align: left }
"""


def histogram(shares):
    """Shares from 0 to 1 as an SVG of ten bars."""
    counts = [0] * BARS
    for share in shares:
        counts[min(int(share * BARS), BARS - 1)] += 1
    most = max(counts) or 1
    bars = "".join(
        f'<rect x="{i * 10 + 1}" y="{50 - 48 * n / most:.1f}" width="8" '
        f'height="{48 * n / most:.1f}"><title>{n} students, {i * 10}-{i * 10 + 10}%</title></rect>'
        for i, n in enumerate(counts))
    return f'<svg viewBox="0 0 100 50" preserveAspectRatio="none">{bars}</svg>'


def item_box(lab, item, results):
    points = [i["points"] for by_lab in results.values() for i in by_lab[lab.name]["items"]
              if i["id"] == item.id]
    mean = sum(points) / len(points) if points else 0
    return (f'<div class="item"><b>{html.escape(item.title)}</b><br>{lab.name}.{item.id}, '
            f'mean {mean:.1f} of {item.points:g}'
            f'{histogram([p / item.points for p in points])}</div>')


def student_row(name, by_lab, labs):
    cells = [f'<a href="{html.escape(name)}/feedback.txt">{html.escape(name)}</a>',
             f"{sum(r['points'] for r in by_lab.values()):g}"]
    for lab in labs:
        points = {i["id"]: i["points"] for i in by_lab[lab.name]["items"]}
        cells += [f"{points.get(item.id, 0):g}" for item in lab.items]
    notes = [r["refused"].split("\n")[0] for r in by_lab.values() if r["refused"]]
    cells.append(html.escape("; ".join(notes)))
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def html_page(results, labs):
    """The whole page; it needs nothing else."""
    boxes = "".join(item_box(lab, item, results) for lab in labs for item in lab.items)
    heads = "".join(f"<th>{item.id}</th>" for lab in labs for item in lab.items)
    rows = "\n".join(student_row(name, by_lab, labs) for name, by_lab in results.items())
    title = ", ".join(lab.title for lab in labs)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title><style>{STYLE}</style>
<h1>{html.escape(title)}</h1>
<p>{len(results)} students, {sum(lab.points for lab in labs):g} points</p>
<div class="items">{boxes}</div>
<table><tr><th>student</th><th>points</th>{heads}<th></th></tr>
{rows}
</table></html>
"""
