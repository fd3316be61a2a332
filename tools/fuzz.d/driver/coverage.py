# SPDX-License-Identifier: MIT
"""What the committed inputs reach, summed over all targets: lines and branches of the layers that a peer can reach."""
import collections
import glob
import os
import shutil

from .build import Build, Failed, quietly

BOUNDS = {"lines": 95.0, "branches": 90.0}
LAYERS = ("core/sansio", "core/tls", "core/streams")
FOLDER = os.path.join("build", "fuzz-coverage")
FLAGS = "-fprofile-instr-generate -fcoverage-mapping"

# One source file: {line: times}, {(line, block, branch): times}.
Source = collections.namedtuple("Source", "lines branches")


def settings():
    """Programs that replay, without an engine, with every line and branch counted."""
    return ["-DCMAKE_BUILD_TYPE=Debug", "-DRILL_SANITIZE=", "-DRILL_FUZZ_ENGINE=", "-DBUILD_SHARED_LIBS=OFF",
            "-DCMAKE_C_FLAGS=" + FLAGS, "-DCMAKE_CXX_FLAGS=" + FLAGS]


def tool(name):
    """llvm-cov and llvm-profdata carry their version in some distributions' names; the newest is taken."""
    if shutil.which(name):
        return name
    found = [path for folder in os.environ.get("PATH", "").split(os.pathsep) for path in glob.glob(os.path.join(folder, name + "-*"))]
    if not found:
        raise Failed("%s is missing: tools/setup --fuzz installs it" % name)
    return max(found, key=lambda path: int("".join(filter(str.isdigit, path.rpartition("-")[2])) or 0))


def replay(home, targets, programs, raw, say):
    """Runs each program over its committed corpus; returns the profiles that they wrote."""
    os.makedirs(raw, exist_ok=True)
    profiles = []
    for target in targets:
        say("replaying %s" % target.name)
        profiles.append(os.path.join(raw, target.name + ".profraw"))
        quietly(["env", "LLVM_PROFILE_FILE=" + profiles[-1], os.path.join(programs, target.name), target.corpus], home)
    return profiles


def whole_library(build):
    """All of librill as one linked object, which is what llvm-cov reads: a file that no target links would not count otherwise."""
    made = os.path.join(build.folder, "librill-whole.so")
    quietly(["clang", "-shared", "-o", made, "-Wl,--whole-archive", os.path.join(build.folder, "core", "librill.a"),
             "-Wl,--no-whole-archive"] + FLAGS.split(), build.home)
    return made


# -- what llvm-cov says -----------------------------------------------------------------------------------------------

def parse(lcov, home):
    """{path: Source} of an lcov report, of the layers only."""
    found, source = {}, None
    for line in lcov.splitlines():
        word, _, rest = line.partition(":")
        if word == "SF":
            path = os.path.relpath(rest, home)
            inside = path.endswith(".c") and any(path.startswith(layer + "/") for layer in LAYERS) and "/tests/" not in path
            source = found.setdefault(path, Source({}, {})) if inside else None
        elif source is not None and word == "DA":
            number, times = rest.split(",")[:2]
            source.lines[int(number)] = source.lines.get(int(number), 0) + int(times)
        elif source is not None and word == "BRDA":
            place, _, times = rest.rpartition(",")
            key = tuple(map(int, place.split(",")))
            source.branches[key] = source.branches.get(key, 0) + (0 if times == "-" else int(times))
    return found


def share(counts):
    counts = list(counts)
    return len(counts), sum(1 for times in counts if times), 100.0 * sum(1 for times in counts if times) / max(1, len(counts))


def ranges(numbers):
    """`3-5 9`: numbers as a person reads them."""
    shown, numbers = [], sorted(numbers)
    for number in numbers:
        if shown and number == shown[-1][1] + 1:
            shown[-1][1] = number
        else:
            shown.append([number, number])
    return " ".join("%d-%d" % (low, high) if high > low else str(low) for low, high in shown)


def print_missing(sources, out):
    for path, source in sorted(sources.items()):
        lines = [number for number, times in source.lines.items() if not times]
        branches = sorted({key[0] for key, times in source.branches.items() if not times} - set(lines))
        if lines:
            out.write("%s: lines never reached: %s\n" % (path, ranges(lines)))
        if branches:
            out.write("%s: lines with a branch never taken: %s\n" % (path, ranges(branches)))


def print_table(sources, out):
    """A row for each layer and one for all; True where all reach the bounds."""
    fine = True
    for name in LAYERS + ("all",):
        chosen = [source for path, source in sources.items() if name == "all" or path.startswith(name + "/")]
        lines = share(times for source in chosen for times in source.lines.values())
        branches = share(times for source in chosen for times in source.branches.values())
        out.write("%-14s lines=%.2f%% (%d of %d) branches=%.2f%% (%d of %d)\n" % (
            name, lines[2], lines[1], lines[0], branches[2], branches[1], branches[0]))
        if name == "all":
            fine = lines[2] >= BOUNDS["lines"] and branches[2] >= BOUNDS["branches"]
    out.write("bounds: lines=%.0f%% branches=%.0f%%: %s\n" % (BOUNDS["lines"], BOUNDS["branches"],
                                                            "reached" if fine else "NOT REACHED"))
    return fine


def page(home, objects, profile, folder):
    """Every line with its counts, as HTML."""
    quietly([tool("llvm-cov"), "show", "-format=html", "-show-branches=count", "-output-dir=" + folder, "-instr-profile=" + profile]
            + objects + [os.path.join(home, layer) for layer in LAYERS], home)
    return os.path.join(folder, "index.html")


def measure(home, targets, options, live, out):
    """The whole of --coverage; True where the bounds are reached."""
    build = Build(home, FOLDER, live.say, settings=settings())
    build.prepare()
    known = build.known()
    for target in targets:
        if target.name not in known:
            out.write("MISSING %s: %s\n" % (target.name, build.why_not(target.name)))
    present = [target for target in targets if target.name in known]
    programs = build.make([target.name for target in present])
    profile = os.path.join(build.folder, "all.profdata")
    profiles = replay(home, present, programs, os.path.join(build.folder, "profiles"), live.say)
    quietly([tool("llvm-profdata"), "merge", "-sparse", "-o", profile] + profiles, home)
    paths = [os.path.join(programs, target.name) for target in present] + [whole_library(build)]
    objects = [paths[0]] + [word for path in paths[1:] for word in ("-object", path)]
    live.say("summing")
    sources = parse(quietly([tool("llvm-cov"), "export", "-format=lcov", "-instr-profile=" + profile] + objects, home), home)
    shown = page(home, objects, profile, os.path.abspath(options.html or os.path.join(build.folder, "html")))
    live.clear()
    print_missing(sources, out)
    fine = print_table(sources, out)
    out.write("every line: %s\n" % os.path.relpath(shown))
    return fine
