# SPDX-License-Identifier: MIT
"""A testee as the runner sees it: a process that speaks PROTOCOL.md, started again when it dies or hangs."""
import json
import os
import select
import struct
import subprocess
import tempfile
import time

from .tls import CERTIFICATES


DECODER = json.JSONDecoder()
SIZE = struct.Struct(">I")
PIPE = 65536        # what a pipe holds
ATTEMPTS = 5        # at runs of a case in which ports with different names do not meet by chance


class Crash(Exception):
    """The testee ended in the middle of something."""


class Hang(Exception):
    """The real-time watchdog went off."""


class Outcome:
    """What one run of one case gave: events, and how the run ended."""

    def __init__(self, events, how="end", text=""):
        self.events = events
        self.how = how          # end, skip, crash, hang
        self.text = text

    def last_step(self):
        return max([event.get("step", 0) for event in self.events] or [0])


def meeting_ports(events):
    """The pairs of names that were given to one port number. Two addresses may have the same ephemeral port, about once in
    14,000 times; then the number in a text no longer tells which of the two is meant."""
    first, pairs = {}, set()
    for event in events:
        if event["ev"] == "port":
            name = first.setdefault(event["port"], event["name"])
            if name != event["name"]:
                pairs.add((name, event["name"]))
    return pairs


class Testee:
    def __init__(self, name, command, timeout=20.0):
        self.name = name
        self.command = command
        self.timeout = timeout
        self.process = None
        self.hello = None
        self.buffer, self.at = b"", 0       # what was read, and how far it is used
        self.errors = None

    # the process

    def start(self):
        self.errors = tempfile.TemporaryFile()
        self.buffer, self.at = b"", 0
        trust = {"SSL_CERT_FILE": os.path.join(CERTIFICATES, "ca.pem"), "SSL_CERT_DIR": os.path.join(CERTIFICATES, "none")}
        try:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=self.errors, bufsize=0, env=dict(os.environ, **trust),
                                            start_new_session=True)  # Ctrl-C is the harness's alone: they end by EOF
        except OSError as error:
            raise Crash("cannot start %s: %s" % (" ".join(self.command), error))
        self.hello = self.receive(time.monotonic() + self.timeout)
        if self.hello.get("ev") != "hello" or self.hello.get("protocol") != 1:
            raise Crash("no hello of protocol 1 but %r" % self.hello)
        return self.hello

    def stop(self, kill=False):
        """Ends the process. A text if it did not end well by itself: sanitizers speak up at the end."""
        if self.process is None:
            return None
        try:
            if kill:
                self.process.kill()
            self.process.stdin.close()
        except OSError:
            pass
        try:
            code = self.process.wait(self.timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        problem = None if kill or code == 0 else "%s at its end\n%s" % (self.how_it_died(), self.error_text())
        self.process.stdout.close()
        self.errors.close()
        self.process = None
        return problem

    def error_text(self):
        """The end of what the process wrote on stderr."""
        self.errors.seek(max(0, self.errors.seek(0, os.SEEK_END) - 4000))
        lines = self.errors.read().decode("utf-8", "replace").strip().split("\n")
        return "\n".join(lines[-12:])

    # messages

    def send(self, message):
        body = json.dumps(message, separators=(",", ":")).encode("ascii")
        data = memoryview(SIZE.pack(len(body)) + body)
        try:
            while data:
                data = data[self.process.stdin.write(data):]
        except OSError:
            raise Crash("closed its input")

    def need(self, size, deadline):
        """Reads until that many bytes are there and not used."""
        while len(self.buffer) - self.at < size:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise Hang("no answer within %g s" % self.timeout)
            data = os.read(self.process.stdout.fileno(), PIPE)
            if not data:
                raise Crash(self.how_it_died())
            self.buffer, self.at = self.buffer[self.at:] + data, 0

    def how_it_died(self):
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:
            return "closed its output"
        return "killed by signal %d" % -code if code < 0 else "exit status %d" % code

    def receive(self, deadline):
        return next(self.receive_all(deadline))

    def receive_all(self, deadline):
        """Every message, without end."""
        while True:
            at, end, buffer = self.at, len(self.buffer), self.buffer
            while end - at >= 4:
                begin = at + 4
                at = begin + SIZE.unpack_from(buffer, at)[0]
                if at > end:
                    break
                self.at = at
                yield DECODER.raw_decode(buffer[begin:at].decode("utf-8"))[0]
            self.need(end - self.at + 1, deadline)

    # cases

    def run(self, message):
        """Runs one case, again when ports met by chance: what the script wants to meet meets the same way once more."""
        before = None
        for _ in range(ATTEMPTS):
            outcome = self.run_once(message)
            pairs = meeting_ports(outcome.events)
            if not pairs or pairs == before or outcome.how != "end":
                break
            before = pairs
        return outcome

    def run_once(self, message):
        """A dead or hanging process is put away, the next run starts a new one."""
        events = []
        try:
            if self.process is None:
                self.start()
            self.send(message)
            for event in self.receive_all(time.monotonic() + self.timeout):
                if event["ev"] == "skip":
                    return Outcome(events, "skip", event.get("reason", "no reason given"))
                events.append(event)
                if event["ev"] == "end":
                    return Outcome(events)
        except (Crash, Hang) as problem:
            return self.broken(events, problem)

    def broken(self, events, problem):
        text = str(problem)
        if self.process is not None:
            text = "\n".join(filter(None, [text, self.error_text()]))
        self.stop(kill=True)
        return Outcome(events, "hang" if isinstance(problem, Hang) else "crash", text)
