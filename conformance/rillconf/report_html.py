# SPDX-License-Identifier: MIT
"""The HTML report: one page that needs nothing else, from the parts in `page/` and the data of report_data.py."""
import json
import os
import re

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page")
SCRIPTS = ("data.js", "list.js", "align.js", "drawing.js", "case.js", "rules.js", "coverage.js", "main.js")


def part(name):
    with open(os.path.join(PAGE, name), encoding="utf-8") as file:
        return file.read()


def page(data):
    """The page's text. Data cannot end the element that it stands in: no `<` is left in it."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True).replace("<", "\\u003c")
    script = "(function () {\n'use strict';\n%s})();\n" % "".join(part(name) for name in SCRIPTS)
    parts = {"style": part("page.css"), "script": script, "data": text}
    return re.sub("@(%s)@" % "|".join(parts), lambda mark: parts[mark.group(1)], part("page.html"))


def write(path, data):
    with open(path, "w", encoding="utf-8") as file:
        file.write(page(data))
