# SPDX-License-Identifier: MIT
"""Packaging: builds a consumer of rill in one of the ways that users have, in a fresh folder, and runs it."""

import argparse
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
EXPECTED = "consumer: coroutine sum=6, echoed lines=1\n"
EXPECTED_ALONE = "coroutine: values came back\n"


def run(command, **keywords):
    print("+", " ".join(shlex.quote(str(part)) for part in command), flush=True)
    return subprocess.run([str(part) for part in command], check=True, **keywords)


def install(arguments, scratch):
    """Installs the build into a prefix that it was not configured for, as packagers do."""
    prefix = scratch / "prefix"
    run([arguments.cmake, "--install", arguments.build, "--prefix", prefix])
    libraries = sorted(p.name for p in prefix.rglob("librill*"))
    headers = sorted(p.name for p in (prefix / "include" / "rill").iterdir())
    wanted = sorted(p.name for part in ("core", "coro") for p in (arguments.source / part / "include/rill").iterdir())
    if headers != wanted:
        raise SystemExit("installed headers %s, published ones %s" % (headers, wanted))
    print("installed: %s, %d headers" % (", ".join(libraries), len(headers)))
    return prefix


def configure(arguments, scratch, consumer, *options):
    build = scratch / "build"
    run([arguments.cmake, "-G", arguments.generator, "-S", HERE / "consumer" / consumer, "-B", build, "-DCMAKE_BUILD_TYPE=Release",
         "-DCMAKE_C_COMPILER=" + arguments.cc, "-DCMAKE_C_FLAGS=" + arguments.flags,
         "-DCMAKE_EXE_LINKER_FLAGS=" + arguments.flags, *options])
    run([arguments.cmake, "--build", build, "--parallel", "2"])
    return build / "consumer"


def by_find_package(arguments, scratch):
    prefix = install(arguments, scratch)
    return configure(arguments, scratch, "find_package", "-DCMAKE_PREFIX_PATH=%s" % prefix,
                     "-DWANTED_VERSION=" + arguments.version), EXPECTED


def by_add_subdirectory(arguments, scratch):
    return configure(arguments, scratch, "add_subdirectory", "-DRILL_SOURCE=%s" % arguments.source), EXPECTED


def by_shared(arguments, scratch):
    return configure(arguments, scratch, "add_subdirectory", "-DRILL_SOURCE=%s" % arguments.source,
                     "-DBUILD_SHARED_LIBS=ON"), EXPECTED


def by_pkg_config(arguments, scratch):
    prefix = install(arguments, scratch)
    folder = next(prefix.rglob("rill.pc")).parent
    environment = dict(os.environ, PKG_CONFIG_PATH=str(folder))
    ask = [arguments.pkg_config, "--static"]
    version = subprocess.run(ask + ["--modversion", "rill"], env=environment, check=True, stdout=subprocess.PIPE,
                             universal_newlines=True).stdout.strip()
    if version != arguments.version:
        raise SystemExit("pkg-config says version %s, not %s" % (version, arguments.version))
    answer = subprocess.run(ask + ["--cflags", "--libs", "rill"], env=environment, check=True,
                            stdout=subprocess.PIPE, universal_newlines=True).stdout
    program = scratch / "consumer"
    run([arguments.cc, "-std=c11", *shlex.split(arguments.flags), HERE / "consumer" / "main.c", "-o", program,
         *shlex.split(answer)])
    return program, EXPECTED


def by_coro_alone(arguments, scratch):
    """coro/ configured by itself: it needs nothing of the rest of the tree."""
    alone = scratch / "coro"
    shutil.copytree(str(arguments.source / "coro"), str(alone), ignore=shutil.ignore_patterns("tests"))
    run([arguments.cmake, "-G", arguments.generator, "-S", alone, "-B", scratch / "build",
         "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_C_COMPILER=" + arguments.cc, "-DCMAKE_C_FLAGS=" + arguments.flags,
         "-DRILL_BUILD_TESTS=OFF"])
    run([arguments.cmake, "--build", scratch / "build", "--parallel", "2"])
    program = scratch / "coroutine"
    run([arguments.cc, "-std=c11", *shlex.split(arguments.flags), "-I%s" % (alone / "include"),
         HERE / "consumer" / "coroutine.c", "-o", program, scratch / "build" / "librill-coro.a"])
    return program, EXPECTED_ALONE


def main():
    ways = {"find_package": by_find_package, "pkg_config": by_pkg_config, "add_subdirectory": by_add_subdirectory,
            "shared": by_shared, "coro_alone": by_coro_alone}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=sorted(ways))
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--cmake", default="cmake")
    parser.add_argument("--generator", required=True)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--flags", default="", help="what every object of this build is compiled and linked with")
    parser.add_argument("--pkg-config", default="pkg-config")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rill-package-") as name:
        program, expected = ways[arguments.way](arguments, pathlib.Path(name))
        printed = run([program], stdout=subprocess.PIPE, universal_newlines=True,
                      timeout=60).stdout
        sys.stdout.write(printed)
        if printed != expected:
            raise SystemExit("wanted %r" % expected)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit("exit status %d: %s" % (error.returncode, error.cmd))
