# SPDX-License-Identifier: MIT
"""A target's inputs: made of conformance cases, made fewer, and turned into what every test run replays."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from .build import Failed
from .engine import environment_of

FILES_MAX = 300
BYTES_MAX = 300 * 1000
ENGINE_NAME = re.compile(r"[0-9a-f]{40}$")              # libFuzzer's: the content's SHA-1
CASE_NAME = re.compile(r"[a-z0-9-]+/[a-z0-9-]+$")
SCRIPT_TARGETS = ("readuntil", "limit", "reader_cpython")  # their inputs are scripts for one reader


def _harness(home):
    """The conformance harness's modules."""
    sys.path.insert(0, os.path.join(home, "conformance"))
    try:
        from rillconf import case, seeds
    finally:
        sys.path.pop(0)
    return case, seeds


def make_seeds(home, target):
    """Adds the conformance cases that can be said to the working corpus; returns how many files those are."""
    if target.name not in SCRIPT_TARGETS:
        return 0
    case, seeds = _harness(home)
    _, files = seeds.write(case.read_all(os.path.join(home, "conformance", "cases")), target.working)
    return files


# -- making it anew ---------------------------------------------------------------------------------------------------

def is_named(name):
    """A seed that somebody named stays, whether or not it reaches anything new: it kept something fixed."""
    return not ENGINE_NAME.match(name)


def _size(folder):
    sizes = [os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)]
    return len(sizes), sum(sizes)


def _fits(folder):
    files, size = _size(folder)
    return files <= FILES_MAX and size <= BYTES_MAX


def _merge(program, target, folder, more):
    """Fills folder with the named seeds and the fewest others that reach what all reach together."""
    for name in filter(is_named, target.inputs()):
        shutil.copy(os.path.join(target.corpus, name), folder)
    sources = [path for path in (target.corpus, target.working) if os.path.isdir(path)]
    command = [program] + target.flags + ["-merge=1", "-artifact_prefix=%s/" % target.finds] + more + [folder] + sources
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, errors="replace", env=environment_of(target))
    if done.returncode != 0:
        raise Failed("%s\n%s failed" % (done.stdout[-3000:], " ".join(command)))


def _drop_largest(folder):
    """What is still too much goes, the largest first; returns how many went."""
    names = sorted(filter(ENGINE_NAME.match, os.listdir(folder)), key=lambda n: os.path.getsize(os.path.join(folder, n)))
    dropped = 0
    while names and not _fits(folder):
        os.unlink(os.path.join(folder, names.pop()))
        dropped += 1
    return dropped


def minimise(target, program, out):
    """Replaces the committed corpus. Counts of how often a place was passed count as coverage where there is room for them."""
    os.makedirs(target.finds, exist_ok=True)
    before = _size(target.corpus)
    for more in ([], ["-use_counters=0"]):
        with tempfile.TemporaryDirectory(prefix="rill-fuzz-") as folder:
            _merge(program, target, folder, more)
            if not _fits(folder) and not more:
                continue
            dropped = _drop_largest(folder)
            _replace(target.corpus, folder)
            break
    files, size = _size(target.corpus)
    out.write("%s: corpus of %d files, %d bytes (before: %d, %d)%s\n" % (
        target.name, files, size, before[0], before[1], "; %d too large ones left out" % dropped if dropped else ""))


def _replace(corpus, folder):
    for name in os.listdir(corpus):
        if not is_named(name):
            os.unlink(os.path.join(corpus, name))
    for name in os.listdir(folder):
        shutil.copy(os.path.join(folder, name), corpus)


# -- keeping a find ---------------------------------------------------------------------------------------------------

def check_name(home, target, file, name):
    """Where the input will be kept as a seed."""
    if not CASE_NAME.match(name):
        raise ValueError("--name: AREA/TOPIC of small letters, digits and hyphens, not %s" % name)
    if not os.path.isfile(file):
        raise ValueError("--case: there is no file %s" % file)
    seed = os.path.join(target.corpus, name.replace("/", "-"))
    if os.path.exists(seed):
        raise ValueError("--name: there is %s already" % os.path.relpath(seed, home))
    return seed


def add_case(home, name, text):
    """Adds the case to its area's file of finds; returns that file."""
    area = os.path.join(home, "conformance", "cases", name.partition("/")[0])
    path = os.path.join(area, "fuzz.case")
    os.makedirs(area, exist_ok=True)
    head = "" if os.path.exists(path) else "# What fuzzing found.\n"
    with open(path, "a") as file:
        file.write("%s\n%s\n" % (head, text.strip()))
    return path


def keep(home, target, file, name, tell_case, out):
    """A seed that is replayed by every test run from now on and, where one can say it, a case that is played to every CPython.

    tell_case(file, name): the case's text.
    """
    seed = check_name(home, target, file, name)
    text = tell_case(file, name) if target.name in SCRIPT_TARGETS else None
    shutil.copyfile(file, seed)
    out.write("%s: every test run replays it\n" % os.path.relpath(seed, home))
    if text is not None:
        path = add_case(home, name, text)
        out.write("%s: what the CPythons do with it is recorded by tools/conform --no-rill --bless %s\n" % (
            os.path.relpath(path, home), name))
