# SPDX-License-Identifier: MIT
"""What rill answers: certificate_driver does as it is told over a plain connection, Python's ssl is its peer."""
import select
import socket
import ssl
import subprocess

from matrix import SYSTEM
from verdicts import Verdict, alert_of, presenting, watch_names

PATIENCE_S = 30
ANSWER = b'ok'
PLAIN, STRICT_PARTIAL_CHAIN = 0, 12     # of rill_ssl_verify_flags; CRL's are 1 and 2, as in the table


def flags_of(row, column):
    # What 3.13's default contexts have is what rill's new ones should have: they are asked as they come.
    if column == 'plain':
        return str(PLAIN | row.flags)
    return 'default' if row.flags == 0 else str(STRICT_PARTIAL_CHAIN | row.flags)


def listen():
    listener = socket.socket()
    listener.settimeout(PATIENCE_S)
    listener.bind(('127.0.0.1', 0))
    listener.listen(1)
    return listener, str(listener.getsockname()[1])


class Rill:
    def __init__(self, driver, folder):
        self.folder = folder
        listener, port = listen()
        with listener:
            self.process = subprocess.Popen([driver, port])
            try:
                self.control = listener.accept()[0]
            except OSError:
                self.process.kill()
                raise
        self.control.settimeout(PATIENCE_S)
        self.lines = self.control.makefile('r', encoding='utf-8', newline='\n')

    def close(self):
        """The driver's exit status: a leak or a failed check of a sanitizer shows here."""
        self.lines.close()
        self.control.close()
        try:
            return self.process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def tell(self, *fields):
        self.control.sendall('\t'.join(fields).encode() + b'\n')

    def answer(self):
        line = self.lines.readline()
        if not line:
            raise RuntimeError('the driver has ended with {}'.format(self.process.wait(timeout=PATIENCE_S)))
        return line.rstrip('\n').split('\t')

    def judge(self, row, column):
        return self.judge_client(row, column) if row.server is None else self.judge_server(row, column)

    def judge_client(self, row, column):
        context = presenting(ssl.PROTOCOL_TLS_SERVER, self.folder, row.chain, column)
        names = watch_names(context)
        alert = None
        listener, port = listen()
        with listener:
            trust = row.trust if row.trust == SYSTEM else self.folder.trust(row.trust)
            self.tell('client', port, row.ask, trust, flags_of(row, column), row.skip or 'no')
            # It may refuse without connecting.
            ready, _, _ = select.select([listener, self.control], [], [], PATIENCE_S)
            if listener in ready:
                alert = serve(context, listener.accept()[0])
        return verdict(self.answer(), names[0] if names else None, alert)

    def judge_server(self, row, column):
        context = presenting(ssl.PROTOCOL_TLS_CLIENT, self.folder, row.chain, column)
        self.tell('server', self.folder.chain('good'), self.folder.key('good'), self.folder.trust(row.trust),
                  flags_of(row, column), row.server)
        answer = self.answer()
        if answer[0] != 'port':
            return verdict(answer, None, None)
        alert = connect(context, int(answer[1]))
        self.tell('done')
        return verdict(self.answer(), None, alert)


def serve(context, connection):
    """Shows the certificate to a client; the alert that it answered with."""
    connection.settimeout(PATIENCE_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        with context.wrap_socket(connection, server_side=True) as stream:
            stream.sendall(ANSWER)
            stream.recv(1)  # until the client is through
    except OSError as error:
        return alert_of(error)
    return None


def connect(context, port):
    """Shows the certificate to a server; the alert that it answered with, in TLS 1.3 after the handshake."""
    with socket.create_connection(('127.0.0.1', port), PATIENCE_S) as connection:
        try:
            with context.wrap_socket(connection) as stream:
                return None if stream.recv(len(ANSWER)) == ANSWER else 'nothing was sent'
        except OSError as error:
            return alert_of(error)


def verdict(answer, sni, alert):
    if answer[0] in ('accept', 'refuse'):
        given = Verdict(None, sni, alert)
        given.kind = answer[0]
        return given
    kind, reason, code, message, text = answer
    return Verdict({'kind': kind, 'reason': None if reason == '-' else reason, 'code': int(code),
                    'message': None if message == '-' else message, 'text': text}, sni, alert)
