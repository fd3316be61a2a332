# SPDX-License-Identifier: MIT
#
# starttls_server and starttls_client beside their twins (from Python 3.11 on), with peers of smtplib, Python's ssl, the
# openssl command and curl, and with peers that try to smuggle something past the upgrade.
import smtplib
import ssl

import harness

SERVER = 'starttls_server'
CLIENT = 'starttls_client'
SINCE = (3, 11)    # asyncio's writer.start_tls
VERIFY_FAILED = b'ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: '
GREETING = b'220 localhost ESMTP\r\n'
READY = b'220 Ready to start TLS\r\n'
OFFER = b'250-localhost\r\n250 STARTTLS\r\n'


def client_context():
    return ssl.create_default_context(cafile=harness.pem('ca'))


class ServerCase(harness.TwinCase):
    def serve(self, turn):
        """What the client saw and what the server printed between its first line and Ctrl-C."""
        def situation(command):
            arguments = [harness.pem('server'), harness.pem('server'), '127.0.0.1', '0']
            with harness.Serving(command + arguments) as server:
                seen = turn(server)
            return server.outcome, seen
        outcome, seen = self.assert_twins(situation, SERVER, SINCE)
        self.assertEqual((outcome.error, outcome.status), (b'KeyboardInterrupt', 130))
        first, _, rest = outcome.stdout.decode().partition('\n')
        self.assertEqual(first, "Serving on ('127.0.0.1', PORT)")
        return rest.splitlines(), seen


class Clear:
    """A client by hand, still in clear."""
    def __init__(self, server):
        self.socket = harness.connect(server.port)
        self.hear(GREETING)

    def hear(self, wanted):
        received = b''
        while len(received) < len(wanted):
            data = self.socket.recv(len(wanted) - len(received))
            if not data:
                break
            received += data
        assert received == wanted, (received, wanted)

    def say(self, line, *answers):
        self.socket.sendall(line)
        self.hear(b''.join(answers))

    def rest(self):
        return harness.read_to_end(self.socket)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


class Server(ServerCase):
    def test_names_only_over_tls(self):
        def turn(server):
            with Clear(server) as clear:
                clear.say(b'vrfy ann\r\n', b'530 Must issue a STARTTLS command first\r\n')
                clear.say(b'Noop\r\nEHLO\r\n', b'250 OK\r\n', OFFER)    # pipelining is fine elsewhere
                clear.say(b'STARTTLS\r\n', READY)
                with client_context().wrap_socket(clear.socket, server_hostname='localhost') as over_tls:
                    over_tls.sendall(b'EHLO x\r\nVRFY ann\r\nVRFY a b\r\nSTARTTLS\r\nHELP\r\nQUIT\r\n')
                    return over_tls.version(), harness.read_to_end(over_tls)
        printed, seen = self.serve(turn)
        self.assertEqual(seen, ('TLSv1.3', b'250 localhost\r\n250 <ann@localhost>\r\n501 That is no name\r\n'
                                           b'503 TLS is on already\r\n500 Command not recognized\r\n221 Bye\r\n'))
        self.assertEqual(printed[:3], ['S: 220 localhost ESMTP', "C: b'vrfy ann'",
                                       'S: 530 Must issue a STARTTLS command first'])
        self.assertIn('Over TLSv1.3', printed)
        self.assertEqual(printed[-2:], ["C: b'QUIT'", 'S: 221 Bye'])

    def test_bytes_in_clear_behind_starttls_are_refused(self):
        """In one segment with STARTTLS: nobody over TLS ever gets to know them."""
        injected = b'VRFY mallory\r\n'

        def turn(server):
            with Clear(server) as clear:
                clear.socket.sendall(b'STARTTLS\r\n' + injected)
                return clear.rest()
        printed, seen = self.serve(turn)
        self.assertEqual(seen, b'554 Refused: 14 bytes in clear behind STARTTLS\r\n')
        self.assertEqual(printed, ['S: 220 localhost ESMTP', "C: b'STARTTLS'",
                                   'S: 554 Refused: 14 bytes in clear behind STARTTLS'])

    def test_bytes_in_clear_instead_of_the_handshake(self):
        def turn(server):
            with Clear(server) as clear:
                clear.say(b'STARTTLS\r\n', READY)
                clear.socket.sendall(b'VRFY mallory\r\n')
                return clear.rest()[:0]    # an alert of rill's, nothing of asyncio's
        printed, _ = self.serve(turn)
        self.assertEqual(printed[-1], 'No TLS: SSLError')
        self.assertNotIn('mallory', ''.join(printed))

    def test_client_leaves_instead_of_the_handshake(self):
        def turn(server):
            with Clear(server) as clear:
                clear.say(b'STARTTLS\r\n', READY)
        printed, _ = self.serve(lambda server: (turn(server), self.next_client(server))[1])
        self.assertIn('No TLS: ConnectionResetError', printed)

    def next_client(self, server):
        with Clear(server) as clear:
            clear.say(b'NOOP\r\n', b'250 OK\r\n')

    def test_client_distrusts_and_the_next_is_served(self):
        def turn(server):
            with Clear(server) as clear:
                clear.say(b'STARTTLS\r\n', READY)
                context = ssl.create_default_context(cafile=harness.pem('client'))
                try:
                    context.wrap_socket(clear.socket, server_hostname='localhost')
                except ssl.SSLCertVerificationError as refused:
                    message = refused.verify_message
            self.next_client(server)
            return message
        printed, seen = self.serve(turn)
        self.assertEqual(seen, 'unable to get local issuer certificate')
        self.assertIn('No TLS: SSLError', printed)

    def test_line_too_long(self):
        def turn(server):
            with Clear(server) as clear:
                clear.socket.sendall(b'NOOP ' + b'x' * 600)
                return clear.rest()
        printed, seen = self.serve(turn)
        self.assertEqual((printed[-1], seen), ('Lost a client: LimitOverrunError', b''))


