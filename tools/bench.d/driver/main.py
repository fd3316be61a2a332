# SPDX-License-Identifier: MIT
"""tools/bench's command line and its course: build, rounds, counting runs, table."""
import argparse
import contextlib
import os
import shutil
import subprocess
import sys

from . import certificates, counts, measure, peers, report, stats, works

ROOT = os.path.dirname(os.path.dirname(peers.FOLDER))
VERSION = 1


class Setup:
    """What every run needs: the load generator, how long it waits, the servers' certificate, and which processor is whose."""

    def __init__(self, folder, options, certificate):
        self.silence = options.silence
        self.idle_connections = options.connections
        self.certificate = certificate  # None: no work is over TLS
        self.load_program = os.path.join(folder, "bench-load")
        self.server_cpu, self.load_cpu = measure.choose_cpus()


def parse(argv):
    parser = argparse.ArgumentParser(
        prog="tools/bench", description="Measures rill's server beside a hand-written epoll server, CPython's "
        "asyncio and what else the machine has: one load at a time, servers in turn, server and load generator each on a processor of its own. "
        "Prints ratios of operations per second of server CPU time, with their spread.",
        epilog="Every answer is checked. Exit status: 0, or 1 when a server failed or answered wrongly.")
    parser.add_argument("works", nargs="*", metavar="WORK", help="works of --list; all without any")
    parser.add_argument("--list", action="store_true", help="print works and peers, and end")
    parser.add_argument("--peers", default=",".join(peers.KINDS), metavar="LIST", help="of %(default)s")
    parser.add_argument("--python", action="append", metavar="PATH",
                        help="an interpreter for asyncio; can be repeated (default: %s)" % peers.default_python())
    parser.add_argument("--rounds", type=int, default=21, help="rounds of each work (%(default)s; fewer cannot judge)")
    parser.add_argument("--seconds", type=float, default=0.2,
                        help="measured window of one server in one round (%(default)s); more rounds say more than longer ones")
    parser.add_argument("--connections", type=int, metavar="N", help="of tls-idle, instead of 10,000")
    parser.add_argument("--warmup", type=float, default=0.1, help="seconds of load before it (%(default)s)")
    parser.add_argument("--silence", type=float, default=10, metavar="SECONDS",
                        help="a server that answers nothing for so long has failed (%(default)s)")
    parser.add_argument("--no-calls", action="store_true", help="do not count system calls")
    parser.add_argument("--instructions", action="store_true", help="count instructions per operation of the servers in C (Valgrind; slow)")
    parser.add_argument("--json", metavar="FILE", help="write everything that was measured; - for standard output")
    parser.add_argument("--bin", metavar="DIR", help="take the programs from DIR instead of building them")
    options = parser.parse_args(argv)
    if options.connections is not None and options.connections < 1:
        parser.error("--connections must be positive")
    if options.rounds < 1 or options.seconds <= 0 or options.warmup < 0 or options.silence <= 0:
        parser.error("--rounds, --seconds and --silence must be positive, --warmup not negative")
    return options


def build(kinds):
    """Builds the programs as users get rill, and those of the peers that can be built; returns their folder."""
    if shutil.which("cmake") is None:
        raise measure.Failed("cmake is missing: tools/setup installs what rill needs")
    folder = os.path.join(ROOT, "build", "release")
    others = ["rill-bench-peers"] if set(kinds) & set(peers.PACKAGES) else []
    for command in (["cmake", "--preset", "release", "-DRILL_BUILD_BENCH=ON"],
                    ["cmake", "--build", folder, "--parallel", "2", "--target", "rill-bench"] + others):
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
        if done.returncode != 0:
            raise measure.Failed("%s\n%s failed" % (done.stdout, " ".join(command)))
    return os.path.join(folder, "tools", "bench.d")


def run_round(setup, options, work, present, number, live):
    """One window of each peer. The order turns with the rounds, so that none is always first or after the same other."""
    turn = number % len(present)
    order = present[turn:] + present[:turn]
    if number // len(present) % 2:
        order.reverse()
    windows = {}
    for peer in order:
        live.say("%s: round %d, %s" % (work.name, number + 1, peer.name))
        with measure.Server(setup, peer, work) as server:
            windows[peer.name] = measure.run_load(setup, server, work, options.warmup, options.seconds)
    whys = {name: stats.why_disturbed(window, os.cpu_count()) for name, window in windows.items()}
    disturbed = "; ".join("%s: %s" % (name, why) for name, why in whys.items() if why)
    return {"work": work.name, "round": number + 1, "disturbed": disturbed, "windows": windows}


