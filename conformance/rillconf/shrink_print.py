# SPDX-License-Identifier: MIT
"""What --shrink prints: the smallest script as a case, as a Python program that was run, and as a seed for fuzzing."""
import os
import re
import subprocess

from . import live, program, seeds

SECONDS = 20        # a program that takes longer hangs


def case_text(shrunk, name):
    """Ready for conformance/cases; the answers are recorded by --bless."""
    lines = ["case    " + name] + [line for line in shrunk.script.header if not line.startswith("case")] + list(shrunk.script.operations)
    return "\n".join(lines) + "\n"


def shows_state(result):
    difference = result.verdict.difference
    return bool(difference) and difference.layer == "state"


def python_program(shrunk):
    """(text, none) or (none, why there is none)."""
    try:
        return program.program(shrunk.case(), shows_state(shrunk.result)), None
    except program.NoProgram as reason:
        return None, str(reason)


def run_program(python, text):
    """(whether it ended well, what it printed)."""
    try:
        done = subprocess.run([python, "-W", "ignore", "-c", text], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS,
                              universal_newlines=True)
    except subprocess.TimeoutExpired:
        return False, "it did not end within %d s" % SECONDS
    return done.returncode == 0, done.stdout


def agrees(shrunk, printed):
    """Whether the program ended each call that it knows as CPython's transcript does: by a result or by an error."""
    wanted = dict(re.findall(r"^(\w+) (->|!)", "\n".join(line for lines in shrunk.result.answer.values() for line in lines), re.MULTILINE))
    found = dict(re.findall(r"^(\w+) (->|!)", printed, re.MULTILINE))
    return all(found[name] == sign for name, sign in wanted.items() if name in found)


def file_name(case):
    return "shrunk-%s" % re.sub(r"[^\w.-]+", "-", case.name)


def show(shrunk, name, python, folder, say):
    """Prints all three; whether the program, if there is one, ran and agrees with the transcript."""
    operations, size = shrunk.size()
    say("%d operations, %d bytes -> %d operations, %d bytes on %s: %d candidates, %.1f s" % (
        shrunk.before + (operations, size, shrunk.result.backend, shrunk.tried, shrunk.seconds)))
    say("same all the way: %s" % live.essence(shrunk.result))
    say("\n" + case_text(shrunk, name).rstrip())
    verdict = shrunk.result.verdict
    for line in verdict.difference.lines() if verdict.difference else [verdict.detail]:
        say("# " + line.replace("\n", "\n# "))
    text, reason = python_program(shrunk)
    fine = True
    if text is None:
        say("\n# no Python program: %s" % reason)
    else:
        ended, printed = run_program(python, text)
        fine = ended and agrees(shrunk, printed)
        say("\n# what CPython does, as a program; it prints\n%s\n\n%s" % (
            "\n".join("#   " + line for line in printed.rstrip().split("\n")), text.rstrip()))
    show_seed(shrunk.case(), folder, say)
    return fine


def show_seed(case, folder, say):
    data = seeds.encode_case(case)
    if data is None:
        say("\n# no seed: the codec speaks of one reader, and this script of more")
        return
    say("\n# as a seed for fuzzing: %s" % data.hex())
    if folder:
        path = os.path.join(folder, file_name(case) + ".seed")
        with open(path, "wb") as file:
            file.write(data)
        say("# written to %s" % path)
