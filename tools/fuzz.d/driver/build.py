# SPDX-License-Identifier: MIT
"""Makes the programs of the targets, from a fresh clone on: installs what is missing, configures, builds."""
import os
import re
import subprocess


class Failed(Exception):
    """Something cannot be built or does not start; the text says what."""


def quietly(command, home):
    """Runs a command and returns what it printed; what a failing one printed is its exception's text."""
    try:
        done = subprocess.run(command, cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              universal_newlines=True, errors="replace")
    except OSError as error:
        raise Failed("%s: %s" % (command[0], error.strerror))
    if done.returncode != 0:
        raise Failed("%s\n%s failed" % (done.stdout.rstrip(), " ".join(command)))
    return done.stdout


class Build:
    """A build folder in which targets are made. `say` shows what goes on, since a first build takes a minute."""

    def __init__(self, home, folder, say, preset="fuzz", settings=()):
        self.home, self.folder, self.say = home, os.path.join(home, folder), say
        self.configure = ["cmake", "--preset", preset, "-B", self.folder] + list(settings)
        self.printed = ""

    def prepare(self):
        """Installs what is missing and configures; anew each time, since a folder of fuzz/ may have come."""
        self.say("looking for what is needed (tools/setup --fuzz)")
        setup = subprocess.run([os.path.join(self.home, "tools", "setup"), "--fuzz"], stdin=subprocess.DEVNULL)
        if setup.returncode != 0:
            raise Failed("tools/setup --fuzz could not install what is missing")
        self.say("configuring %s" % os.path.relpath(self.folder, self.home))
        self.printed = quietly(self.configure, self.home)

    def known(self):
        """The names of the targets that this machine can build."""
        listed = quietly(["cmake", "--build", self.folder, "--target", "help"], self.home)
        return set(re.findall(r"^(?:\.\.\. )?fuzz-(\w+)(?::|$)", listed, re.M))

    def why_not(self, name):
        """What CMake said about a target that it left out."""
        for line in self.printed.splitlines():
            if re.search(r"\b%s\b" % re.escape(name), line):
                return line.strip("- ")
        return "CMake made no target of it here"

    def make(self, names):
        if names:
            self.say("building %s" % " ".join(names))
            quietly(["cmake", "--build", self.folder, "--parallel", str(min(2, os.cpu_count() or 1)), "--target"]
                    + ["fuzz-" + name for name in names], self.home)
        return os.path.join(self.folder, "fuzz")
