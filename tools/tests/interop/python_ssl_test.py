# SPDX-License-Identifier: MIT
#
# rill with Python's ssl module, blocking and in asyncio, as client and as server: what both sides know of each other,
# much data both ways at once, sessions, and endings as SSLSocket.unwrap() judges them.
import asyncio
import contextlib
import socket
import ssl
import threading

import peers


def client_context(version=None, certificate=None):
    context = ssl.create_default_context(cafile=peers.pem('ca'))
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if certificate is not None:
        context.load_cert_chain(peers.pem(certificate))
    return context


def server_context(version=None, certificate='server', **settings):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(peers.pem(certificate))
    if version is not None:
        context.minimum_version = context.maximum_version = version
    for name, value in settings.items():
        setattr(context, name, value)
    return context


def connect(server):
    return socket.create_connection(('127.0.0.1', server.port), timeout=peers.DEADLINE_S)


def dial(server, context, hostname='localhost', **more):
    """A client's connection; an end without close_notify raises."""
    return context.wrap_socket(connect(server), server_hostname=hostname, suppress_ragged_eofs=False, **more)


def read_line(connection):
    line = b''
    while not line.endswith(b'\n'):
        data = connection.recv(1)
        if not data:
            break
        line += data
    return line


def read_to_end(connection):
    received = bytearray()
    while True:
        data = connection.recv(65536)
        if not data:
            return bytes(received)
        received += data


class Clients(peers.InteropCase):
    """rill serves."""
    def test_both_know_the_same(self):
        for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
            with peers.RillServer('--ca', peers.pem('ca'), '--client', 'optional', '--alpn', 'b', '--alpn', 'a') as server:
                context = client_context(version, 'client')
                context.set_alpn_protocols(['a', 'b'])
                with dial(server, context) as connection:
                    connection.sendall(b'about\n')
                    cipher, protocol, _ = connection.cipher()
                    self.assertEqual(connection.selected_alpn_protocol(), 'b')
                    self.assertEqual(read_line(connection).decode(), '%s cipher=%s alpn=b reused=0 peer=a client\n' % (
                        connection.version(), cipher))
                    self.assertIn((('commonName', 'localhost'),), connection.getpeercert()['subject'])
                    connection.unwrap().close()

    def test_unwrap(self):
        """Who ends first gets the other's close_notify, either way."""
        for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
            with peers.RillServer() as server:
                with dial(server, client_context(version)) as first:
                    first.sendall(b'echo hello\n')
                    self.assertEqual(read_line(first), b'hello\n')
                    with contextlib.closing(first.unwrap()) as plain:
                        self.assertEqual(plain.recv(1), b'')
                server.wait_for(rb'end clean\n')
                with dial(server, client_context(version)) as second:
                    second.sendall(b'bye\n')
                    self.assertEqual(second.recv(1), b'')
                    with contextlib.closing(second.unwrap()) as plain:
                        self.assertEqual(plain.recv(1), b'')
                server.wait_for(rb'end clean\n')

    def test_cut(self):
        with peers.RillServer() as server:
            with dial(server, client_context()) as connection:
                connection.sendall(b'echo hello\n')
                self.assertEqual(read_line(connection), b'hello\n')
            server.wait_for(rb'end truncated\n')

    def test_sessions(self):
        for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
            with peers.RillServer() as server:
                context = client_context(version)
                session = None
                for reused in False, True, True:
                    with dial(server, context, session=session) as connection:
                        self.assertEqual(connection.session_reused, reused)
                        connection.sendall(b'about\n')
                        self.assertIn(b' reused=%d ' % reused, read_line(connection))
                        session = connection.session
                        connection.unwrap().close()

    def test_hello_byte_by_byte(self):
        with peers.RillServer() as server, contextlib.closing(connect(server)) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = client_context().wrap_bio(arriving, leaving, server_hostname='localhost')

            def do(step, *arguments):
                while True:
                    try:
                        return step(*arguments)
                    except ssl.SSLWantReadError:
                        for byte in leaving.read():
                            plain.sendall(bytes([byte]))
                        arriving.write(plain.recv(65536))
            do(tls.do_handshake)
            tls.write(b'echo hello\n')
            self.assertEqual(do(tls.read, 6), b'hello\n')

    def test_what_is_no_tls_ends_there(self):
        """With an alert where the other side looks like TLS. Nobody else is disturbed by it, nor by a client that never
        says anything."""
        alert = b'\x15\x03\x03\0\2\2\x0a'    # fatal: unexpected message
        with peers.RillServer() as server, contextlib.closing(connect(server)):
            for words, answer in ((b'GET / HTTP/1.0\r\n\r\n', b''), (bytes(100), b''),
                                  (b'\x16\x03\x01\0\5hello', alert)):
                with contextlib.closing(connect(server)) as plain:
                    plain.sendall(words)
                    self.assertEqual(read_to_end(plain), answer, words)
            with dial(server, client_context()) as connection:
                connection.sendall(b'echo hello\n')
                self.assertEqual(read_line(connection), b'hello\n')
                connection.unwrap().close()

    def test_much_data_both_ways(self):
        half = peers.BULK // 2

        async def exchange(server):
            reader, writer = await asyncio.open_connection('localhost', server.port, ssl=client_context())
            for _ in range(2):
                writer.write(b'take %d\n' % half + peers.pattern(half) + b'send %d\n' % half)
                await writer.drain()
                if await reader.readline() != b'ok\n' or await reader.readexactly(half) != peers.pattern(half):
                    return False
            writer.close()
            await writer.wait_closed()
            return True
        with peers.RillServer() as server:
            self.assertTrue(asyncio.run(asyncio.wait_for(exchange(server), peers.DEADLINE_S)))

    def test_fifty_at_once(self):
        async def one(server, number):
            reader, writer = await asyncio.open_connection('localhost', server.port, ssl=client_context())
            writer.write(b'echo %d\nbye\n' % number)
            said = await reader.read()
            writer.close()
            await writer.wait_closed()
            return said

        async def all_of_them(server):
            return await asyncio.gather(*[one(server, number) for number in range(50)])
        with peers.RillServer() as server:
            said = asyncio.run(asyncio.wait_for(all_of_them(server), peers.DEADLINE_S))
            self.assertEqual(said, [b'%d\n' % number for number in range(50)])


