# SPDX-License-Identifier: MIT
"""Mistakes in the options: what does not go together is told at once, and nothing that was asked for is passed over in silence."""


class UsageError(Exception):
    """What is wrong with the options, or missing on this machine, as a person reads it."""


REPORTS = {"json", "junit", "tap", "html"}
OF_TESTEES = {"testee", "rill", "oracle", "oracle_only", "jobs", "timeout", "verbose"}
ALWAYS = {"rill", "jobs", "cases", "expectations", "parse_only"}    # they do no harm, or are the wrapper's and the tests'

# What does something else than a plain run: the options that it knows. The first that was given decides, so what is said
# together with another (--random with --mutants) stands before it.
COMMANDS = (
    ("merge", REPORTS),
    ("exhaustive", {"exhaustive", "exhaustive_program", "every", "mutants", "oracle", "oracle_only"}),
    ("case_from", {"name"}),
    ("shrink", OF_TESTEES | {"backend", "seed_folder"}),
    ("random", OF_TESTEES | REPORTS | {"seed", "backend", "shard", "fail_fast", "mutants", "patterns"}),
    ("mutants", {"oracle", "oracle_only", "timeout", "verbose", "patterns", "shard", "smoke"}),
    ("compatibility", set()),
    ("list", {"patterns", "shard", "smoke"}),
    ("seeds", {"patterns", "shard", "smoke"}),
    ("rules", {"upstream"}),
    ("upstream", {"rules"}),
    ("bless", OF_TESTEES | {"patterns", "no_rill", "backend", "shard", "repeat"}),
)
# Of a plain run these are options of another command.
FOREIGN = {"seed": "--random", "every": "--exhaustive=oracle", "exhaustive_program": "--exhaustive", "name": "--case-from",
           "seed_folder": "--shrink"}


def shown(name):
    return "PATTERN" if name == "patterns" else "--" + name.replace("_", "-") if name != "jobs" else "-j"


def check(options, defaults):
    """UsageError for what was given (what is not as in `defaults`) and does nothing in the command that was asked for."""
    given = {name for name, value in vars(options).items() if value != getattr(defaults, name)} - ALWAYS
    for command, known in COMMANDS:
        if command in given:
            wrong = given - known - {command}
            if wrong:
                raise UsageError("%s does not go with %s" % (shown(command), ", ".join(sorted(map(shown, wrong)))))
            break
    else:
        for name in sorted(given & set(FOREIGN)):
            raise UsageError("%s is an option of %s" % (shown(name), FOREIGN[name]))
    if options.random and options.patterns and not options.mutants:
        raise UsageError("--random draws its scripts; with --mutants PATTERN chooses wrong testees")
    if options.random and options.mutants and given & (REPORTS | {"testee", "backend", "shard", "fail_fast"}):
        raise UsageError("--random with --mutants writes no report, knows its testees and its backend, and has no parts")
    for name in ("shrink", "case_from"):
        if getattr(options, name) == "":
            raise UsageError("%s needs a name" % shown(name))
    for spec in options.testee:
        if not spec.strip():
            raise UsageError("--testee needs a name or a command")
