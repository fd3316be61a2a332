# SPDX-License-Identifier: MIT
"""Reading our own public headers, for the checks of layers and documents."""

import re


def public_functions(header):
    """The names of the functions that a header declares or defines at its top level."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", header, flags=re.S)
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$", " ", text, flags=re.M)
    text = re.sub(r'extern\s+"C"\s*\{', " ", text)
    depth, flat = 0, []
    for character in text:
        depth -= character == "}"
        if depth <= 0:
            flat.append(";" if character == "}" else character)
        depth += character == "{"
    names = []
    for statement in re.split(r"[;{]", "".join(flat)):
        match = re.search(r"\b(rill_\w+)\s*\(", statement)
        if match and not statement.strip().startswith("typedef"):
            names.append(match.group(1))
    return names
