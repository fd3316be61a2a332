# SPDX-License-Identifier: MIT
"""The plot, an SVG: each peer's ratio with its interval, work by work, and curves of cost as work grows."""
import math
from xml.sax.saxutils import escape

WIDTH = 900
LEFT = 150
ROW = 15
COLOURS = {"rill": "#c0152f", "raw": "#222222", "libuv": "#1f77b4", "libevent": "#17a2b8", "asio": "#7f5fbf", "tokio": "#c77d00",
           "go": "#2a9d5c", "uvloop": "#8c6d5a", "asyncio": "#999999"}
RATIO_MAX = 1.6
PANEL = 300  # height of a curve's panel


def _colour(name):
    return COLOURS.get(name.split("-")[0], "#555555")


def _text(x, y, words, size=12, anchor="start", colour="#222222"):
    return '<text x="%.1f" y="%.1f" font-size="%d" text-anchor="%s" fill="%s">%s</text>' % (x, y, size, anchor, colour, escape(words))


def _line(x1, y1, x2, y2, colour, width=1.0, dashes=""):
    dashed = ' stroke-dasharray="%s"' % dashes if dashes else ""
    return '<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="%.1f"%s/>' % (x1, y1, x2, y2, colour, width, dashed)


def _ratio_x(ratio):
    return LEFT + min(ratio, RATIO_MAX) / RATIO_MAX * (WIDTH - LEFT - 130)


def _goal_of(rows, work):
    for row in rows:
        if row["work"] == work and row["parts"][0]["what"].startswith("rate"):
            return row["parts"][0]["figure"]
    return None


def _work(measured, rows, work, top):
    """(elements, height) of one work: a line for each peer, best first."""
    peers = sorted((row for row in measured if row["work"] == work), key=lambda row: -row["ratio"])
    bottom = top + ROW * len(peers)
    out = [_text(8, top + ROW, work, 13), _line(_ratio_x(1), top, _ratio_x(1), bottom, "#bbbbbb")]
    goal = _goal_of(rows, work)
    if goal is not None:
        out.append(_line(_ratio_x(goal), top, _ratio_x(goal), bottom, _colour("rill"), 1.0, "3,3"))
    for number, row in enumerate(peers):
        y = top + ROW * number + ROW / 2
        colour = _colour(row["peer"])
        out.append(_line(_ratio_x(row["lo"]), y, _ratio_x(row["hi"]), y, colour, 5 if row["peer"] == "rill" else 3))
        out.append('<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>' % (_ratio_x(row["ratio"]), y, colour))
        out.append(_text(_ratio_x(max(row["hi"], row["ratio"])) + 8, y + 4, "%s %.2f" % (row["peer"], row["ratio"]), 11, colour=colour))
    return out, bottom - top + 10


def _ratios(document, top):
    measured = [row for row in document["measured"] if row.get("operations_per_cpu_s") and row.get("bytes_each") is None]
    if not measured:
        return [], 0
    base = measured[0]["base"]
    out = [_text(8, top + 18, "operations per second of server CPU time, to %s's; bar: 95 %% interval; dashes: rill's goal" % base, 14)]
    y = top + 34
    for work in dict.fromkeys(row["work"] for row in measured):
        elements, height = _work(measured, document["rows"], work, y)
        out += elements
        y += height
    return out, y - top + 10


def _spread(values, top, bottom):
    """Logarithmic: from value to pixels between top and bottom, with a decade of room at least."""
    low, high = math.log10(min(values)), math.log10(max(values))
    middle, half = (low + high) / 2, max(0.5, (high - low) / 2 + 0.1)
    return lambda value: bottom - (math.log10(value) - middle + half) / (2 * half) * (bottom - top)


def _panel(curve, top):
    """One curve of `scale`: cost on both logarithmic axes, so that a flat line is a flat cost."""
    points = curve["points"]
    y_of = _spread([point["value"] for point in points], top + 40, top + PANEL - 40)
    x_values = [point["x"] for point in points]
    scale = (WIDTH - LEFT - 130) / max(1e-9, math.log10(max(x_values)) - math.log10(min(x_values)))

    def x_of(value):
        return LEFT + (math.log10(value) - math.log10(min(x_values))) * scale

    out = [_text(8, top + 18, curve["what"], 14),
           _line(LEFT, top + PANEL - 30, WIDTH - 100, top + PANEL - 30, "#888888")]
    for x in sorted(set(x_values)):
        out.append(_text(x_of(x), top + PANEL - 14, "{:,}".format(x), 10, "middle"))
    for peer in dict.fromkeys(point["peer"] for point in points):
        places = [(x_of(point["x"]), y_of(point["value"]), point["value"]) for point in points if point["peer"] == peer]
        out.append('<polyline fill="none" stroke="%s" stroke-width="2" points="%s"/>' % (
            _colour(peer), " ".join("%.1f,%.1f" % place[:2] for place in places)))
        for x, y, value in places:
            out.append('<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>' % (x, y, _colour(peer)))
            out.append(_text(x, y - 7 if peer == "rill" else y + 15, "%.3g" % value, 10, "middle", _colour(peer)))
        out.append(_text(places[-1][0] + 30, places[-1][1] + 4, peer, 11, colour=_colour(peer)))
    return out, PANEL + 10


def svg(document):
    elements, height = _ratios(document, 0)
    for curve in document.get("scale") or []:
        more, taller = _panel(curve, height)
        elements += more
        height += taller
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
            'font-family="sans-serif">\n<rect width="100%%" height="100%%" fill="#ffffff"/>\n%s\n</svg>\n'
            % (WIDTH, max(height, 40), "\n".join(elements)))


def write(path, document):
    with open(path, "w") as file:
        file.write(svg(document))
