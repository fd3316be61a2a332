# SPDX-License-Identifier: MIT
"""The TAP report (version 13): one test point for each run; a known difference is a TODO, as TAP calls what may fail."""
import json

from .report_text import again


def point(number, result):
    verdict = result.verdict
    line = "ok %d - %s on %s, %s" % (number, result.case.name, result.testee.name, result.backend)
    if verdict.name == "SAME":
        return line
    if verdict.name == "SKIP":
        return "%s # SKIP %s" % (line, one_line(verdict.detail))
    if verdict.name == "KNOWN":
        return "not %s # TODO %s" % (line, one_line(verdict.detail))
    return "not %s\n%s" % (line, diagnostics(result))


def diagnostics(result):
    """A YAML block; a JSON text is a YAML scalar too."""
    verdict = result.verdict
    fields = [("message", str(verdict)), ("at", "%s:%d" % (result.case.path, result.case.line))]
    if verdict.step is not None:
        fields.append(("step", verdict.step))
    if verdict.difference:
        fields += [("wanted", verdict.difference.want), ("found", verdict.difference.got)]
    elif verdict.detail:
        fields.append(("detail", verdict.detail))
    fields.append(("again", again(result)))
    return "\n".join(["  ---"] + ["  %s: %s" % (key, json.dumps(value)) for key, value in fields] + ["  ..."])


def one_line(text):
    """A directive ends with its line, and `#` would begin another."""
    return " ".join(text.replace("#", "no. ").split())


def write(path, results):
    with open(path, "w", encoding="utf-8") as file:
        file.write("TAP version 13\n1..%d\n" % len(results))
        for number, result in enumerate(results, 1):
            file.write(point(number, result) + "\n")
