# SPDX-License-Identifier: MIT
"""The tables on the terminal and the JSON file."""
import json
import os
import platform
import sys

HEADER = "%-14s %-15s %6s  %-16s %11s %9s %9s %10s %8s %7s" % (
    "work", "peer", "ratio", "95 % interval", "ops/cpu-s", "cpu us", "user us", "calls/op", "KiB each", "rounds")
VERDICT_HEADER = "%-15s %-26s %9s  %-20s %10s  %s" % ("row", "figure", "median", "95 % interval", "goal", "reached")
VERDICTS = {True: "yes", False: "NO", None: "not judged"}


def processor():
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def machine(setup):
    return {"system": platform.system() + " " + platform.release(), "processor": processor(),
            "processors": os.cpu_count(), "server_cpu": setup.server_cpu, "load_cpu": setup.load_cpu}


def peer_line(row):
    calls = "-" if row["calls"] is None else "%.4f" % row["calls"]
    disturbed = "" if not row["disturbed_rounds"] else "+%d" % row["disturbed_rounds"]
    each = "-" if row["bytes_each"] is None else "%.1f" % (row["bytes_each"] / 1024)
    return "%-14s %-15s %6.3f  %-16s %11s %9.4f %9.4f %10s %8s %7s" % (
        row["work"], row["peer"], row["ratio"], "%.3f to %.3f" % (row["lo"], row["hi"]),
        "{:,.0f}".format(row["operations_per_cpu_s"]), row["cpu_us"], row["user_us"], calls, each,
        "%d%s" % (row["rounds"], disturbed))


def _of_whom(whose, times):
    return "%s %s ns" % (whose, ", ".join("%.4g" % time for time in times))


def alone_line(row):
    """A program's own figures."""
    if row["times_ns"] is None:
        return "%-14s %s coroutines alive, %s without a guard page: %s bytes" % (
            row["work"], "{:,}".format(row["alive"]), row["unguarded"], "{:,.0f}".format(row["ratio"]))
    times = "; ".join(_of_whom({"hand": "by hand", "boost": "Boost"}.get(who, who), values)
                      for who, values in row["times_ns"].items())
    ratio = "%-15s %6.3f  %-16s" % ("rill", row["ratio"], "%.3f to %.3f" % (row["lo"], row["hi"]))
    return "%-14s %s %s, %d rounds%s" % (row["work"], ratio, times, row["rounds"], " DISTURBED" if row["disturbed"] else "")


def line(row):
    return peer_line(row) if "peer" in row and "calls" in row else alone_line(row)


def _figure(value):
    return "-" if value is None else "%.3g" % value if value >= 1e5 else "%.4g" % value


def _goal(part):
    return "-" if part["figure"] is None else "%s %s" % ({"more": ">=", "less": "<="}[part["better"]], _figure(part["figure"]))


def verdict_lines(rows):
    """The table at the end: each row's goals, one a line."""
    yield ""
    yield VERDICT_HEADER
    for row in rows:
        for number, part in enumerate(row["parts"]):
            interval = "-" if part["lo"] is None else "%s to %s" % (_figure(part["lo"]), _figure(part["hi"]))
            goal = _goal(part)
            yield "%-15s %-26s %9s  %-20s %10s  %s" % ("" if number else row["work"], part["what"], _figure(part["value"]), interval,
                                                       goal, VERDICTS[part["reached"]])
    reached = [row["work"] for row in rows if row["reached"]]
    yield "%d of %d rows reached" % (len(reached), len(rows))


def _markdown_row(cells):
    return "| %s |" % " | ".join(cells)


def _markdown_peers(document):
    """Ratios of every peer, a line for each work."""
    measured = [row for row in document["measured"] if "calls" in row]
    names = list(dict.fromkeys(row["peer"] for row in measured))
    yield _markdown_row(["work"] + names)
    yield _markdown_row(["---"] * (len(names) + 1))
    for work in dict.fromkeys(row["work"] for row in measured):
        cells = dict.fromkeys(names, "-")
        for row in measured:
            if row["work"] == work:
                of_memory = row["bytes_each"] is not None
                cells[row["peer"]] = "%.1f KiB" % (row["bytes_each"] / 1024) if of_memory else "%.2f" % row["ratio"]
        yield _markdown_row([work] + [cells[name] for name in names])


