#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Stands in for a libFuzzer program in tests of tools/fuzz: prints what one prints, and does what its own name says.

good runs until it is asked to end, bad finds something, broken ends at once, busy burns processor time, deaf does not
end when asked. With -merge=1 it keeps one input for each first byte, each size with -use_counters=1.
"""
import os
import signal
import sys
import time

flags = dict(word[1:].partition("=")[::2] for word in sys.argv[1:] if word.startswith("-"))
folders = [word for word in sys.argv[1:] if not word.startswith("-")]
name = os.path.basename(sys.argv[0])
executed = 0


def say(text):
    print(text, flush=True)


def end(*_):
    """libFuzzer's way out, at SIGINT too."""
    say("==1== libFuzzer: run interrupted; exiting")
    say("stat::number_of_executed_units: %d" % executed)
    os._exit(72)


def crash():
    """As a target that prints what differed and aborts in a function of its own."""
    top = os.path.dirname(os.path.dirname(os.path.abspath(sys.argv[0])))
    path = flags["artifact_prefix"] + "crash-1234"
    with open(path, "wb") as file:
        file.write(b"\x01bad")
    for line in ("wanted b'abc'", "got    b'ab'", "==1== ERROR: libFuzzer: deadly signal",
                 "    #0 0x55 in fuzzer::PrintStackTrace() (/x/bad+0x5)", "    #1 0x7f in abort stdlib/./stdlib/abort.c:79:7",
                 "    #2 0x56 in mismatch_result %s/fuzz/reader/mismatch.c:4:62" % top, "SUMMARY: libFuzzer: deadly signal",
                 "artifact_prefix='x'; Test unit written to " + path, "stat::number_of_executed_units: 5000"):
        say(line)
    sys.exit(77)


def merge():
    seen = set()
    for folder in folders:
        for entry in sorted(os.listdir(folder)):
            with open(os.path.join(folder, entry), "rb") as file:
                data = file.read()
            feature = data[:1] if flags.get("use_counters") == "0" else data
            if feature not in seen and folder != folders[0]:
                with open(os.path.join(folders[0], entry), "wb") as file:
                    file.write(data)
            seen.add(feature)


def fuzz():
    global executed
    say("INFO: Running with entropic power schedule (0xFF, 100).")
    say("flags: " + " ".join(sys.argv[1:]))
    while True:
        executed += 1000
        say("#%d\tNEW    cov: 12 ft: 34 corp: 5/67b lim: 4 exec/s: 0 rss: 31Mb L: 5/5 MS: 1 InsertByte-" % executed)
        if name == "bad" and executed == 3000:
            crash()
        began = time.monotonic()
        while time.monotonic() - began < 0.05:
            if name != "busy":
                time.sleep(0.05)


if name == "broken":
    say("a library is missing")
    sys.exit(1)
signal.signal(signal.SIGINT, signal.SIG_IGN if name == "deaf" else end)
if flags.get("merge") == "1":
    merge()
else:
    fuzz()
