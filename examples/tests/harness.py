# SPDX-License-Identifier: MIT
#
# What the example tests share: running a C program and its Python twin in the same situation, and comparing what they
# print byte for byte but for port numbers. No sleeps: a test waits for a line, an end of file or an exit.
import argparse
import contextlib
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import unittest
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
TWINS = os.path.join(os.path.dirname(HERE), 'python')
CERTIFICATES = os.path.join(os.path.dirname(os.path.dirname(HERE)), 'conformance', 'certificates')
PATIENCE_S = 60    # far above what any step needs; only a hang reaches it
SKIPPED = 77       # CTest's SKIP_RETURN_CODE

options = argparse.Namespace(programs='', driver='')

# What a program left behind: stdout, the last line of stderr, and the exit status as a shell sees it.
Outcome = namedtuple('Outcome', 'stdout error status')


def ours(name):
    return [os.path.join(options.programs, name)]


def twin(name):
    return [sys.executable, '-B', os.path.join(TWINS, name + '.py')]


def pem(name):
    """One of the certificates of the conformance cases; all but ca.pem have their key behind them."""
    return os.path.join(CERTIFICATES, name + '.pem')


def environment(**more):
    """One language and encoding for both, nothing that switches Python's debugging on or tells OpenSSL whom to trust,
    and no proxy."""
    kept = {key: value for key, value in os.environ.items()
            if not key.startswith(('PYTHON', 'LC_', 'LANG', 'SSL_', 'OPENSSL_')) and not key.lower().endswith('_proxy')}
    return dict(kept, LC_ALL='C.UTF-8', PYTHONUTF8='1', **more)


def child_signals():
    # A shell that starts a test in the background ignores SIGINT for all its children.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(command, **more):
    settings = dict(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
                    preexec_fn=child_signals)
    settings.update(more)
    return subprocess.Popen(command, **settings)


def finish(process, already_read=b'', stdin=None):
    """Waits for the end of a program, kills it when it hangs, and tells what it left behind."""
    try:
        stdout, stderr = process.communicate(stdin, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        stdout, stderr = process.communicate()
        raise AssertionError('%s hangs; stdout %r, stderr %r' % (process.args, already_read + stdout, stderr))
    status = process.returncode if process.returncode >= 0 else 128 - process.returncode
    lines = stderr.splitlines()
    return Outcome(already_read + stdout, lines[-1] if lines else b'', status)


def run(command, stdin=None, **more):
    if stdin is not None:
        more['stdin'] = subprocess.PIPE
    return finish(start(command, **more), stdin=stdin)


def converse(command, data):
    """run() for a peer that leaves when its input ends: it ends only when the other side has said all."""
    process = start(command, stdin=subprocess.PIPE)
    killer = threading.Timer(PATIENCE_S, process.kill)
    killer.start()
    try:
        process.stdin.write(data)
        process.stdin.flush()
        received = process.stdout.read()
    finally:
        killer.cancel()
    return finish(process, received)


def without_ports(text):
    return re.sub(rb"(\('127\.0\.0\.1', )\d+\)", rb'\1PORT)', text)


def with_errno_in_bind_error(outcome):
    """The text of a failed bind as 3.13 words it, which is rill's (R-632); before, it had no errno inside."""
    return outcome._replace(error=outcome.error.replace(b'): address already', b'): [errno 98] address already'))


def without_ports_in(outcome):
    return Outcome(without_ports(outcome.stdout), without_ports(outcome.error), outcome.status)


def without_source_lines(outcome):
    """Python names the line of its own C source behind an error of OpenSSL's."""
    return outcome._replace(error=re.sub(rb' \(_ssl\.c:\d+\)$', b'', outcome.error))


def tool(name, *folders):
    """Where a peer that may be missing is installed."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get('PATH', os.defpath), *folders]))
    if found is None:
        raise unittest.SkipTest(name + ' is not installed')
    return found


# -- the peer's side ------------------------------------------------------------------------------------------------


class SocketPeer:
    """A server of Python's socket module: accepts one connection, or several in turn, and runs script(connection) on it
    in a thread; `result` is what the last one returned."""

    def __init__(self, script, connections=1, listener=None):
        self.result = None
        self._connections = connections
        self.failure = None
        self._script = script
        self._listener = listener if listener is not None else socket.create_server(('127.0.0.1', 0))
        self._listener.settimeout(PATIENCE_S)
        self.port = self._listener.getsockname()[1] if listener is None else None
        self._thread = threading.Thread(target=self._serve)

    def _serve(self):
        try:
            for _ in range(self._connections):
                connection, _ = self._listener.accept()
                with connection:
                    connection.settimeout(PATIENCE_S)
                    self.result = self._script(connection)
        except Exception as failure:
            self.failure = failure

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._thread.join()
        self._listener.close()
        if self.failure is not None:
            raise self.failure


def over_tls(script, name='server', seen=None, **settings):
    """The script of a SocketPeer that runs script(connection) on a TLS connection, which it then ends with
    close_notify; `settings` are attributes of its context. A handshake that fails ends it: `seen` gets OpenSSL's reason
    (None: an end of the connection)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem(name))
    for attribute, value in settings.items():
        setattr(context, attribute, value)

    def wrapped(plain):
        try:
            connection = context.wrap_socket(plain, server_side=True)
        except OSError as failure:
            if seen is None:
                raise
            seen.append(getattr(failure, 'reason', None))
            return None
        with connection:
            result = script(connection)
            with contextlib.suppress(OSError, ValueError):    # the client has left, or the script shut it down
                connection.unwrap().close()
        return result
    return wrapped


