#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A target finds a planted mistake: an off-by-one in the limit test, in less than 30 seconds, from an empty corpus.

usage: find_planted.py SOURCE.c ... -- FLAG ...

The sources are the target and what it needs besides core/sansio; the flags go to the compiler. core/sansio is compiled
from a copy in which one line was changed; nothing in the library knows of this. Exits with 77 where there is no clang
with libFuzzer.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 30
FILE, RIGHT, WRONG = "read.c", "if (match.start > reader->limit) {", "if (match.start >= reader->limit) {"
FOUND = re.compile(r"^((?:mismatch|invariant)_\w+) at operation", re.MULTILINE)
SKIPPED = 77


def compiler():
    return os.environ.get("CLANG", "clang")


def has_engine(folder):
    if shutil.which(compiler()) is None:
        return False
    source = folder / "probe.c"
    source.write_text("int LLVMFuzzerTestOneInput(const unsigned char *data, unsigned long size);\n"
                      "int LLVMFuzzerTestOneInput(const unsigned char *data, unsigned long size)\n"
                      "{ (void)data; (void)size; return 0; }\n")
    asked = subprocess.run([compiler(), "-fsanitize=fuzzer", str(source), "-o", str(folder / "probe")], capture_output=True)
    return asked.returncode == 0


def plant(folder):
    """A copy of the sans-io layer with the mistake in it."""
    copy = folder / "sansio"
    shutil.copytree(ROOT / "core" / "sansio", copy, ignore=shutil.ignore_patterns("tests"))
    text = (copy / FILE).read_text()
    if text.count(RIGHT) != 1:
        sys.exit("%s: the line to spoil stands there %d times, not once: %s" % (FILE, text.count(RIGHT), RIGHT))
    (copy / FILE).write_text(text.replace(RIGHT, WRONG))
    return sorted(str(path) for path in copy.glob("*.c"))


def build(folder, sources, flags):
    program = str(folder / "target")
    includes = ["-I" + str(path) for path in (folder, ROOT / "core", ROOT / "core/include", ROOT / "fuzz", ROOT / "conformance/model")]
    subprocess.run([compiler(), "-std=c11", "-O1", "-g", "-D_GNU_SOURCE", "-fsanitize=fuzzer"] + includes + plant(folder) + sources + flags
                   + ["-o", program], check=True)
    return program


def fuzz(folder, program):
    corpus = folder / "corpus"
    corpus.mkdir()
    return subprocess.run([program, "-seed=1", "-max_total_time=%d" % SECONDS, "-artifact_prefix=%s/" % folder, str(corpus)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=3 * SECONDS, encoding="utf-8", errors="replace")


def main(arguments):
    split = arguments.index("--")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if not has_engine(folder):
            print("SKIPPED: no clang with libFuzzer here (CLANG names it)")
            return SKIPPED
        ended = fuzz(folder, build(folder, arguments[:split], arguments[split + 1:]))
    found = FOUND.search(ended.stdout)
    if ended.returncode == 0 or found is None:
        print(ended.stdout[-4000:])
        print("the planted mistake was not found in %d seconds" % SECONDS)
        return 1
    runs = re.findall(r"^#(\d+)", ended.stdout, re.MULTILINE)
    print("found after %s executions: %s" % (runs[-1] if runs else "a few", found.group(1)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