class ServerPeers(ServerCase):
    def test_smtplib(self):
        def turn(server):
            with smtplib.SMTP('localhost', server.port, 'x', timeout=harness.PATIENCE_S) as client:
                answers = [client.starttls(context=client_context()), client.ehlo('x'), client.verify('ann')]
                peer = client.sock.getpeercert()['subject'], client.sock.version()
                return answers + [peer, client.quit()]
        printed, seen = self.serve(turn)
        self.assertEqual(seen, [(220, b'Ready to start TLS'), (250, b'localhost'), (250, b'<ann@localhost>'),
                                (((('commonName', 'localhost'),),), 'TLSv1.3'), (221, b'Bye')])
        self.assertIn('Over TLSv1.3', printed)

    def test_s_client(self):
        openssl = harness.tool('openssl')
        for version in 'tls1_2', 'tls1_3':
            printed, seen = self.serve(lambda server: harness.converse(
                [openssl, 's_client', '-quiet', '-crlf', '-' + version, '-verify_return_error', '-CAfile',
                 harness.pem('ca'), '-verify_hostname', 'localhost', '-starttls', 'smtp', '-name', 'x', '-connect',
                 '127.0.0.1:%d' % server.port], b'VRFY ann\nQUIT\n'))
            self.assertEqual((seen.stdout, seen.status), (b'250 <ann@localhost>\r\n221 Bye\r\n', 0))
            self.assertIn('Over TLSv1.' + version[-1], printed)

    def test_curl(self):
        curl = harness.tool('curl')
        printed, seen = self.serve(lambda server: harness.run(
            [curl, '--silent', '--show-error', '--cacert', harness.pem('ca'), '--ssl-reqd', '--mail-rcpt', 'ann',
             'smtp://localhost:%d/x' % server.port]))
        self.assertEqual(seen, harness.Outcome(b'250 <ann@localhost>\r\n', b'', 0))
        self.assertEqual([line for line in printed if line[0] == 'C'],
                         ["C: b'EHLO x'", "C: b'STARTTLS'", "C: b'EHLO x'", "C: b'VRFY ann'", "C: b'QUIT'"])


def mail_server(*, offer=OFFER, ready=READY, certificate='server', replies=None, heard=None):
    """A server's script that answers each line the client says in clear, then each over TLS with one of `replies`."""
    heard = [] if heard is None else heard

    def line(connection):
        text = b''
        while not text.endswith(b'\r\n'):
            data = connection.recv(1)
            if not data:
                return False
            text += data
        heard.append(text[:-2])
        return True

    def over_tls(connection):
        for reply in replies or [b'250 localhost\r\n', b'250-<ann\xe9@localhost>\r\n250 STARTTLS\r\n', b'221 Bye\r\n']:
            if line(connection):
                connection.sendall(reply)
        return heard
    # A client that refuses ends the handshake, or does not begin one.
    encrypted = harness.over_tls(over_tls, certificate, seen=[])

    def script(connection):
        connection.sendall(GREETING)
        for reply in offer, ready:
            if not line(connection):
                return heard
            connection.sendall(reply)
        encrypted(connection)
        return heard
    return script