def markdown(document):
    """The tables of a document: goals, peers, programs that measure themselves, curves."""
    yield _markdown_row(["row", "figure", "median", "95 % interval", "goal", "rounds", "reached"])
    yield _markdown_row(["---"] * 7)
    for row in document["rows"]:
        for number, part in enumerate(row["parts"]):
            interval = "-" if part["lo"] is None else "%s to %s" % (_figure(part["lo"]), _figure(part["hi"]))
            goal = _goal(part)
            yield _markdown_row(["" if number else row["work"], part["what"], _figure(part["value"]), interval, goal,
                                 "" if number else str(row["rounds"]), VERDICTS[part["reached"]]])
    yield ""
    yield from _markdown_peers(document)
    yield ""
    for row in document["measured"]:
        if "calls" not in row:
            yield "- " + " ".join(alone_line(row).split())
    for curve in document.get("scale") or []:
        yield ""
        yield from (_markdown_row(cells) for cells in _markdown_curve(curve))


def _markdown_curve(curve):
    values = list(dict.fromkeys(point["x"] for point in curve["points"]))
    yield [curve["what"]] + ["{:,}".format(x) for x in values]
    yield ["---"] * (len(values) + 1)
    for peer in dict.fromkeys(point["peer"] for point in curve["points"]):
        found = {point["x"]: point["value"] for point in curve["points"] if point["peer"] == peer}
        yield [peer] + ["%.3g" % found[x] for x in values]


def notes(measured, base):
    """What the reader must know to read the table."""
    yield "ratio: operations per second of server CPU time, to %s's, median of paired rounds, bootstrap interval." % base
    yield "user us: as the kernel's clock tick samples it. calls/op: system calls, counted in other runs by strace,"
    yield "which slows the server, so that a few more connections than at full speed share one epoll_wait."
    for row in measured:
        if row.get("bytes_each") is not None:
            yield ("%s, %s: an idle connection holds %.1f KiB of the server's private memory (resident: %.1f), of %d; "
                   "its ratio is of this." % (row["work"], row["peer"], row["bytes_each"] / 1024, row["rss_bytes_each"] / 1024,
                                              row["connections"]))
    if any(row["work"] == "startup" for row in measured):
        yield "startup: an operation is a start, and its time the wall clock's."
    if any(row.get("disturbed_rounds") for row in measured):
        yield "rounds N+M: M rounds were disturbed (another load on the machine) and are left out; see --json."
    if any(row.get("all_disturbed") for row in measured):
        yield "EVERY round of a work was disturbed: its figures are from disturbed rounds."


class Live:
    """A line that says what runs now; only on a terminal."""

    def __init__(self, stream=sys.stderr):
        self.stream = stream
        self.shown = stream.isatty()

    def say(self, text):
        if self.shown:
            self.stream.write("\r\033[K" + text)
            self.stream.flush()

    def clear(self):
        self.say("")


def write_json(path, document):
    text = json.dumps(document, indent=1) + "\n"
    if path == "-":
        sys.stdout.write(text)
        return
    with open(path, "w") as file:
        file.write(text)


def merge(paths):
    """One document of several: of a work that is in more than one, the last counts."""
    merged = {}
    for path in paths:
        with open(path) as file:
            document = json.load(file)
        if document.get("tool") != "tools/bench":
            raise ValueError("%s is not of tools/bench --json" % path)
        again = {row["work"] for row in document["measured"]}
        for name in ("rows", "measured", "rounds"):
            document[name] = [row for row in merged.get(name, []) if row["work"] not in again] + document[name]
        document["scale"] = document.get("scale") or merged.get("scale", [])
        merged = document
    return merged
