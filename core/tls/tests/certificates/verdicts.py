# SPDX-License-Identifier: MIT
"""What CPython answers: both sides of a TLS handshake in memory, ended by whoever refuses."""
import os
import re
import ssl

from matrix import CERTIFICATES, SYSTEM

SOURCE_LINE = re.compile(r' \(_ssl\.c:[0-9]+\)$')
STRICT = 0x20           # ssl.VERIFY_X509_STRICT
PARTIAL_CHAIN = 0x80000  # ssl.VERIFY_X509_PARTIAL_CHAIN, which has a name since 3.10
CRL = {0: 0, 1: 0x4, 2: 0xc}
COLUMNS = {'strict': STRICT | PARTIAL_CHAIN, 'plain': 0, 'tls12': STRICT | PARTIAL_CHAIN}
ROUNDS = 20


class Verdict:
    """Accepted, or the error; and what the peer saw: the name asked for (SNI) and how it failed, mostly by an alert."""

    def __init__(self, error=None, sni=None, alert=None):
        self.kind = 'accept' if error is None else error['kind']
        self.reason = None if error is None else error['reason']
        self.code = 0 if error is None else error['code']
        self.message = None if error is None else error['message']
        self.text = None if error is None else error['text']
        self.sni = sni
        self.alert = alert

    def answer(self):
        """What the table's columns hold."""
        return 0 if self.kind == 'accept' else self.code or self.kind

    def __repr__(self):
        return '{} reason={} code={} message={!r} text={!r} sni={} alert={}'.format(
            self.kind, self.reason, self.code, self.message, self.text, self.sni, self.alert)


def describe(error):
    # rill has one class for the two.
    kind = 'ValueError' if isinstance(error, UnicodeError) else type(error).__name__
    return {'kind': kind, 'reason': getattr(error, 'reason', None),
            'code': getattr(error, 'verify_code', 0), 'message': getattr(error, 'verify_message', None),
            'text': SOURCE_LINE.sub('', str(error))}


class Folder:
    """The files that make_certificates.py made."""

    def __init__(self, path):
        self.path = path

    def use_as_system(self):
        """Makes the trusted root the whole of what the system trusts, for this process and its children."""
        os.environ['SSL_CERT_FILE'] = self.trust('root')
        os.environ['SSL_CERT_DIR'] = os.path.join(self.path, 'no-such-folder')

    def chain(self, name):
        return os.path.join(self.path, 'chain-{}.pem'.format(name))

    def key(self, name):
        return os.path.join(self.path, 'key-{}.pem'.format(CERTIFICATES[name].key))

    def trust(self, name):
        return os.path.join(self.path, 'trust-{}.pem'.format(name))


def set_flags(context, row, column):
    # 3.10 and later know PARTIAL_CHAIN by name; older ones pass the bit on as it is.
    context.verify_flags = ssl.VERIFY_X509_TRUSTED_FIRST | COLUMNS[column] | CRL[row.flags]


def presenting(protocol, folder, chain, column):
    """A context that shows a chain, however weak, and asks for nothing."""
    context = ssl.SSLContext(protocol)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers('DEFAULT:@SECLEVEL=0')
    if column == 'tls12':
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if chain is not None:
        context.load_cert_chain(folder.chain(chain), folder.key(chain))
    return context


def judging(folder, row, column):
    """The context of the side that the row is about."""
    if row.server is None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED if row.server == 'required' else ssl.CERT_OPTIONAL
        context.load_cert_chain(folder.chain('good'), folder.key('good'))
    if row.skip:
        context.check_hostname = False
    if row.skip == 'all':
        context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if row.trust == SYSTEM:
        context.load_default_certs()
    else:
        context.load_verify_locations(folder.trust(row.trust))
    set_flags(context, row, column)
    return context


class End:
    """One side in memory."""

    def __init__(self, context, **more):
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, **more)
        self.error = None
        self.done = False

    def step(self):
        """The handshake as far as it goes, then one read: what the peer thinks of it comes after it in TLS 1.3."""
        if self.error is not None:
            return
        try:
            if not self.done:
                self.object.do_handshake()
                self.done = True
            self.object.read(1)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.error = error


def watch_names(context):
    """The names that clients of a context send, as they come."""
    names = []
    context.sni_callback = lambda connection, name, asked: names.append(name)
    return names


def alert_of(error):
    return getattr(error, 'reason', None)


def judge(folder, row, column):
    """CPython's verdict on a row."""
    names = []
    try:
        if row.server is None:
            server_context = presenting(ssl.PROTOCOL_TLS_SERVER, folder, row.chain, column)
            names = watch_names(server_context)
            judge_end = End(judging(folder, row, column), server_hostname=row.ask or None)  # as asyncio does
            peer = End(server_context, server_side=True)
        else:
            judge_end = End(judging(folder, row, column), server_side=True)
            peer = End(presenting(ssl.PROTOCOL_TLS_CLIENT, folder, row.chain, column))
    except (ValueError, ssl.SSLError) as error:
        return Verdict(describe(error))
    for _ in range(ROUNDS):
        for one, other in ((judge_end, peer), (peer, judge_end)):
            one.step()
            other.incoming.write(one.outgoing.read())
    sni = names[0] if names else None
    if judge_end.error is not None:
        return Verdict(describe(judge_end.error), sni, alert_of(peer.error))
    if not (judge_end.done and peer.done):
        raise RuntimeError('{}: the handshake did not end; the peer says {!r}'.format(row.name(), peer.error))
    return Verdict(None, sni, alert_of(peer.error))
