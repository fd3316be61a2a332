# SPDX-License-Identifier: MIT
"""The rule ids of the specification, as far as this suite's sections reach."""
import re

SECTIONS = ("0", "1", "2", "3", "4", "9")
ROW = re.compile(r"^\| (R-\d[\dUV](?:\d|-\d\d)) \|", re.MULTILINE)


def read(path):
    """Rules of sections 0 to 4 and 9 (the hundreds digit is the section)."""
    with open(path, encoding="utf-8") as file:
        return [rule for rule in ROW.findall(file.read()) if rule[2] in SECTIONS]