def until_unwrapped(connection):
    read_to_end(connection)
    connection.unwrap().close()


class Server:
    """One connection of Python's ssl in a thread; script(connection) runs on it."""

    def __init__(self, script, context):
        self._script = script
        self._context = context
        self._listener = socket.create_server(('127.0.0.1', 0))
        self._listener.settimeout(peers.DEADLINE_S)
        self.port = self._listener.getsockname()[1]
        self._failure = None
        self._thread = threading.Thread(target=self._serve)

    def _serve(self):
        try:
            plain, _ = self._listener.accept()
            plain.settimeout(peers.DEADLINE_S)
            with self._context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=False) as connection:
                self._script(connection)
        except Exception as failure:
            self._failure = failure

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._thread.join()
        self._listener.close()
        if self._failure is not None:
            raise self._failure


class Servers(peers.InteropCase):
    """rill is the client."""
    def test_both_know_the_same(self):
        for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
            def script(connection):
                said.append((connection.version(), connection.cipher()[0], connection.selected_alpn_protocol(),
                             connection.getpeercert()['subject']))
                until_unwrapped(connection)
            said = []
            context = server_context(version, verify_mode=ssl.CERT_REQUIRED)
            context.load_verify_locations(peers.pem('ca'))
            context.set_alpn_protocols(['b', 'a'])
            arguments = ['--ca', peers.pem('ca'), '--chain', peers.pem('client'), '--alpn', 'a', '--alpn', 'b']
            with Server(script, context) as server:
                with peers.client(server.port, 'say', 'x', 'close', arguments=arguments) as client:
                    self.assertEqual(client.finish(), 0)
                    line = client.text.decode().splitlines()[0]
            name, cipher, alpn, subject = said[0]
            self.assertEqual(line, 'made %s cipher=%s alpn=%s reused=0 peer=localhost' % (name, cipher, alpn))
            self.assertEqual((alpn, subject), ('b', ((('commonName', 'a client'),),)))

    def test_names(self):
        """A name is sent and checked, an address checked only; server_hostname stands for either."""
        for host, hostname, certificate, sent in (
                ('localhost', None, 'server', 'localhost'), ('127.0.0.1', None, 'server', None),
                ('localhost', 'other.test', 'other-name', 'other.test'),
                ('localhost', '127.0.0.99', 'other-name', None), ('localhost', '::1', 'server', None)):
            with self.subTest(host=host, hostname=hostname):
                names = []
                context = server_context(certificate=certificate,
                                         sni_callback=lambda connection, name, _: names.append(name))
                arguments = ['--ca', peers.pem('ca')] + (['--hostname', hostname] if hostname else [])
                with Server(until_unwrapped, context) as server:
                    with peers.client(server.port, 'say', 'x', 'close', host=host, arguments=arguments) as client:
                        self.assertEqual(client.finish(), 0, client.text)
                self.assertEqual(names, [sent])

    def test_unwrap(self):
        for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
            def server_first(connection):
                connection.sendall(b'all of it')
                with contextlib.closing(connection.unwrap()) as plain:
                    ends.append(plain.recv(1))
            ends = []
            with Server(server_first, server_context(version)) as server:
                with peers.client(server.port, 'rest', 'close') as client:
                    self.assertEqual(client.finish(), 0)
                    self.assertTrue(client.text.endswith(b'\nrest 9 end clean\nclosed end clean\n'))

            def client_first(connection):
                ends.append(read_to_end(connection))
                with contextlib.closing(connection.unwrap()) as plain:
                    ends.append(plain.recv(1))
            with Server(client_first, server_context(version)) as server:
                with peers.client(server.port, 'say', 'all of it', 'close') as client:
                    self.assertEqual(client.finish(), 0)
                    self.assertTrue(client.text.endswith(b'\nclosed end clean\n'))
            self.assertEqual(ends, [b'', b'all of it', b''])

    def test_cut(self):
        def script(connection):
            connection.sendall(b'half of')
            connection.recv(1)    # so that nothing is unread, which would be a reset
        for strict, status, said in (
                ([], 0, b'\nrest 7 end truncated\n'),
                (['--strict'], 1, b'\nssl.SSLEOFError: EOF occurred in violation of protocol\n')):
            with Server(script, server_context()) as server:
                with peers.client(server.port, 'say', 'x', 'rest', arguments=['--ca', peers.pem('ca'), *strict]) as client:
                    self.assertEqual((client.finish(), client.text[-len(said):]), (status, said))

    def test_much_data_both_ways(self):
        size = peers.BULK

        def script(connection):
            received = bytearray()
            while len(received) < size:
                received += connection.recv(65536)
            connection.sendall(received)
            connection.unwrap().close()
        for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
            with Server(script, server_context(version)) as server:
                with peers.client(server.port, 'give', str(size), 'pattern', str(size), 'rest', 'close') as client:
                    self.assertEqual(client.finish(), 0)
                    self.assertTrue(client.text.endswith(
                        b'\npattern %d ok\nrest 0 end clean\nclosed end clean\n' % size))


if __name__ == '__main__':
    peers.main()
