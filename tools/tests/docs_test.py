# SPDX-License-Identifier: MIT
"""tools/check-docs sees what it is there to see: each row plants one fault in a copy of the tree."""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# file to change, what to replace (None: append), by what, what the check has to say
FAULTS = (
    ("docs/conventions.md", None, "\n```c\nint f(void) { return rill_no_such_thing(); }\n```\n", "does not compile"),
    ("docs/conventions.md", None, "\n```c\nint unused_parameter(int x);\nint unused_parameter(int x)\n{\n    int y;\n"
     "    return x;\n}\n```\n", "does not compile"),
    ("README.md", None, "\n[gone](docs/gone.md)\n", "the link to docs/gone.md leads nowhere"),
    ("README.md", None, "\n[gone](docs/conventions.md#gone)\n", "has no heading for #gone"),
    ("README.md", None, "\nRun `tools/gone --now`.\n", "there is no tools/gone"),
    ("docs/asyncio-map.md", "rill_reader_readline", "rill_reader_readexactly", "rill_reader_readline has no row"),
    ("docs/asyncio-map.md", None, "\n`rill_reader_gone`\n", "there is no rill_reader_gone"),
    ("docs/asyncio-map.md", None, "\n`loop/gone.c`\n", "there is no core/loop/gone.c"),
    ("core/loop/gone.c", None, "/* SPDX-License-Identifier: MIT */\n", "core/loop/gone.c has no row"),
    ("core/include/rill/error.h", "/* The code of R-001", "int rill_error_gone(int a,\n    int b);\n/* The code of R-001",
     "rill_error_gone has no row"),
)


def check(tree, cc):
    return subprocess.run([sys.executable, str(tree / "tools/check-docs"), "--cc", cc], check=False,
                          stdout=subprocess.PIPE, universal_newlines=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cc", default="cc")
    arguments = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory(prefix="rill-docs-") as scratch:
        tree = pathlib.Path(scratch) / "tree"
        shutil.copytree(str(ROOT), str(tree), ignore=shutil.ignore_patterns(".git", "build*", "out", "__pycache__"))
        clean = check(tree, arguments.cc)
        if clean.returncode != 0:
            print("the tree itself does not pass:\n%s" % clean.stdout)
            return 1
        for path, old, new, wanted in FAULTS:
            target = tree / path
            before = target.read_text(encoding="utf-8") if target.exists() else None
            text = before or ""
            if old is not None and old not in text:
                raise SystemExit("%s no longer has %r" % (path, old))
            target.write_text(text + new if old is None else text.replace(old, new), encoding="utf-8")
            result = check(tree, arguments.cc)
            if result.returncode != 1 or wanted not in result.stdout:
                failures += 1
                print("%s with %r: wanted %r, got status %d:\n%s" % (path, new, wanted, result.returncode,
                                                                   result.stdout))
            if before is None:
                target.unlink()
            else:
                target.write_text(before, encoding="utf-8")
    print("docs_test: faults=%d failures=%d" % (len(FAULTS), failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
