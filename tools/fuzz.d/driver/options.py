# SPDX-License-Identifier: MIT
"""The command line of tools/fuzz."""
import argparse

EXIT_CODES = """
What stands behind -- goes to libFuzzer as it is: tools/fuzz readuntil -- -only_ascii=1 -seed=7

exit status: 0 nothing was found, 1 something was found (or coverage is below its bounds), 2 wrong usage,
             3 a target cannot be built or does not start, 130 after Ctrl-C
"""


def above_zero(kind):
    def convert(text):
        value = kind(text)
        if not value > 0:
            raise argparse.ArgumentTypeError("%s is not above 0" % text)
        return value
    return convert


def parser():
    made = argparse.ArgumentParser(
        prog="tools/fuzz", formatter_class=argparse.RawDescriptionHelpFormatter, epilog=EXIT_CODES,
        description="Builds fuzz targets with clang's sanitizers and runs libFuzzer on them, from a fresh clone on.")
    add = made.add_argument
    add("targets", nargs="*", metavar="TARGET", help="of --list")
    add("--all", action="store_true", help="every target that can be built here")
    add("--list", action="store_true", help="the targets, with the inputs that are committed for each; runs nothing")
    add("--seconds", type=above_zero(float), metavar="N", help="of each target (60)")
    add("--cpu", action="store_true", help="N counts a target's processor time, not what the clock on the wall says")
    add("--jobs", type=above_zero(int), default=1, metavar="N",
        help="so many fuzzers side by side (%(default)s); more than targets: the rest share a target's corpus")
    add("--empty", action="store_true", help="begin with no corpus, and keep none")
    add("--seeds", action="store_true", help="first make inputs of the conformance cases, where the target reads such scripts")
    add("--log", action="store_true", help="add a line for each target to fuzz/campaigns.txt")
    add("--minimise", action="store_true",
        help="make fuzz/corpus/TARGET anew of all inputs found so far, as few as reach the same; runs first only with --seconds")
    add("--case", metavar="FILE", help="turn one TARGET's input into a case of the conformance harness or, where no case can say it, "
        "into a named seed that every test run replays")
    add("--name", metavar="AREA/TOPIC", help="of --case: how it is called")
    add("--coverage", action="store_true", help="what the committed inputs alone reach of core/sansio, core/tls and core/streams")
    add("--html", metavar="DIR", help="of --coverage: where the page with every line goes (build/fuzz-coverage/html)")
    add("--report", action="store_true", help="sum fuzz/campaigns.txt: processor seconds, executions, finds of each target, or of those that are named")
    add("--bin", metavar="DIR", help=argparse.SUPPRESS)   # the programs, instead of building them
    add("--home", metavar="DIR", help=argparse.SUPPRESS)  # instead of the project's top folder
    return made


def check(made, options):
    """Ends the command where options contradict each other; a mode that runs nothing takes no options of a run."""
    modes = [name for name in ("list", "report", "coverage", "case") if getattr(options, name)]
    if len(modes) > 1:
        made.error("--%s and --%s: one at a time" % tuple(modes[:2]))
    if modes and (options.seconds or options.minimise or options.log or options.empty or options.all):
        made.error("--%s goes with no option of a run" % modes[0])
    if (options.case is None) != (options.name is None):
        made.error("--case FILE and --name AREA/TOPIC go together")
    if options.html and not options.coverage:
        made.error("--html goes with --coverage")
    if options.empty and (options.minimise or options.seeds):
        made.error("--empty keeps no corpus")
    if options.log and options.minimise and not options.seconds:
        made.error("--log without --seconds: --minimise alone runs nothing")
    if not modes and not options.all and not options.targets:
        made.error("name a target of --list, or --all")
    if options.all and options.targets:
        made.error("--all and names: one of the two")
    if options.case and len(options.targets) != 1:
        made.error("--case wants the one target whose input it is")


def parse(argv):
    made = parser()
    more = []
    if "--" in argv:
        at = argv.index("--")
        argv, more = argv[:at], argv[at + 1:]
    options = made.parse_args(argv)
    options.more = more
    check(made, options)
    return options
