#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The testee for an event loop of your own, written in Python: cpython.py on that loop (tools/conform --testee loop:MODULE:NAME).

usage: cpython_loop.py MODULE:NAME     NAME is a class or a function that makes a loop; called without arguments

The module is looked for in the working folder and on PYTHONPATH. The loop must ask a selector of the module `selectors` for
its waiting, made when the loop is made (selectors.DefaultSelector()), and its own method time() for the time: both are the
driver's then, so that time stands still and the script moves it. A loop that waits otherwise needs a driver like
cpython_uvloop.py, or a testee of its own (PROTOCOL.md, skeleton.py).
"""
import importlib
import os
import selectors
import sys

SELECTORS = ("DefaultSelector", "SelectSelector", "PollSelector", "EpollSelector", "DevpollSelector", "KqueueSelector")


def find(name):
    """The class or function that MODULE:NAME means."""
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        sys.exit(__doc__)
    sys.path.insert(0, os.getcwd())
    try:
        found = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        sys.exit("%s: %s" % (name, error))
    return found


def make_with(factory, selector):
    """A loop that got this selector where it asked for one of the module `selectors`."""
    asked = []

    def give():
        asked.append(selector)
        return selector

    before = {name: getattr(selectors, name) for name in SELECTORS if hasattr(selectors, name)}
    for name in before:
        setattr(selectors, name, give)
    try:
        loop = factory()
    finally:
        for name, right in before.items():
            setattr(selectors, name, right)
    if len(asked) != 1:
        raise RuntimeError("the loop made %d selectors by selectors.DefaultSelector() and the like; it must make one, "
                           "through the module, when it is made" % len(asked))
    return loop


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    factory = find(sys.argv[1])
    import cpython

    class Selector(cpython.VirtualSelector):
        """Remembers how long the loop would wait: when its next timer is due."""

        def select(self, timeout=None):
            self.case.wait = timeout
            return super().select(timeout)

    class Case(cpython.Case):
        wait = None

        def new_loop(self):
            return make_with(factory, Selector(self))

        def open_timers(self):
            return super().open_timers() if hasattr(self.loop, "_scheduled") else []

        def deadlines(self):
            if hasattr(self.loop, "_scheduled"):
                return super().deadlines()
            return [self.now + self.wait] if self.wait else []

    make_with(factory, selectors.DefaultSelector()).close()     # what is wrong with it is told before the first case
    cpython.Case = Case
    return cpython.serve(sys.argv[1])


if __name__ == "__main__":
    sys.exit(main())
