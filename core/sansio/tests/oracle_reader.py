# SPDX-License-Identifier: MIT
"""Compares rill's reader with CPython's own StreamReader over seeded random programs.

    oracle_reader.py DRIVER [--programs N] [--seed S] [--show]

Each program is played on asyncio.StreamReader, here, with a loop that is a list of ready tasks; what it prints must be
what DRIVER (reader_driver.c, which describes the format) prints for the same program. Re-runs itself under the newest
CPython that it finds, because tuples of separators came with 3.13; without one they are left out, and it says so.

Where rill departs from CPython on purpose the reference is told so, in one of two ways. Q-17 (collected bytes go back)
is applied to the reference's buffer in both. Every second program runs on the plain StreamReader and ends before the
first operation in which Q-18 or Q-59 would show; the others run on Fixed, a subclass with just these two changed.
"""
import argparse
import asyncio
import glob
import os
import random
import shutil
import subprocess
import sys

TUPLES = sys.version_info >= (3, 13)
CALLS = 4


class Cut(Exception):
    """The program reaches a departure: it ends before this operation."""


class Future:
    """What a reader needs of a future, and whose task waits for it."""

    def __init__(self):
        self.state = 'pending'
        self.exception = None
        self.task = None

    def _complete(self, state):
        self.state = state
        self.task.player.ready.append(self.task)

    def done(self):
        return self.state != 'pending'

    def cancelled(self):
        return self.state == 'cancelled'

    def set_result(self, result):
        self._complete('result')

    def set_exception(self, exception):
        self.exception = exception
        self._complete('exception')

    def cancel(self):
        self._complete('cancelled')

    def __await__(self):
        yield self
        if self.state == 'cancelled':
            raise asyncio.CancelledError
        if self.exception is not None:
            raise self.exception


class Transport:
    def __init__(self, player, can_pause):
        self.player = player
        self.can_pause = can_pause

    def pause_reading(self):
        self.player.log += 'p'
        if not self.can_pause:
            raise NotImplementedError

    def resume_reading(self):
        self.player.log += 'r'


class Fixed(asyncio.StreamReader):
    """Q-59: the slot stays taken until the call ends. Q-18: read(n) waits again."""

    def _wakeup_waiter(self):
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def set_exception(self, exc):
        self._exception = exc
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(exc)

    async def read(self, n=-1):
        while True:
            data = await super().read(n)
            if data or n <= 0 or self._eof:
                return data


class Task:
    def __init__(self, player, number, kind, coroutine):
        self.player = player
        self.number = number
        self.kind = kind
        self.coroutine = coroutine
        self.future = None
        self.must_cancel = False

    def cancel(self):
        if self.future.done():
            self.must_cancel = True
        else:
            self.future.cancel()

    def put_back(self, exception):
        """Q-17, from the frame of the read(-1) that failed."""
        trace = exception.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code is asyncio.StreamReader.read.__code__:
                self.player.reader._buffer[:0] = b''.join(trace.tb_frame.f_locals.get('blocks', ()))
            trace = trace.tb_next
        exception.__traceback__ = None  # set_exception's object is raised again, and would show these frames again

    def run(self):
        """Runs until the call waits or ends; answers what is to be printed."""
        self.player.current = self
        try:
            if self.must_cancel:
                self.future = self.coroutine.throw(asyncio.CancelledError())
            else:
                self.future = self.coroutine.send(None)
            self.future.task = self
            return '%d=waits ' % self.number
        except StopIteration as stop:
            outcome = hexed(stop.value)
        except Cut:
            raise
        except BaseException as exception:
            self.put_back(exception)
            outcome = described(exception)
        del self.player.tasks[self.number]
        return '%d=%s ' % (self.number, outcome)


def hexed(data):
    return 'h' + bytes(data).hex()


def described(exception):
    text = '%s(%s)' % (type(exception).__name__, exception)
    if isinstance(exception, asyncio.IncompleteReadError):
        text += hexed(exception.partial)
        text += ',%d' % (-1 if exception.expected is None else exception.expected)
    if isinstance(exception, asyncio.LimitOverrunError):
        text += '%d' % exception.consumed
    if isinstance(exception.__context__, asyncio.LimitOverrunError):
        text += '<-' + described(exception.__context__)
    return text


