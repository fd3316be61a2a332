# SPDX-License-Identifier: MIT
"""Starts one server, puts one load on it, ends it: the step that rounds and counting runs are made of."""
import json
import os
import re
import resource
import select
import signal
import subprocess
import time

START_SECONDS = 30  # Valgrind takes some
END_SECONDS = 20


class Failed(Exception):
    """A server that did not start, answered wrongly or fell silent; the text names it."""


def choose_cpus():
    """(server's, load generator's) processor; (None, None) where there is only one to run on."""
    cpus = sorted(os.sched_getaffinity(0))
    return (cpus[-1], cpus[-2]) if len(cpus) > 1 else (None, None)


DESCRIPTORS = 12000  # 10,000 connections and what a process has besides
SPARE_DESCRIPTORS = 100
LARGEST_CONNECTION = 600 * 1024  # of any server's and the load generator's memory, with much to spare


def raise_descriptor_limit(wanted=DESCRIPTORS):
    """1,000 connections do not fit the usual soft limit of 1,024; children inherit what is set here. Returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def available_memory():
    try:
        with open("/proc/meminfo") as file:
            return 1024 * int(re.search(r"^MemAvailable:\s+(\d+) kB", file.read(), re.M).group(1))
    except (OSError, AttributeError):
        return 1 << 30


def fitting_connections(wanted):
    """As many of them as this process's limit (see above) and the machine's memory allow."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if soft == resource.RLIM_INFINITY else soft - SPARE_DESCRIPTORS
    return max(1, min(wanted, limit, available_memory() // LARGEST_CONNECTION))


def pin(cpu):
    """For subprocess: what a child does first, so that it stays on this processor."""
    return None if cpu is None else lambda: os.sched_setaffinity(0, {cpu})


class Server:
    """A running server: a context manager with `port` and `pid`."""

    def __init__(self, setup, peer, work, wrapper=()):
        self.name = "%s %s" % (peer.name, work.name)
        tls = setup.certificate.arguments if work.tls else []
        self.command = list(wrapper) + peer.command + [work.handler] + tls
        self.cpu = setup.server_cpu
        self.pid = None
        self.port = None

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, universal_newlines=True,
                                        preexec_fn=pin(self.cpu))
        try:
            self._read_address()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _read_address(self):
        ready, _, _ = select.select([self.process.stdout], [], [], START_SECONDS)
        line = self.process.stdout.readline() if ready else ""
        match = re.match(r"listening port=(\d+) pid=(\d+)$", line.strip())
        if match is None:
            raise Failed("%s: the server did not start%s" % (self.name, self._last_words()))
        self.port, self.pid = int(match.group(1)), int(match.group(2))

    def _last_words(self):
        self._end()
        return ": " + self.errors.strip() if self.errors.strip() else ""

    def _end(self):
        """SIGTERM to the server itself, so that a wrapper around it can still write its sums."""
        if self.process.poll() is None:
            try:
                os.kill(self.pid or self.process.pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        if not self.process.stdout.closed:
            try:
                _, self.errors = self.process.communicate(timeout=END_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                _, self.errors = self.process.communicate()

    def __exit__(self, *_):
        self._end()


def load_command(setup, server, work, connections, warmup, seconds, requests=0):
    words = [os.path.join(setup.folder, "bench-load"), work.load, server.port, server.pid, connections, warmup, seconds, requests,
             int(1000 * setup.silence)] + ([setup.certificate.file] if work.tls else [])
    return [str(word) for word in words]


def run_load(setup, server, work, warmup, seconds, requests=0):
    """What the load generator measured, as a dict. Raises Failed when an answer was wrong or missing."""
    wanted = setup.idle_connections if work.of_memory and setup.idle_connections else work.connections
    connections = fitting_connections(wanted)
    command = load_command(setup, server, work, connections, warmup, seconds, requests)
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True, preexec_fn=pin(setup.load_cpu),
                              timeout=120 + 4 * (warmup + seconds) + 0.05 * connections)
    except subprocess.TimeoutExpired:
        raise Failed("%s: the load did not end in time" % server.name) from None
    if done.returncode != 0:
        raise Failed("%s: %s" % (server.name, done.stderr.strip() or "the load generator failed"))
    return json.loads(done.stdout)


def steal_and_time():
    """(seconds that the hypervisor took from all processors so far, a clock)."""
    try:
        with open("/proc/stat") as file:
            ticks = int(file.readline().split()[8])
    except (OSError, IndexError, ValueError):
        ticks = 0
    return ticks / os.sysconf("SC_CLK_TCK"), time.monotonic()


def run_starts(setup, peer, work, seconds):
    """Starts of one server again and again, as a window whose `CPU time` is the time that they took."""
    server = Server(setup, peer, work)
    cpu = -1 if setup.server_cpu is None else setup.server_cpu
    command = [os.path.join(setup.folder, "bench-start"), seconds, int(1000 * setup.silence), cpu] + server.command
    before = steal_and_time()
    try:
        done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True, preexec_fn=pin(setup.load_cpu), timeout=120 + 4 * seconds)
    except subprocess.TimeoutExpired:
        raise Failed("%s: the starts did not end in time" % server.name) from None
    steal, took = (now - then for now, then in zip(steal_and_time(), before))
    if done.returncode != 0:
        raise Failed("%s: %s" % (server.name, done.stderr.strip() or "bench-start failed"))
    starts = sorted(json.loads(done.stdout)["ms"])
    typical = starts[len(starts) // 2] / 1e3
    return {"operations": len(starts), "seconds": took, "server_cpu_s": typical * len(starts), "server_user_s": 0.0,
            "server_waited_s": 0, "load_waited_s": 0, "steal_s": steal}
