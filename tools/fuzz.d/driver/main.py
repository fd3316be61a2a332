# SPDX-License-Identifier: MIT
"""tools/fuzz's course: what the command line asks for, in order, and the exit status."""
import os
import signal
import sys

from . import campaigns, corpus, coverage, options as command_line, targets as files
from .build import Build, Failed, quietly
from .live import Live
from .session import Session

CLEAN, FOUND, USAGE, CANNOT = 0, 1, 2, 3
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def print_list(targets, out):
    for target in targets:
        sizes = [os.path.getsize(os.path.join(target.corpus, name)) for name in target.inputs()]
        out.write("%-18s inputs=%d bytes=%d%s\n" % (target.name, len(sizes), sum(sizes), " dictionary" if target.dictionary else ""))
    out.write("targets=%d\n" % len(targets))


def make_programs(home, targets, options, live):
    """(folder of the programs, the targets that have one). One that was named and cannot be built is a failure."""
    if options.bin:
        return os.path.abspath(options.bin), targets
    build = Build(home, os.path.join("build", "fuzz"), live.say)
    build.prepare()
    known = build.known()
    for target in targets:
        if target.name not in known:
            missing = "MISSING %s: %s" % (target.name, build.why_not(target.name))
            if options.targets:
                raise Failed(missing)
            live.clear()
            print(missing, flush=True)
    present = [target for target in targets if target.name in known]
    if not present:
        raise Failed("no target can be built here")
    return build.make([target.name for target in present]), present


def case_teller(home, target, options, live):
    """What says an input of a target as a case: a program that is built when it is asked."""
    def tell(file, name):
        folder = options.bin
        if folder is None:
            build = Build(home, os.path.join("build", "fuzz"), live.say)
            build.prepare()
            folder = build.make(["case"])
        return quietly([os.path.join(os.path.abspath(folder), "fuzz-case"), target.name, name, os.path.abspath(file)], home)
    return tell


def run(home, targets, options, live, out):
    """Fuzzes, then keeps what is asked for: the log, the corpus. Ctrl-C in between loses nothing that was done."""
    programs, present = make_programs(home, targets, options, live)
    commit = campaigns.commit_of(home) if options.log else None
    found = False
    if options.seeds:
        for target in present:
            out.write("%s: seeds=%d\n" % (target.name, corpus.make_seeds(home, target)))
    if options.seconds or not options.minimise:
        def log(one):
            if options.log:
                campaigns.add(home, commit, [one])
        session = Session(home, present, programs, options, live, out, log)
        session.run()
        found = any(one.finds for one in session.sums)
    if options.minimise:
        for target in present:
            live.say("merging %s" % target.name)
            corpus.minimise(target, os.path.join(programs, target.name), out)
    return FOUND if found else CLEAN


def fuzz(options, live, out):
    home = os.path.realpath(options.home or TOP)
    if options.report:
        campaigns.report(home, files.names(home), options.targets, out)
        return CLEAN
    targets = files.choose(home, options.targets)
    if options.list:
        print_list(targets, out)
        return CLEAN
    if options.case:
        corpus.keep(home, targets[0], options.case, options.name, case_teller(home, targets[0], options, live), out)
        return CLEAN
    if options.coverage:
        return CLEAN if coverage.measure(home, targets, options, live, out) else FOUND
    return run(home, targets, options, live, out)


def interrupted(*_):
    raise KeyboardInterrupt


def main(argv):
    live = Live()
    signal.signal(signal.SIGTERM, interrupted)  # fuzzers run in sessions of their own: none may outlive this
    try:
        options = command_line.parse(argv)
        status = fuzz(options, live, sys.stdout)
        live.clear()
        return status
    except (Failed, ValueError) as error:
        live.clear()
        sys.stdout.flush()
        print("tools/fuzz: %s" % error, file=sys.stderr)
        return USAGE if isinstance(error, ValueError) else CANNOT
    except KeyboardInterrupt:
        live.clear()
        print("tools/fuzz: interrupted", file=sys.stderr)
        return 130
