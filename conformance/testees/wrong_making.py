# SPDX-License-Identifier: MIT
"""How a wrong testee is made: other words in the source of one function of asyncio, or a function around it."""
import asyncio
import asyncio.staggered
import inspect
import re
import textwrap


class NotHere(Exception):
    """This CPython is written otherwise: the mistake cannot be made in it."""


def find(path):
    found = asyncio
    for name in path.split("."):
        found = getattr(found, name, None)
    if found is None:
        raise NotHere("no %s" % path)
    return found


class Change:
    """Other words in a function of asyncio: (old, new) pairs, of which the first that is found counts, at its first place."""

    def __init__(self, path, *pairs):
        self.path = path
        self.pairs = pairs

    def source(self):
        text = textwrap.dedent(inspect.getsource(find(self.path)))
        for old, new in self.pairs:
            pattern = r"\s+".join(map(re.escape, old.split()))
            if re.search(pattern, text):
                return re.sub(pattern, lambda match: new, text, count=1)
        raise NotHere("%s has no %s" % (self.path, self.pairs[0][0]))

    def make(self):
        """The function's code is exchanged, so everybody who holds the function has the new one."""
        function = find(self.path)
        source = "def outer(__class__):\n%s\n    return %s\n" % (textwrap.indent(self.source(), "    "), function.__name__)
        scope = dict(function.__globals__)      # of which defaults and annotations are made; the code has its own
        exec(compile(source, "<wrong %s>" % self.path, "exec"), scope)
        function.__code__ = scope["outer"](None).__code__


class Mistake:
    """A name, the rules that it breaks, the backends that show it, where cases are looked for, and what makes it."""

    def __init__(self, name, rules, where, what, *makers):
        self.name = name
        self.rules = rules.split()
        self.backends, self.areas = where
        self.what = what
        self.makers = makers

    def missing(self):
        """Why it cannot be made here, or none."""
        try:
            for maker in self.makers:
                if isinstance(maker, Change):
                    maker.source()
        except NotHere as reason:
            return str(reason)
        return None

    def make(self):
        for maker in self.makers:
            maker.make() if isinstance(maker, Change) else maker()

    def told(self):
        return {"name": self.name, "rules": self.rules, "backends": self.backends, "areas": self.areas, "what": self.what,
                "missing": self.missing()}



def wrap(path):
    """Exchanges a method of asyncio for one that is given the right one first."""
    owner, name = path.rsplit(".", 1)
    right = find(path)

    def exchange(wrong):
        setattr(find(owner), name, lambda *args, **options: wrong(right, *args, **options))
    return exchange