class Player:
    """The loop and the reader of one program."""

    def __init__(self, limit, transport, fixed):
        self.ready = []
        self.tasks = {}
        self.log = ''
        self.fixed = fixed
        self.current = None
        self.exceptions = [None] + [ConnectionResetError('exception %d' % i) for i in (1, 2, 3)]
        self.reader = (Fixed if fixed else asyncio.StreamReader)(limit=limit, loop=self)
        if transport:
            self.reader.set_transport(Transport(self, transport == 1))

    # what the reader asks of its loop
    def get_debug(self):
        return False

    def create_future(self):
        woken = [t for t in self.tasks.values()
                 if t is not self.current and t.future is not None and t.future.done()]
        if woken and not self.fixed:
            raise Cut('Q-59')
        return Future()

    def begin(self, number, kind, argument):
        reader = self.reader
        coroutine = {
            'r': lambda: reader.read(argument),
            'x': lambda: reader.readexactly(argument),
            'a': lambda: reader.read(),
            'l': lambda: reader.readline(),
            'u': lambda: reader.readuntil(argument),
        }[kind]()
        task = self.tasks[number] = Task(self, number, kind, coroutine)
        return task.run()

    def turn(self):
        ready, self.ready = self.ready, []
        out = ''
        for task in ready:
            stolen = not self.reader._buffer and not self.reader._eof
            if (stolen and task.kind in 'ra' and task.future.state == 'result'
                    and not task.must_cancel and not self.fixed):
                raise Cut('Q-18')
            out += task.run()
        return out

    def feed(self, data):
        try:
            self.reader.feed_data(data)
        except AssertionError as exception:
            return described(exception) + ' '
        return ''

    def state(self):
        reader = self.reader
        text = '| %s eof=%d paused=%d log=%s' % (hexed(reader._buffer), reader._eof, reader._paused,
                                                 self.log)
        self.log = ''
        return text

    def close(self):
        for task in self.tasks.values():
            task.coroutine.close()


class Program:
    """Random operations that make sense in the state the reference is in."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        choose = self.random.choice
        self.alphabet = choose([b'a\n', b'ab\n', b'\r\n', b'a\r\n', b'ab'])
        self.limit = self.random.randint(1, 8)
        self.transport = choose([0, 1, 1, 1, 1, 1, 2])
        self.length = self.random.randint(3, 40)
        self.longest = choose([1, 2, 4, 12])
        self.crowd = choose([1, 1, 2, CALLS])
        self.player = Player(self.limit, self.transport, seed % 2 == 1)

    def data(self, least, most):
        return bytes(self.random.choice(self.alphabet)
                     for _ in range(self.random.randint(least, most)))

    def separators(self):
        """The argument of readuntil, and how it is written."""
        least = 0 if self.random.random() < .03 else 1
        if not TUPLES or self.random.random() < .5:
            separator = self.data(least, 3)
            return separator, hexed(separator)
        several = tuple(self.data(least, self.random.choice([2, 4]))
                        for _ in range(self.random.choice([0, 1, 2, 2, 3, 3, 4, 4])))
        return several, ','.join(hexed(one) for one in several)

    def begin(self):
        free = [i for i in range(CALLS) if i not in self.player.tasks]
        number = self.random.choice(free)
        kind = self.random.choice('rrxxllluuuuuaa')
        argument, text = None, ''
        if kind in 'rx':
            argument = self.random.choice([-1, 0, 1, 2, 3, 4, 5, 7, 11, 20, 1 << 40])
            text = ' %d' % argument
        if kind == 'u':
            argument, text = self.separators()
            text = ' ' + text if text else ''
        return 'B %d %s%s' % (number, kind, text), lambda: self.player.begin(number, kind, argument)

    def operation(self):
        """The next line and the function that plays it."""
        player, choice = self.player, self.random.random()
        if choice < .30 and len(player.tasks) < self.crowd:
            return self.begin()
        if choice < .60:
            data = self.data(0 if self.random.random() < .05 else 1, self.longest)
            return 'F ' + hexed(data), lambda: player.feed(data)
        if choice < .90 or not player.tasks:
            return 'T', player.turn
        if choice < .93:
            return 'E', lambda: player.reader.feed_eof() or ''
        if choice < .96:
            number = self.random.randint(0, 3)
            if number == 0 and player.reader._waiter is not None:
                number = 1  # CPython cannot complete a wait with no exception
            exception = player.exceptions[number]
            return 'X %d' % number, lambda: player.reader.set_exception(exception) or ''
        number = self.random.choice(list(player.tasks))
        return 'C %d' % number, lambda: player.tasks[number].cancel() or ''

    def play(self):
        """Pairs of an operation and what the reference answered."""
        pairs = [('P %d %d' % (self.limit, self.transport), self.player.state())]
        try:
            for _ in range(self.length):
                line, function = self.operation()
                pairs.append((line, function() + self.player.state()))
        except Cut:
            pass
        self.player.close()
        return pairs


def has_tuples(python):
    """Asked, not guessed: a version manager leaves commands on the PATH that do nothing."""
    question = 'import sys; sys.exit(sys.version_info < (3, 13))'
    return subprocess.run([python, '-c', question], stderr=subprocess.DEVNULL).returncode == 0


def newest_python():
    """A CPython with tuple separators: on the PATH or among pyenv's; else this one."""
    if TUPLES:
        return sys.executable
    names = ['python3.%d' % minor for minor in range(20, 12, -1)]
    found = [path for path in map(shutil.which, names) if path]
    root = os.environ.get('PYENV_ROOT', os.path.expanduser('~/.pyenv'))
    for name in names:
        found += sorted(glob.glob(os.path.join(root, 'versions', name[6:] + '.*', 'bin', 'python3')))
    return next(filter(has_tuples, found), sys.executable)


