# SPDX-License-Identifier: MIT
"""tools/bench's command line: build, works one after another, tables and files."""
import argparse
import contextlib
import os
import shutil
import subprocess
import sys

from . import alone, certificates, course, measure, peers, plot, report, scale, works

ROOT = os.path.dirname(os.path.dirname(peers.FOLDER))
VERSION = 2
QUICK = {"works": ["echo64"], "peers": "rill,raw", "seconds": 0.1, "warmup": 0.03}
SCALE_DESCRIPTORS = 51000


class Setup:
    """What every run needs: the programs, how long they wait, the servers' certificate, and which processor is whose."""

    def __init__(self, folder, options, certificate):
        self.folder = folder
        self.silence = options.silence
        self.idle_connections = options.connections
        self.certificate = certificate  # None: no work is over TLS
        self.server_cpu, self.load_cpu = measure.choose_cpus()


def parse(argv):
    parser = argparse.ArgumentParser(
        prog="tools/bench", description="Measures rill's server beside a hand-written epoll server, CPython's "
        "asyncio and what else the machine has: one load at a time, servers in turn, server and load generator each on a processor of its own. "
        "Prints ratios of operations per second of server CPU time, with their spread, and at the end which of rill's goals are reached.",
        epilog="Every answer is checked. Exit status: 0, or 1 when a server failed or answered wrongly.")
    parser.add_argument("works", nargs="*", metavar="WORK", help="works of --list; all without any")
    parser.add_argument("--list", action="store_true", help="print works and peers, and end")
    parser.add_argument("--quick", action="store_true", help="for every day, in seconds: echo64 with rill and raw, short windows")
    parser.add_argument("--scale", action="store_true",
                        help="instead of works: what a request or byte costs as connections, lines and limits grow")
    parser.add_argument("--report", nargs="+", metavar="FILE", help="measure nothing: tables and files of what --json wrote before")
    parser.add_argument("--peers", default=None, metavar="LIST", help="of %s (all of them)" % ",".join(peers.KINDS))
    parser.add_argument("--python", action="append", metavar="PATH",
                        help="an interpreter for asyncio; can be repeated (default: %s)" % peers.default_python())
    parser.add_argument("--rounds", type=int, default=21, help="undisturbed rounds of each work (%(default)s; fewer cannot judge)")
    parser.add_argument("--seconds", type=float, default=None,
                        help="measured window of one server in one round (0.2); more rounds say more than longer ones")
    parser.add_argument("--connections", type=int, metavar="N", help="of idle and tls-idle, instead of 10,000")
    parser.add_argument("--warmup", type=float, default=None, help="seconds of load before it (0.1)")
    parser.add_argument("--silence", type=float, default=10, metavar="SECONDS",
                        help="a server that answers nothing for so long has failed (%(default)s)")
    parser.add_argument("--no-calls", action="store_true", help="do not count system calls")
    parser.add_argument("--instructions", action="store_true", help="count instructions per operation of the servers in C (Valgrind; slow)")
    parser.add_argument("--json", metavar="FILE", help="write everything that was measured; - for standard output")
    parser.add_argument("--markdown", metavar="FILE", help="write the tables as docs/performance.md has them")
    parser.add_argument("--svg", metavar="FILE", help="draw it")
    parser.add_argument("--bin", metavar="DIR", help="take the programs from DIR instead of building them")
    options = parser.parse_args(argv)
    _complete(parser, options)
    return options


def _complete(parser, options):
    """What was not given; what makes no sense is an error."""
    options.names = options.works
    if options.quick and not options.works:
        options.works = QUICK["works"]
    options.peers = options.peers or (QUICK["peers"] if options.quick or options.scale else ",".join(peers.KINDS))
    options.seconds = options.seconds if options.seconds is not None else QUICK["seconds"] if options.quick else 0.2
    options.warmup = options.warmup if options.warmup is not None else QUICK["warmup"] if options.quick else 0.1
    if options.connections is not None and options.connections < 1:
        parser.error("--connections must be positive")
    if options.rounds < 1 or options.seconds <= 0 or options.warmup < 0 or options.silence <= 0:
        parser.error("--rounds, --seconds and --silence must be positive, --warmup not negative")


