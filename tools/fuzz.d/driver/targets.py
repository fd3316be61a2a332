# SPDX-License-Identifier: MIT
"""What belongs to a target, and where: by OSS-Fuzz's names in fuzz/, what runs make under build/."""
import configparser
import os

DEFAULTS = {"timeout": "25", "rss_limit_mb": "2048"}  # a run that takes longer, or more, is a find
SANITIZER = {"asan": "ASAN_OPTIONS", "ubsan": "UBSAN_OPTIONS"}


class Target:
    """One target's files. The corpus in fuzz/ is committed, the working one grows by running."""

    def __init__(self, home, name):
        self.name = name
        self.corpus = os.path.join(home, "fuzz", "corpus", name)
        self.working = os.path.join(home, "build", "fuzz-corpus", name)
        self.finds = os.path.join(home, "build", "fuzz-finds", name)
        self.log = os.path.join(home, "build", "fuzz-logs", name)
        dictionary = os.path.join(home, "fuzz", name + ".dict")
        self.dictionary = dictionary if os.path.exists(dictionary) else None
        self.flags, self.environment = read_options(os.path.join(home, "fuzz", name + ".options"))

    def inputs(self):
        return [name for name in sorted(os.listdir(self.corpus)) if not name.startswith(".")]


def read_options(path):
    """(libFuzzer's flags, the sanitizers' environment) of a .options file; it need not exist."""
    parsed = configparser.ConfigParser()
    try:
        parsed.read(path)
    except configparser.Error as error:
        raise ValueError("%s: %s" % (path, error))
    flags = dict(DEFAULTS)
    if parsed.has_section("libfuzzer"):
        flags.update(parsed.items("libfuzzer"))
    flags.pop("dict", None)     # an engine's way to name the file that is found by its name here
    environment = {variable: ":".join("%s=%s" % pair for pair in parsed.items(section))
                   for section, variable in SANITIZER.items() if parsed.has_section(section)}
    return ["-%s=%s" % pair for pair in sorted(flags.items())], environment


def names(home):
    """Every target has its corpus; that is how they are known before anything is built."""
    folder = os.path.join(home, "fuzz", "corpus")
    found = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [name for name in found if os.path.isdir(os.path.join(folder, name))]


def choose(home, wanted):
    """The targets of these names; all without any."""
    known = names(home)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ValueError("no such target: %s (there are: %s)" % (", ".join(unknown), ", ".join(known) or "none"))
    return [Target(home, name) for name in wanted or known]
