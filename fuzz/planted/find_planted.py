#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A target finds a planted mistake, in less than 30 seconds, from an empty corpus.

usage: find_planted.py MISTAKE SOURCE.c ... -- FLAG ...

The sources are the target and what it needs besides the layer with the mistake; the flags go to the compiler. With the
library among them that layer is one file, else its folder of core/. It is compiled from a copy in which one place was
changed; nothing in the library knows of this. Exits with 77 where there is no clang with libFuzzer.
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
# name: (file, the right text, the wrong one, what is told of a find)
MISTAKES = {
    # An off-by-one in the limit test.
    "limit": ("sansio/read.c", "if (match.start > reader->limit) {", "if (match.start >= reader->limit) {",
              r"(?:mismatch|invariant)_\w+(?= at operation)"),
    # Data wakes who waits only when there was none before.
    "wake": ("sansio/stream_reader.c", "        wake(reader);\n        pause_if_full(reader);\n",
             "        if (rill__reader_buffered(reader) == size) {\n            wake(reader);\n        }\n"
             "        pause_if_full(reader);\n",
             r"the loop is idle, and task \d waits in a read"),
    # A protocol is told to go on that was not told to pause.
    "resume": ("sansio/flow_control.c", "if (!water->paused || size > water->low) {", "if (size > water->low) {",
               r"a protocol was told at the wrong time: resume_writing"),
    # A handler that returns leaves its connection open.
    "unclosed": ("streams/handler.c", "        rill_writer_close(&stream->writer);\n    }\n    return rc;", "    }\n    return rc;",
                 r"left on the loop: .* [1-9]\d* transports"),
    # U+00A0 is taken for something that prints.
    "blank": ("net/text.c", "point <= 0xa0", "point < 0xa0", r"repr: "),
}
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


def plant(folder, mistake, alone):
    """A copy of the mistake's layer, or of its file alone, with the mistake in it."""
    file, right, wrong, _ = MISTAKES[mistake]
    copy = folder / os.path.dirname(file)
    shutil.copytree(ROOT / "core" / copy.name, copy, ignore=shutil.ignore_patterns("tests"))
    text = (folder / file).read_text()
    if text.count(right) != 1:
        sys.exit("%s: the place to spoil is there %d times, not once: %s" % (file, text.count(right), right))
    (folder / file).write_text(text.replace(right, wrong))
    return [str(folder / file)] if alone else sorted(str(path) for path in copy.glob("*.c"))


def build(folder, mistake, sources, flags):
    program = str(folder / "target")
    includes = ["-I" + str(path) for path in (folder, ROOT / "core", ROOT / "core/include", ROOT / "fuzz", ROOT / "conformance/model")]
    subprocess.run([compiler(), "-std=c11", "-O1", "-g", "-D_GNU_SOURCE", "-fsanitize=fuzzer"] + includes + plant(folder, mistake, any(flag.endswith(".a") for flag in flags)) + sources + flags
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
        ended = fuzz(folder, build(folder, arguments[0], arguments[1:split], arguments[split + 1:]))
    found = re.search("^" + MISTAKES[arguments[0]][3], ended.stdout, re.MULTILINE)
    if ended.returncode == 0 or found is None:
        print(ended.stdout[-4000:])
        print("the planted mistake was not found in %d seconds" % SECONDS)
        return 1
    runs = re.findall(r"^#(\d+)", ended.stdout, re.MULTILINE)
    print("found after %s executions: %s" % (runs[-1] if runs else "a few", found.group()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
