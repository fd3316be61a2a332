# SPDX-License-Identifier: MIT
"""The commands' own manners: from any folder, --help on stdout and 0, an unknown word on stderr and 2, and what
tools/setup says on a system that it does not know."""

import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COMMANDS = ("tools/setup", "tools/test", "tools/conform", "tools/check-syscalls", "tools/check-layers",
            "tools/check-docs", "tools/bench", "tools/fuzz")


def run(command, **keywords):
    return subprocess.run([str(part) for part in command], check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, timeout=60,
                          **keywords)


def main():
    failures = []
    checks = 0

    def expect(ok, what, result):
        nonlocal checks
        checks += 1
        if not ok:
            failures.append(what)
            print("%s: status %d\n%s%s" % (what, result.returncode, result.stdout, result.stderr))

    with tempfile.TemporaryDirectory(prefix="rill-commands-") as elsewhere:
        for command in COMMANDS:
            result = run([ROOT / command, "--help"], cwd=elsewhere)
            expect(result.returncode == 0 and "usage" in result.stdout.lower() and not result.stderr,
                   command + " --help", result)
            result = run([ROOT / command, "--no-such-option"], cwd=elsewhere)
            expect(result.returncode == 2 and "no-such-option" in result.stderr, command + " --no-such-option", result)

        # A machine that has the shell's own tools and nothing else: no compiler, no package manager.
        bare = pathlib.Path(elsewhere) / "bin"
        bare.mkdir()
        for tool in ("bash", "env", "sed", "cut", "sort", "head", "cat", "id"):
            found = next(pathlib.Path(d) / tool for d in ("/bin", "/usr/bin") if (pathlib.Path(d) / tool).exists())
            (bare / tool).symlink_to(found)
        result = run([bare / "bash", ROOT / "tools/setup", "--full", "--cross"], cwd=elsewhere,
                     env={"PATH": str(bare), "HOME": elsewhere})
        expect(result.returncode == 3 and all(name in result.stdout for name in
                                              ("libev-dev", "libjansson-dev", "cmake", "valgrind", "qemu-user")),
               "tools/setup without apt-get", result)
        result = run([ROOT / "tools/setup", "--check"], cwd=elsewhere)
        expect(result.returncode == 0 and result.stdout == "", "tools/setup --check where rill was built", result)
    print("commands_test: checks=%d failures=%d" % (checks, len(failures)))
    return 1 if failures else 0


if __name__ == "__main__":
    os.environ.pop("CDPATH", None)
    sys.exit(main())
