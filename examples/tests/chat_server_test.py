# SPDX-License-Identifier: MIT
#
# chat_server with clients that are Python's sockets and socat. The slow client is one that does not read at all.
import re
import socket
import threading

import harness

GREETING = b'* your name?\n'


def serving():
    return harness.Serving(harness.ours('chat_server') + ['127.0.0.1', '0'])


class Client:
    """A line at a time; joined when it has a name."""

    def __init__(self, server, name=None, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(harness.PATIENCE_S)
        self.socket.connect(('127.0.0.1', server.port))
        self.lines = self.socket.makefile('rb')
        assert self.lines.readline() == GREETING
        if name is not None:
            self.say(name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.socket.close()

    def say(self, *lines):
        self.socket.sendall(b''.join(line + b'\n' for line in lines))

    def hear(self):
        return self.lines.readline()

    def rest(self):
        self.socket.shutdown(socket.SHUT_WR)
        return self.lines.read()


class ChatCase(harness.TwinCase):
    def assert_ended(self, outcome):
        self.assertEqual((outcome.error, outcome.status), (b'KeyboardInterrupt', 130))
        self.assertEqual(harness.without_ports(outcome.stdout), b"Serving on ('127.0.0.1', PORT)\n")


class Talk(ChatCase):
    def test_everybody_hears_the_others_in_order(self):
        with serving() as server:
            with Client(server, b'ada') as ada, Client(server, b'bob') as bob:
                self.assertEqual(ada.hear(), b'* bob joined\n')
                with Client(server, b'cyd') as cyd:
                    for client in ada, bob:
                        self.assertEqual(client.hear(), b'* cyd joined\n')
                    ada.say(b'one', b'two\r')
                    for client in bob, cyd:
                        self.assertEqual([client.hear(), client.hear()], [b'ada: one\n', b'ada: two\n'])
                    bob.say(b'')
                    self.assertEqual([ada.hear(), cyd.hear()], [b'bob: \n', b'bob: \n'])
                for client in ada, bob:
                    self.assertEqual(client.hear(), b'* cyd left\n')
                self.assertEqual(ada.rest(), b'')
                self.assertEqual(bob.hear(), b'* ada left\n')
        self.assert_ended(server.outcome)

    def test_last_line_without_end(self):
        with serving() as server:
            with Client(server, b'ada') as ada, Client(server, b'bob') as bob:
                self.assertEqual(ada.hear(), b'* bob joined\n')
                bob.socket.sendall(b'bye')
                self.assertEqual(bob.rest(), b'')
                self.assertEqual([ada.hear(), ada.hear()], [b'bob: bye\n', b'* bob left\n'])
        self.assert_ended(server.outcome)

    def test_socat(self):
        socat = harness.tool('socat')
        with serving() as server:
            with Client(server, b'ada') as ada:
                outcome = harness.run([socat, '-t', str(harness.PATIENCE_S), '-', 'TCP4:127.0.0.1:%d' % server.port],
                                      b'bob\nhello\n')
                self.assertEqual(outcome, harness.Outcome(GREETING, b'', 0))
                self.assertEqual([ada.hear(), ada.hear(), ada.hear()],
                                 [b'* bob joined\n', b'bob: hello\n', b'* bob left\n'])
        self.assert_ended(server.outcome)


class Failures(ChatCase):
    def test_names_and_lines_too_long(self):
        with serving() as server:
            with Client(server, b'ada') as ada:
                for name in b'', b'n' * 33:
                    with Client(server, name) as client:
                        self.assertEqual(client.rest(), b'* a name has 1 to 32 bytes\n')
                with Client(server, b'n' * 32) as client:
                    self.assertEqual(ada.hear(), b'* ' + b'n' * 32 + b' joined\n')
                    client.say(b'x' * 4096)
                    self.assertEqual(ada.hear(), b'n' * 32 + b': ' + b'x' * 4096 + b'\n')
                    client.say(b'x' * 4097)
                    self.assertIn(b'limit', client.rest())
                    self.assertEqual(ada.hear(), b'* ' + b'n' * 32 + b' left\n')
        self.assert_ended(server.outcome)

    def test_clients_that_leave_without_a_name_or_by_a_reset(self):
        with serving() as server:
            with Client(server, b'ada') as ada:
                with Client(server) as nobody:
                    self.assertEqual(nobody.rest(), b'')
                with Client(server, b'bob') as bob:
                    self.assertEqual(ada.hear(), b'* bob joined\n')
                    bob.lines.close()
                    harness.reset(bob.socket)
                    self.assertEqual(ada.hear(), b'* bob left\n')
        self.assert_ended(server.outcome)

    def test_interrupt_while_clients_are_connected(self):
        with serving() as server:
            with Client(server, b'ada') as ada, Client(server, b'bob') as bob:
                self.assertEqual(ada.hear(), b'* bob joined\n')
                server.interrupt()
                server.wait()
                self.assertEqual((ada.lines.read(), bob.lines.read()), (b'', b''))
        self.assert_ended(server.outcome)

    def test_wrong_arguments(self):
        for arguments in ['127.0.0.1'], ['--help']:
            self.assertEqual(harness.run(harness.ours('chat_server') + arguments),
                             harness.Outcome(b'', b'usage: chat_server [HOST PORT]', 2))


class BackPressure(ChatCase):
    BATCH = 16
    BATCHES = 1024  # 16 MB: with a small window the kernel keeps at most 4 MB for a connection

    def talk(self, ada, bob, first, count):
        """ada says numbered lines of 1 KB, bob hears each: nobody waits for anybody else."""
        lines = [b'%d %s' % (number, b'x' * 1000) for number in range(first, first + count)]
        ada.say(*lines)
        for line in lines:
            self.assertEqual(bob.hear(), b'ada: ' + line + b'\n')

    def test_client_that_does_not_read(self):
        flood = self.BATCH * self.BATCHES
        with serving() as server:
            with Client(server, b'slow', receive_buffer=4096) as slow, Client(server, b'ada') as ada:
                self.assertEqual(slow.hear(), b'* ada joined\n')
                with Client(server, b'bob') as bob:
                    self.assertEqual((slow.hear(), ada.hear()), (b'* bob joined\n', b'* bob joined\n'))
                    for batch in range(self.BATCHES):
                        self.talk(ada, bob, self.BATCH * batch, self.BATCH)
                    self.assert_is_not_read_from(slow, ada, bob)
                    reading = CatchingUp(slow)
                    self.assertEqual(bob.hear(), b'slow: second\n')
                    said = flood
                    while reading.is_alive():
                        self.talk(ada, bob, said, 1)
                        said += 1
                    reading.join()
                    # It heard the first lines, was told how many were lost (bob's among them), and heard the next one.
                    self.assertEqual(reading.heard, list(range(len(reading.heard))))
                    self.assertEqual(reading.next, len(reading.heard) + reading.missed - 1)
                    # What it heard was in the kernel's buffers and its queue; most of the flood was kept nowhere.
                    self.assertGreater(reading.missed, flood // 2)
        self.assert_ended(server.outcome)

    def test_interrupt(self):
        """A client that does not take what waits for it is aborted after the time of grace."""
        with serving() as server:
            with Client(server, b'slow', receive_buffer=4096) as slow, Client(server, b'ada') as ada, \
                    Client(server, b'bob') as bob:
                self.assertEqual(ada.hear(), b'* bob joined\n')
                for batch in range(self.BATCHES):
                    self.talk(ada, bob, self.BATCH * batch, self.BATCH)
                server.interrupt()
                server.wait()
                self.assertEqual((ada.lines.read(), bob.lines.read()), (b'', b''))
                self.assertEqual(slow.hear(), b'* ada joined\n')
        self.assert_ended(server.outcome)

    def assert_is_not_read_from(self, slow, ada, bob):
        """The line after which its task waits is heard; the next one would stand before the answer."""
        slow.say(b'first', b'second')
        self.assertEqual((ada.hear(), bob.hear()), (b'slow: first\n', b'slow: first\n'))
        bob.say(b'y' * 2000)
        self.assertEqual(ada.hear(), b'bob: ' + b'y' * 2000 + b'\n')


class CatchingUp(threading.Thread):
    """Reads what waits for the slow client, in a thread, up to the line after the notice."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.heard = []
        self.missed = self.next = None
        self._client = client
        self.start()

    def number(self):
        line = self._client.hear()
        said = re.match(rb'ada: (\d+) ', line)
        return line, int(said.group(1)) if said else None

    def run(self):
        line, number = self.number()
        while number is not None:
            self.heard.append(number)
            line, number = self.number()
        self.missed = int(re.fullmatch(rb'\* you missed (\d+) lines\n', line).group(1))
        self.next = self.number()[1]


if __name__ == '__main__':
    harness.main()
