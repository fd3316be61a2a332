# SPDX-License-Identifier: MIT
"""The table on the terminal and the JSON file."""
import json
import os
import platform
import sys

HEADER = "%-14s %-15s %6s  %-16s %11s %9s %9s %10s %8s %7s" % (
    "work", "peer", "ratio", "95 % interval", "ops/cpu-s", "cpu us", "user us", "calls/op", "KiB each", "rounds")


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


def row_line(row):
    calls = "-" if row["calls"] is None else "%.4f" % row["calls"]
    disturbed = "" if not row["disturbed_rounds"] else "+%d" % row["disturbed_rounds"]
    each = "-" if row["bytes_each"] is None else "%.1f" % (row["bytes_each"] / 1024)
    return "%-14s %-15s %6.3f  %-16s %11s %9.4f %9.4f %10s %8s %7s" % (
        row["work"], row["peer"], row["ratio"], "%.3f to %.3f" % (row["lo"], row["hi"]),
        "{:,.0f}".format(row["operations_per_cpu_s"]), row["cpu_us"], row["user_us"], calls, each,
        "%d%s" % (row["rounds"], disturbed))


def _verdict(row):
    if row["memory_target"] is None:
        return ""
    return "; at most %.1f: %s" % (row["memory_target"] / 1024,
                                   {True: "reached", False: "NOT REACHED", None: "too few to judge"}[row["reached"]])


def notes(rows, base):
    """What the reader must know to read the table."""
    yield "ratio: operations per second of server CPU time, to %s's, median of paired rounds, bootstrap interval." % base
    yield "user us: as the kernel's clock tick samples it. calls/op: system calls, counted in other runs by strace,"
    yield "which slows the server, so that a few more connections than at full speed share one epoll_wait."
    for row in rows:
        if row["bytes_each"] is not None:
            yield ("%s, %s: an idle connection holds %.1f KiB of the server's private memory (resident: %.1f), of %d; "
                   "its ratio is of this%s." % (row["work"], row["peer"], row["bytes_each"] / 1024, row["rss_bytes_each"] / 1024,
                                                row["connections"], _verdict(row)))
    if any(row["disturbed_rounds"] for row in rows):
        yield "rounds N+M: M rounds were disturbed (another load on the machine) and are left out; see --json."
    if any(row["all_disturbed"] for row in rows):
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