class ClientCase(harness.TwinCase):
    def talk(self, host='localhost', trusted='ca', **settings):
        def situation(command):
            with harness.SocketPeer(mail_server(**settings)) as server:
                outcome = harness.run(command + [harness.pem(trusted), host, str(server.port)])
            return outcome, server.result
        return self.assert_twins(situation, CLIENT, SINCE)


IN_CLEAR = b"""S: b'220 localhost ESMTP'
C: EHLO localhost
S: b'250-localhost'
S: b'250 STARTTLS'
C: STARTTLS
S: b'220 Ready to start TLS'
"""


class Client(ClientCase):
    def test_talk(self):
        for host in 'localhost', '127.0.0.1':
            outcome, heard = self.talk(host)
            self.assertEqual(outcome, harness.Outcome(IN_CLEAR + rb"""Over TLSv1.3
C: EHLO localhost
S: b'250 localhost'
C: VRFY ann
S: b'250-<ann\xe9@localhost>'
S: b'250 STARTTLS'
C: QUIT
S: b'221 Bye'
""", b'', 0))
            self.assertEqual(heard, [b'EHLO localhost', b'STARTTLS', b'EHLO localhost', b'VRFY ann', b'QUIT'])


class Failures(ClientCase):
    def test_starttls_is_not_offered(self):
        """As when somebody on the way strips it."""
        for offer in b'250 localhost\r\n', b'250-localhost\r\n250 XTARTTLS\r\n', b'250-STARTTLSX\r\n250 \r\n':
            outcome, heard = self.talk(offer=offer)
            self.assertEqual((outcome.error, outcome.status),
                             (b'RuntimeError: the server does not offer STARTTLS', 1))
            self.assertEqual(heard, [b'EHLO localhost'])

    def test_server_refuses(self):
        outcome, heard = self.talk(ready=b'454 TLS not available\r\n')
        self.assertEqual((outcome.error, outcome.status), (b'RuntimeError: the server refuses', 1))
        self.assertEqual(heard, [b'EHLO localhost', b'STARTTLS'])

    def test_bytes_in_clear_behind_the_answer_are_refused(self):
        """Replies put there to be taken for answers over TLS."""
        outcome, heard = self.talk(ready=READY + b'250 localhost\r\n250 <mallory>\r\n')
        self.assertEqual(outcome, harness.Outcome(
            IN_CLEAR, b'RuntimeError: start_tls() with 30 bytes received in clear and not read yet', 1))
        self.assertEqual(heard, [b'EHLO localhost', b'STARTTLS'])

    def test_certificates(self):
        for certificate, trusted, host, text in (
                ('server', 'client', 'localhost', b'unable to get local issuer certificate'),
                ('expired', 'ca', 'localhost', b'certificate has expired'),
                ('other-name', 'ca', 'localhost', b"Hostname mismatch, certificate is not valid for 'localhost'."),
                ('other-name', 'ca', '127.0.0.1', b"IP address mismatch, certificate is not valid for '127.0.0.1'.")):
            outcome, heard = self.talk(host, trusted, certificate=certificate)
            self.assertEqual(outcome, harness.Outcome(IN_CLEAR, VERIFY_FAILED + text, 1))
            self.assertEqual(heard, [b'EHLO localhost', b'STARTTLS'])

    def test_server_leaves(self):
        outcome, _ = self.talk(replies=[b'250 localhost\r\n', b'250-half'])
        self.assertEqual((outcome.error, outcome.status),
                         (b'asyncio.exceptions.IncompleteReadError: 8 bytes read on a total of undefined expected bytes',
                          1))


class Usage(harness.TwinCase):
    def test_wrong_arguments(self):
        for arguments in [], ['a'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd', 'e']:
            self.assert_usage(SERVER, arguments, b'usage: starttls_server CERTFILE KEYFILE [HOST PORT]')
        for arguments in [], ['a', 'b'], ['a', 'b', 'c', 'd']:
            self.assert_usage(CLIENT, arguments, b'usage: starttls_client CAFILE [HOST PORT]')


if __name__ == '__main__':
    harness.main()