class Serving:
    """A server program, from its line `Serving on ...` to Ctrl-C or whatever ends it; `outcome` is there afterwards."""

    def __init__(self, command, **more):
        self.outcome = None
        self._command = command
        self._more = more

    def __enter__(self):
        self.process = start(self._command, **self._more)
        self._line = self.process.stdout.readline()
        if not self._line.startswith(b'Serving on '):
            raise AssertionError('%r, %r' % (self._line, finish(self.process)))
        served = re.match(rb"Serving on \('127\.0\.0\.1', (\d+)\)", self._line)
        self.port = int(served.group(1)) if served else None
        return self

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def __exit__(self, failure, *_):
        if failure is not None:
            self.process.kill()
            self.process.communicate()
        elif self.outcome is None:
            self.interrupt()
            self.wait()

    def wait(self):
        self.outcome = finish(self.process, self._line)

    def exchange(self, data):
        return exchange(connect(self.port), data)


def read_to_end(connection):
    received = b''
    while True:
        data = connection.recv(65536)
        if not data:
            return received
        received += data


def read_request(connection):
    """An HTTP request without a body, however many records or segments it comes in."""
    request = b''
    while not request.endswith(b'\r\n\r\n'):
        data = connection.recv(65536)
        if not data:
            break
        request += data
    return request


def exchange(connection, data):
    """A client's whole turn: sends, half-closes, reads to the end."""
    with connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return read_to_end(connection)


def reset(connection):
    """Closes with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    connection.close()


@contextlib.contextmanager
def refusing_port():
    """A socket that is bound and does not listen: its port is ours for the while, and refuses."""
    with socket.socket() as held:
        held.bind(('127.0.0.1', 0))
        yield held.getsockname()[1]


def connect(port):
    return socket.create_connection(('127.0.0.1', port), timeout=PATIENCE_S)


# -- the comparison -------------------------------------------------------------------------------------------------


class TwinCase(unittest.TestCase):
    maxDiff = None

    def assert_twins(self, situation, name, since=(3, 8)):
        """Runs situation(command) for the C program and for its twin, compares, and returns the C program's result:
        an Outcome, or a tuple that begins with one. A Python before `since` cannot run the twin and is not asked."""
        def comparable(result):
            if isinstance(result, Outcome):
                return without_source_lines(without_ports_in(result))
            return (without_source_lines(without_ports_in(result[0])),) + tuple(result[1:])
        of_ours = comparable(situation(ours(name)))
        if sys.version_info >= since:
            self.assertEqual(of_ours, comparable(situation(twin(name))))
        return of_ours

    def assert_success(self, outcome):
        self.assertEqual((outcome.error, outcome.status), (b'', 0))
        self.assertNotEqual(outcome.stdout, b'')

    def assert_usage(self, name, arguments, usage):
        for command in ours(name), twin(name):
            with self.subTest(command=command, arguments=arguments):
                self.assertEqual(run(command + arguments), Outcome(b'', usage, 2))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--programs', required=True, help='folder of the C programs')
    parser.add_argument('--driver', default='', help='the program that answers for repr.c and utf8.c')
    parser.add_argument('classes', nargs='*', help='test classes to run; none: all')
    parser.parse_args(namespace=options)
    suite = unittest.defaultTestLoader.loadTestsFromNames(options.classes, sys.modules['__main__']) \
        if options.classes else unittest.defaultTestLoader.loadTestsFromModule(sys.modules['__main__'])
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    if not result.wasSuccessful() or result.testsRun == 0:
        sys.exit(1)
    # Part of a class that was skipped is no pass of the class either.
    sys.exit(SKIPPED if result.skipped else 0)
