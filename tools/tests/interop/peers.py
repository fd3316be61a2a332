# SPDX-License-Identifier: MIT
#
# What the interoperation tests share: children that are talked to and always have a deadline, rill's two programs, the
# certificates. No sleeps: a test waits for what a program prints, or for its end.
import argparse
import contextlib
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import termios
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
CERTIFICATES = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(HERE))), 'conformance', 'certificates')
DEADLINE_S = 60    # far above what any child needs; only a hang reaches it
SKIPPED = 77       # CTest's SKIP_RETURN_CODE
BULK = 8 << 20
UNCLEAN = re.compile(rb'unexpected eof|errno=|error:', re.I)    # what OpenSSL's programs say of a bad end

options = argparse.Namespace(programs='')


def pem(name):
    """One of the certificates of the conformance cases; all but ca.pem have their key behind them."""
    return os.path.join(CERTIFICATES, name + '.pem')


def pattern(size):
    """The bulk data of rill's programs."""
    period = bytes(range(251))
    return (period * (size // len(period) + 1))[:size]


def tool(name, *folders):
    """Where a peer is installed that may be missing."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get('PATH', os.defpath), *folders]))
    if found is None:
        raise unittest.SkipTest(name + ' is not installed: tools/setup --test installs it')
    return found


def environment():
    """No language but C's, no proxies, and no word to OpenSSL about whom to trust."""
    kept = {key: value for key, value in os.environ.items()
            if not key.startswith(('LC_', 'LANG', 'SSL_', 'OPENSSL_')) and not key.lower().endswith('_proxy')}
    return dict(kept, LC_ALL='C')


def open_terminal():
    """A terminal without echo: its user's side and its program's side."""
    user, program = pty.openpty()
    settings = termios.tcgetattr(program)
    settings[1] &= ~termios.OPOST
    settings[3] &= ~termios.ECHO
    termios.tcsetattr(program, termios.TCSANOW, settings)
    return user, program


class Child:
    """A program that is talked to. Its stderr goes where its stdout goes. On a terminal it prints its lines at once, and
    reads them one by one: s_server takes a command only from the beginning of a read."""

    def __init__(self, command, terminal=False, **settings):
        if terminal:
            self._output, program = open_terminal()
            settings.update(stdin=program, stdout=program, stderr=program)
        else:
            settings.update(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        # A shell that starts a test in the background ignores SIGINT for all its children.
        self.process = subprocess.Popen(
            [str(word) for word in command], env=environment(),
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), **settings)
        if terminal:
            os.close(program)
            self._input = os.fdopen(os.dup(self._output), 'wb', 0)
        else:
            self._input = self.process.stdin
            self._output = os.dup(self.process.stdout.fileno())
            self.process.stdout.close()
        self.text = bytearray()    # all that it printed
        self._seen = 0             # up to where wait_for has found something
        self._late = False
        self._deadline = threading.Timer(DEADLINE_S, self._expire)
        self._deadline.start()

    def _expire(self):
        self._late = True
        self.process.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._deadline.cancel()
        if self.process.poll() is None:
            self.process.kill()
        with contextlib.suppress(BrokenPipeError):    # what was said may not have been heard
            self._input.close()
        os.close(self._output)
        self.process.wait()

    def _read(self):
        try:
            data = os.read(self._output, 65536)
        except OSError:    # how a terminal says that its last program has gone
            data = b''
        self.text += data
        return data

    def fail(self, what):
        raise AssertionError('%s%s; %s printed %s' % (
            'after %d s: ' % DEADLINE_S if self._late else '', what, self.process.args[:2],
            self.text[-4000:].decode(errors='backslashreplace')))

    def wait_for(self, expression):
        """The match, in what it printed since the last match."""
        while True:
            match = re.compile(expression, re.S).search(self.text, self._seen)
            if match is not None:
                self._seen = match.end()
                return match
            if not self._read():
                self.fail('no %r' % expression)

    def say(self, line):
        self._input.write(line)
        self._input.flush()

    def end_input(self):
        self._input.close()

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def finish(self):
        """Its exit status, after it has printed everything."""
        while self._read():
            pass
        status = self.process.wait()
        if self._late:
            self.fail('it hangs')
        return status


class RillServer(Child):
    """rill's server; `port` is there at once."""

    def __init__(self, *arguments, chain='server'):
        super().__init__([os.path.join(options.programs, 'interop_server'), '--chain', pem(chain), *arguments])
        self.port = int(self.wait_for(rb'Serving on (\d+)\n').group(1))

    def stop(self):
        """What it printed about its connections."""
        self.interrupt()
        status = self.finish()
        lines = self.text.decode().splitlines()
        if status != 130 or lines[-1] != 'KeyboardInterrupt':
            self.fail('status %d' % status)
        return lines[1:-1]


def client(port, *steps, host='localhost', arguments=('--ca', pem('ca'))):
    """rill's client, running."""
    return Child([os.path.join(options.programs, 'interop_client'), *arguments, host, port, *steps])


class InteropCase(unittest.TestCase):
    maxDiff = None

    def assert_clean_end(self, child, wanted=None):
        """The peer, an OpenSSL program, saw close_notify and no error."""
        self.assertNotRegex(child.text, UNCLEAN)
        if wanted is not None:
            self.assertRegex(child.text, wanted)

    def assert_client(self, child, lines, status=0):
        """What rill's client printed, and its exit status."""
        self.assertEqual((child.finish(), child.text.decode().splitlines()), (status, lines))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--programs', required=True, help='folder of interop_server and interop_client')
    parser.add_argument('tests', nargs='*', help='tests to run; none: all')
    parser.parse_args(namespace=options)
    loader = unittest.defaultTestLoader
    module = sys.modules['__main__']
    suite = loader.loadTestsFromNames(options.tests, module) if options.tests else loader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    if not result.wasSuccessful() or result.testsRun == 0:
        sys.exit(1)
    for _, reason in result.skipped:
        print('SKIPPED:', reason)
    sys.exit(SKIPPED if result.skipped else 0)