def count(setup, options, work, peer, live):
    """(calls by name or None, instructions or None) of one operation."""
    calls = instructions = None
    live.say("%s: counting, %s" % (work.name, peer.name))
    if not options.no_calls:
        calls = counts.system_calls(setup, peer, work)
    if options.instructions and not peer.name.startswith(("asyncio", "uvloop")):
        instructions = counts.instructions(setup, peer, work)
    return calls, instructions


def is_judged(work, peer, base):
    """A ratio is judged beside the raw server, a size for itself."""
    return peer == "rill" and (base == "raw" or work.memory_target is not None)


def measure_work(setup, options, work, present, live):
    """(rows, rounds) of one work."""
    wanted = options.rounds if work.rounds is None else min(options.rounds, work.rounds)
    rounds = [run_round(setup, options, work, present, number, live) for number in range(wanted)]
    base = present[0].name
    rows = []
    for peer in present:
        figures = stats.row(rounds, peer.name, base, work.memory_target is not None)
        calls, instructions = count(setup, options, work, peer, live)
        rows.append(dict(
            {"work": work.name, "peer": peer.name, "base": base}, **figures,
            all_disturbed=figures["disturbed_rounds"] == len(rounds),
            calls=None if calls is None else round(sum(calls.values()), 6), calls_by_name=calls,
            instructions=instructions, target=work.target if peer.name == "rill" else None,
            memory_target=work.memory_target if peer.name == "rill" else None,
            reached=stats.reached(figures, work) if is_judged(work, peer.name, base) else None))
    live.clear()
    return rows, rounds


def print_list(found):
    print("works:")
    for work in works.WORKS:
        print("  %-15s%s" % (work.name, work.what))
    print("peers:")
    for peer in found:
        about = peers.ABOUT.get(peer.name, peers.ABOUT["asyncio"])
        print("  %-15s%s" % (peer.name, "missing: " + peer.missing if peer.missing else peer.version or about))


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
    if not options.no_calls and shutil.which("strace") is None:
        out.write("MISSING strace: system calls are not counted\n")
    if options.instructions and shutil.which("valgrind") is None:
        out.write("MISSING valgrind: instructions are not counted\n")
    out.write(report.HEADER + "\n")
    out.flush()


def possible(chosen, names, out):
    """The chosen works that can be run here; one that was asked for by name and cannot be is a failure."""
    if certificates.are_possible() or not any(work.tls for work in chosen):
        return chosen
    if names:
        raise measure.Failed("MISSING " + certificates.MISSING)
    out.write("MISSING %s\n" % certificates.MISSING)
    return [work for work in chosen if not work.tls]


def run(setup, options, chosen, found, out):
    present = order_by_base(found)
    if not present:
        raise measure.Failed("none of the peers is there: %s" % options.peers)
    live = report.Live()
    print_head(setup, options, chosen, found, out)
    rows, rounds = [], []
    for work in chosen:
        new_rows, new_rounds = measure_work(setup, options, work, [p for p in present if p.has_tls or not work.tls], live)
        rows += new_rows
        rounds += new_rounds
        for row in new_rows:
            out.write(report.row_line(row) + "\n")
        out.flush()
    for note in report.notes(rows, present[0].name):
        out.write(note + "\n")
    if options.json:
        report.write_json(options.json, {
            "tool": "tools/bench", "version": VERSION, "command": sys.argv[1:], "machine": report.machine(setup),
            "peers": [peer.as_json() for peer in found], "rows": rows, "rounds": rounds})


def bench(options):
    chosen = works.choose(options.works)
    kinds = [kind for kind in options.peers.split(",") if kind]
    pythons = options.python or [peers.default_python()]
    if options.list:
        print_list(peers.find(kinds, pythons, options.bin or os.path.join(ROOT, "build", "release", "tools", "bench.d")))
        return
    folder = os.path.abspath(options.bin) if options.bin else build(kinds)
    found = peers.find(kinds, pythons, folder)
    measure.raise_descriptor_limit()
    out = sys.stderr if options.json == "-" else sys.stdout
    chosen = possible(chosen, options.works, out)
    with contextlib.ExitStack() as stack:
        over_tls = any(work.tls for work in chosen)
        certificate = stack.enter_context(certificates.Certificate()) if over_tls else None
        run(Setup(folder, options, certificate), options, chosen, found, out)


def main(argv):
    try:
        bench(parse(argv))
    except (measure.Failed, ValueError) as error:
        report.Live().clear()
        print("tools/bench: %s" % error, file=sys.stderr)
        return 2 if isinstance(error, ValueError) else 1 # a name that does not exist is wrong usage
    except KeyboardInterrupt:
        return 130
    return 0
