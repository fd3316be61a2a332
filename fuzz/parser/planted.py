#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The examples find the mistakes planted in them, each from an empty corpus; and without them they find nothing.

usage: planted.py FLAG ...

The flags name rill's library and headers. Compiles the examples with clang's libFuzzer and AddressSanitizer; exits with
77 where there is none.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE.parent / "planted"), str(HERE.parents[1] / "tools" / "fuzz.d")]

import find_planted  # noqa: E402
from driver.targets import Target  # noqa: E402

# example, its part without and with the mistake, what the find has to say
EXAMPLES = (
    ("line_protocol", "line_protocol_next.c", "line_protocol_next_planted.c", r"in (rill_fuzz_cuts_matter) "),
    ("http_headers", "http_header.c", "http_header_planted.c", r"(stack-buffer-overflow).*\n(?:.*\n)*?.*in http_header_parse "),
)
CLEAN_RUNS = 2000


def build(folder, name, part, flags):
    program = str(folder / part.replace(".c", ""))
    sources = [str(HERE / file) for file in (name + ".c", part, "rill_fuzz.c")]
    subprocess.run([find_planted.compiler(), "-std=c11", "-O1", "-g", "-fsanitize=fuzzer,address", "-I" + str(HERE),
                    "-I" + str(HERE.parent)] + sources + flags + ["-lm", "-o", program], check=True)
    return program


def fuzz(folder, name, program):
    """From an empty corpus, with the options and the dictionary that the target has."""
    target = Target(str(HERE.parents[1]), name)
    corpus = folder / "corpus"
    corpus.mkdir()
    return run([program] + target.flags + ["-dict=" + target.dictionary, "-seed=1", "-max_total_time=%d" % find_planted.SECONDS,
                                           "-artifact_prefix=%s/" % folder, str(corpus)])


def run(command):
    return subprocess.run(command, timeout=3 * find_planted.SECONDS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", errors="replace")


def try_example(folder, flags, name, right, wrong, wanted):
    """True when the planted mistake is found, and only where it was planted."""
    ended = fuzz(folder, name, build(folder, name, wrong, flags))
    found = re.search(wanted, ended.stdout)
    if ended.returncode == 0 or found is None:
        print("%s\n%s: the planted mistake was not found" % (ended.stdout[-4000:], name))
        return False
    print("%s: found after %s executions: %s" % (name, re.findall(r"^#(\d+)", ended.stdout, re.M)[-1], found.group(1)), flush=True)
    clean = run([build(folder, name, right, flags), "-seed=1", "-runs=%d" % CLEAN_RUNS])
    if clean.returncode != 0:
        print("%s\n%s: something was found where nothing was planted" % (clean.stdout[-4000:], name))
    return clean.returncode == 0


def main(flags):
    fine = True
    for example in EXAMPLES:
        with tempfile.TemporaryDirectory(prefix="rill-planted-") as name:
            folder = pathlib.Path(name)
            if not find_planted.has_engine(folder):
                print("SKIPPED: no clang with libFuzzer here (CLANG names it)")
                return find_planted.SKIPPED
            fine = try_example(folder, flags, *example) and fine
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
