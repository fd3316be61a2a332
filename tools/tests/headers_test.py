# SPDX-License-Identifier: MIT
"""Every public header compiles alone, twice in one file, without warnings: in strict C11, or in C++11 with --cxx."""

import argparse
import pathlib
import subprocess
import sys
import tempfile

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--cxx", action="store_true")
    parser.add_argument("folders", nargs="+", type=pathlib.Path, help="include folders")
    arguments = parser.parse_args()
    # C has a struct and a function of one name; what C++ says of shadowing there is no fault of the header.
    language = (["-x", "c++", "-std=c++11", "-Wno-shadow"] if arguments.cxx else
                ["-x", "c", "-std=c11", "-Wstrict-prototypes"])
    paths = ["-I%s" % folder for folder in arguments.folders]
    headers = sorted(h.relative_to(f).as_posix() for f in arguments.folders for h in f.rglob("*.h"))
    failed = []
    with tempfile.TemporaryDirectory(prefix="rill-headers-") as scratch:
        source = pathlib.Path(scratch) / "alone"
        for header in headers:
            source.write_text("#include <%s>\n#include <%s>\nint rill_headers_alone;\n" % (header, header))
            result = subprocess.run([arguments.compiler, *WARNINGS, *language, *paths, "-fsyntax-only", str(source)],
                                    check=False, stderr=subprocess.PIPE, universal_newlines=True)
            if result.returncode != 0:
                failed.append(header)
                print("<%s> does not compile alone:\n%s" % (header, result.stderr))
    print("headers=%d failures=%d" % (len(headers), len(failed)))
    return 1 if failed or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
