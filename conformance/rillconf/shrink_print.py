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
    return bool(difference) and (difference.layer == "state" or (difference.want or difference.got).startswith("now"))


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


def ends(text):
    """{label of a call: what it told, in order, `>` a result and `!` an error}; those that nobody labelled tell errors alone."""
    found = {}
    for label, sign in re.findall(r"^([\w.]+?)(?:_again\d+)? (->|!)", text, re.MULTILINE):
        label = label.replace(".", "_")
        if sign == "!" or not re.match(r"a\d+$|.*_\d+$", label):
            found[label] = found.get(label, "") + sign[-1]
    return found


def agrees(shrunk, printed):
    """Whether the program ended each call as CPython's transcript does: by a result, by an error, not at all."""
    answer, steps = shrunk.result.answer, range(1, len(shrunk.case().steps) + 1)      # not what the case's end brings
    return ends("\n".join(line for number in steps for line in answer.get(number, []))) == ends(printed.partition(program.END + "\n")[0])


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