def build(kinds):
    """Builds the programs as users get rill, and those of the peers that can be built; returns their folder."""
    if shutil.which("cmake") is None:
        raise measure.Failed("cmake is missing: tools/setup installs what rill needs")
    folder = os.path.join(ROOT, "build", "release")
    make = ["cmake", "--build", folder, "--parallel", "2", "--target"]
    for command in (["cmake", "--preset", "release", "-DRILL_BUILD_BENCH=ON"], make + ["rill-bench"]):
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
        if done.returncode != 0:
            raise measure.Failed("%s\n%s failed" % (done.stdout, " ".join(command)))
    if set(kinds) & set(peers.PACKAGES):  # one that cannot be built, with another version of its library, is a missing one
        subprocess.run(make + ["rill-bench-peers", "--", "-k", "0"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       check=False)
    return os.path.join(folder, "tools", "bench.d")


def print_list(found):
    print("works:")
    for work in works.WORKS:
        print("  %-17s%s" % (work.name, work.what))
    print("peers:")
    for peer in found:
        about = peers.ABOUT.get(peer.name, peers.ABOUT["asyncio"])
        print("  %-16s%s" % (peer.name, "missing: " + peer.missing if peer.missing else peer.version or about))


def order_by_base(found):
    """The peers that are there, the one that ratios are to first: raw, or whoever is."""
    present = [peer for peer in found if not peer.missing]
    present.sort(key=lambda peer: peer.name != "raw")
    return present


def print_head(setup, options, chosen, found, out):
    where = "not pinned: one processor only" if setup.server_cpu is None else (
        "server on processor %d, load on %d" % (setup.server_cpu, setup.load_cpu))
    out.write("%s; %d rounds of %g s\n%s, %s\n" % (where, options.rounds, options.seconds,
                                                  report.processor(), report.machine(setup)["system"]))
    for peer in found:
        if peer.missing:
            out.write("MISSING %s: %s\n" % (peer.name, peer.missing))
        elif not peer.has_tls and any(work.tls for work in chosen):
            out.write("%s has no TLS: no rows of it there\n" % peer.name)
    if any(peer.missing and peer.name in peers.INSTALLED for peer in found):
        out.write("tools/setup --bench installs what is missing of the other peers\n")
    if not options.no_calls and shutil.which("strace") is None:
        out.write("MISSING strace: system calls are not counted\n")
    if options.instructions and shutil.which("valgrind") is None:
        out.write("MISSING valgrind: instructions are not counted\n")
    out.flush()


def possible(setup, chosen, names, out):
    """The chosen works that can be run here; one that was asked for by name and cannot be is a failure."""
    fit = []
    for work in chosen:
        if isinstance(work, works.Alone):
            why = alone.missing(work, setup)
        else:
            why = certificates.MISSING if work.tls and not certificates.are_possible() else ""
        if why and names:
            raise measure.Failed("MISSING %s" % (why if work.tls else "%s: %s" % (work.name, why)))
        if why:
            out.write("MISSING %s: %s\n" % (work.name, why))
        else:
            fit.append(work)
    return fit


def measure_one(setup, options, work, present, live):
    """(row or None, what was measured, rounds) of a work of either kind."""
    if isinstance(work, works.Alone):
        live.say(work.name)
        row, measured = alone.measure_alone(setup, options, work)
        live.clear()
        return row, [measured], []
    return course.measure_work(setup, options, work, [peer for peer in present if peer.has_tls or not work.tls], live)


def finish(options, document, out):
    """The last table, and the files."""
    if document["rows"]:
        for line in report.verdict_lines(document["rows"]):
            out.write(line + "\n")
    if options.json:
        report.write_json(options.json, document)
    if options.markdown:
        with open(options.markdown, "w") as file:
            file.write("\n".join(report.markdown(document)) + "\n")
    if options.svg:
        plot.write(options.svg, document)


def run(setup, options, chosen, found, out):
    present = order_by_base(found)
    if not present:
        raise measure.Failed("none of the peers is there: %s" % options.peers)
    live = report.Live()
    document = {"tool": "tools/bench", "version": VERSION, "command": sys.argv[1:], "machine": report.machine(setup),
                "peers": [peer.as_json() for peer in found], "rows": [], "measured": [], "rounds": [], "scale": []}
    if options.scale:
        for curve in scale.curves(setup, options, present, live):
            document["scale"].append(curve)
            out.write("\n".join(scale.lines(curve)) + "\n")
            out.flush()
    else:
        out.write(report.HEADER + "\n")
        for work in chosen:
            row, measured, rounds = measure_one(setup, options, work, present, live)
            document["rows"] += [row] if row else []
            document["measured"] += measured
            document["rounds"] += rounds
            out.write("".join(report.line(one) + "\n" for one in measured))
            out.flush()
        out.write("".join(note + "\n" for note in report.notes(document["measured"], present[0].name)))
    finish(options, document, out)


def bench(options):
    out = sys.stderr if options.json == "-" else sys.stdout
    if options.report:
        document = report.merge(options.report)
        out.write(report.HEADER + "\n" + "".join(report.line(one) + "\n" for one in document["measured"]))
        finish(options, document, out)
        return
    chosen = works.choose(options.works)
    kinds = [kind for kind in options.peers.split(",") if kind]
    pythons = options.python or [peers.default_python()]
    if options.list:
        print_list(peers.find(kinds, pythons, options.bin or os.path.join(ROOT, "build", "release", "tools", "bench.d")))
        return
    folder = os.path.abspath(options.bin) if options.bin else build(kinds)
    found = peers.find(kinds, pythons, folder)
    measure.raise_descriptor_limit(SCALE_DESCRIPTORS if options.scale else measure.DESCRIPTORS)
    setup = Setup(folder, options, None)
    print_head(setup, options, chosen, found, out)
    chosen = [] if options.scale else possible(setup, chosen, options.names, out)
    with contextlib.ExitStack() as stack:
        if any(work.tls for work in chosen):
            setup.certificate = stack.enter_context(certificates.Certificate())
        run(setup, options, chosen, found, out)


def main(argv):
    try:
        bench(parse(argv))
    except (measure.Failed, ValueError, OSError) as error:
        report.Live().clear()
        print("tools/bench: %s" % error, file=sys.stderr)
        return 2 if isinstance(error, ValueError) else 1  # a name that does not exist is wrong usage
    except KeyboardInterrupt:
        return 130
    return 0