def mismatch(seed, pairs, got):
    """The first difference as a program that can be played again, or None."""
    for i, ((_, want), answer) in enumerate(zip(pairs, got)):
        if want != answer:
            lines = ['seed %d differs at operation %d' % (seed, i)]
            lines += ['    %-24s %s' % (line, answer) for line, answer in pairs[:i]]
            lines += ['    %s' % pairs[i][0], '        rill    %s' % answer, '        CPython %s' % want]
            return '\n'.join(lines)
    return None


def compare(driver, seeds):
    programs = [(seed, Program(seed).play()) for seed in seeds]
    text = ''.join(line + '\n' for _, pairs in programs for line, _ in pairs)
    run = subprocess.run([driver], input=text, stdout=subprocess.PIPE, universal_newlines=True)
    got = run.stdout.split('\n')
    failures, at = [], 0
    for seed, pairs in programs:
        failures.append(mismatch(seed, pairs, got[at:at + len(pairs)]))
        at += len(pairs)
    failures = [failure for failure in failures if failure]
    if not failures and (run.returncode != 0 or len(got) != at + 1):
        failures = ['the driver ended with %d after %d of %d lines' % (run.returncode, len(got), at)]
    return at, failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('driver')
    parser.add_argument('--programs', type=int, default=20000)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--show', action='store_true', help='print the program of --seed')
    options = parser.parse_args()
    python = newest_python()
    if python != sys.executable:
        os.execv(python, [python] + sys.argv)
    if options.show:
        print('\n'.join('%-24s %s' % pair for pair in Program(options.seed).play()))
        return 0
    operations, failures = 0, []
    for first in range(options.seed, options.seed + options.programs, 1000):
        last = min(first + 1000, options.seed + options.programs)
        played, failed = compare(options.driver, range(first, last))
        operations += played
        failures += failed
    print('\n'.join(failures[:5]))
    print('reader_equals_cpython: CPython %d.%d.%d tuples=%s programs=%d operations=%d differences=%d'
          % (*sys.version_info[:3], 'yes' if TUPLES else 'no', options.programs, operations,
             len(failures)))
    return 1 if failures or operations <= options.programs else 0


if __name__ == '__main__':
    sys.exit(main())
