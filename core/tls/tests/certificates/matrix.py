# SPDX-License-Identifier: MIT
"""The certificate matrix: which certificates there are, who is asked what about them, and what the answer should be.

A row says what it is supposed to show and the answer by thought: OpenSSL's verification code, or the class of another
error. There are three columns: `strict`, in TLS 1.3 with the flags that Python's create_default_context has since 3.13
and rill has too (X509_STRICT and PARTIAL_CHAIN); `plain`, with neither, as in older ones; `tls12`, as strict in
TLS 1.2.
verdicts.py asks CPython and rill; that both are wrong in the same way shows in these columns only.
"""

# OpenSSL's verification codes.
OK = 0
NO_ISSUER_CERTIFICATE = 2
NO_CRL = 3
BAD_SIGNATURE = 7
NOT_YET_VALID = 9
EXPIRED = 10
CRL_NOT_YET_VALID = 11
CRL_EXPIRED = 12
SELF_SIGNED_LEAF = 18
SELF_SIGNED_IN_CHAIN = 19
NO_LOCAL_ISSUER = 20
REVOKED = 23
PATH_LENGTH = 25
WRONG_PURPOSE = 26
UNKNOWN_CRITICAL = 34
NOT_PERMITTED = 47
EXCLUDED = 48
HOSTNAME = 62
ADDRESS = 64
WEAK_KEY = 66
WEAK_CA_KEY = 67
WEAK_DIGEST = 68
INVALID_CA = 79
EMPTY_SUBJECT = 84
NO_AKI = 85
NO_SKI = 86
EMPTY_SAN = 87
SAN_NOT_CRITICAL = 88
CA_CONSTRAINTS_NOT_CRITICAL = 89
CA_WITHOUT_USAGE = 92
EXPLICIT_CURVE = 94

# Labels as long as they may be; a whole name as long as DNS allows; what TLS can carry; and one more.
LONG_LABELS = '.'.join((63 * 'a', 63 * 'b', 63 * 'c', 'test'))
NAME_253 = '.'.join((63 * 'a', 63 * 'b', 63 * 'c', 56 * 'd', 'test'))
NAME_255 = '.'.join((63 * 'a', 63 * 'b', 63 * 'c', 58 * 'd', 'test'))
LABEL_64 = 64 * 'a' + '.test'
NAME_256 = '.'.join((63 * 'a', 63 * 'b', 63 * 'c', 59 * 'd', 'test'))


class Made:
    """How make_certificates.py makes one."""

    def __init__(self, issuer='root', subject='/CN=a.test', key='leaf', digest='sha256', serial=None, dates=None,
                 patch=(), sections='', sends=(), extensions=None):
        self.issuer = issuer        # None: signs itself
        self.subject = subject
        self.key = key
        self.digest = digest
        self.serial = serial
        self.dates = dates          # (not before, not after) as UTCTime
        self.patch = patch          # (bytes, bytes of the same length) in what is signed
        self.sections = sections    # further sections of the extension file
        self.sends = sends          # what follows it in the chain that its owner sends
        self.extensions = extensions


class Crl:
    def __init__(self, issuer='root', revoked=(), dates=('20200101000000Z', '20400101000000Z')):
        self.issuer = issuer
        self.revoked = revoked
        self.dates = dates


def extensions_of(base, changes):
    """The base with changes; None takes an extension away."""
    extensions = dict(base)
    for name, value in changes.items():
        extensions[name] = 'none' if value is None and name.endswith('KeyIdentifier') else value
    return {name: value for name, value in extensions.items() if value is not None}


def split(arguments):
    fields = ('issuer', 'subject', 'key', 'digest', 'serial', 'dates', 'patch', 'sections', 'sends')
    return ({name: value for name, value in arguments.items() if name in fields},
            {name: value for name, value in arguments.items() if name not in fields})


def leaf(san='DNS:a.test', **arguments):
    made, changes = split(arguments)
    base = {'basicConstraints': 'critical,CA:FALSE', 'keyUsage': 'critical,digitalSignature',
            'extendedKeyUsage': 'serverAuth', 'subjectKeyIdentifier': 'hash', 'authorityKeyIdentifier': 'keyid'}
    if san is not None:
        base['subjectAltName'] = san
    return Made(extensions=extensions_of(base, changes), **made)


def client(**arguments):
    return leaf(**{'san': 'DNS:client.test', 'subject': '/CN=client', 'extendedKeyUsage': 'clientAuth', **arguments})


def ca(name, issuer='root', **arguments):
    made, changes = split(arguments)
    base = {'basicConstraints': 'critical,CA:TRUE', 'keyUsage': 'critical,keyCertSign,cRLSign',
            'subjectKeyIdentifier': 'hash', 'authorityKeyIdentifier': 'keyid'}
    return Made(**{'issuer': issuer, 'subject': '/O=rill/CN=' + name, 'key': 'ca', **made},
                extensions=extensions_of(base, changes))


# Given, not computed, so that a forger can have the same.
ROOT_SKI = '52:49:4c:4c:52:4f:4f:54'
PAST = ('200101000000Z', '210101000000Z')
FUTURE = ('450101000000Z', '460101000000Z')

# In an order in which issuers come before what they issue.
CERTIFICATES = {
    # Authorities.
    'root': ca('root', None, subjectKeyIdentifier=ROOT_SKI),
    'other-root': ca('other-root', None, key='other-ca'),
    'impostor': ca('root', None, key='other-ca'),       # the root's name, another key
    'forger': ca('root', None, key='other-ca', subjectKeyIdentifier=ROOT_SKI),  # its identifier too
    'root-expired': ca('root-expired', None, dates=PAST),
    'root-sha1': ca('root-sha1', None, digest='sha1'),
    'root-rsa': ca('root-rsa', None, key='rsa'),
    'root-v1': Made(issuer=None, subject='/O=rill/CN=root-v1', key='ca'),
    'root-no-usage': ca('root-no-usage', None, keyUsage=None),
    'root-not-critical': ca('root-not-critical', None, basicConstraints='CA:TRUE'),
    'root-no-ski': ca('root-no-ski', None, subjectKeyIdentifier=None, authorityKeyIdentifier=None),
    'sub1': ca('sub1'),
    'sub2': ca('sub2', 'sub1'),
    'sub3': ca('sub3', 'sub2'),
    'sub-length': ca('sub-length', basicConstraints='critical,CA:TRUE,pathlen:0'),
    'sub-too-deep': ca('sub-too-deep', 'sub-length'),
    'sub-not-ca': ca('sub-not-ca', basicConstraints='critical,CA:FALSE', keyUsage='critical,digitalSignature'),
    'sub-no-sign': ca('sub-no-sign', keyUsage='critical,digitalSignature'),
    'sub-v1': Made(subject='/O=rill/CN=sub-v1', key='ca'),
    'sub-expired': ca('sub-expired', dates=PAST),
    'sub-sha1': ca('sub-sha1', digest='sha1'),
    'sub-rsa1024': ca('sub-rsa1024', key='rsa1024'),
    'sub-explicit': ca('sub-explicit', key='explicit'),
    'sub-client-only': ca('sub-client-only', extendedKeyUsage='clientAuth'),
    'sub-permitted': ca('sub-permitted', nameConstraints='critical,permitted;DNS:a.test'),
    'sub-excluded': ca('sub-excluded', nameConstraints='critical,excluded;DNS:a.test,excluded;IP:127.0.0.0/255.0.0.0'),
    'new-root': ca('new-root', None, key='other-ca'),
    'new-root-cross': ca('new-root', key='other-ca'),

    # Dates and trust.
    'good': leaf(),
    'expired': leaf(dates=PAST),
    'not-yet': leaf(dates=FUTURE),
    'self-signed': leaf(issuer=None, authorityKeyIdentifier=None),
    'unknown-ca': leaf(issuer='other-root'),
    'unknown-ca-with-root': leaf(issuer='other-root', sends=['other-root']),
    'impostor-leaf': leaf(issuer='impostor'),
    'forged': leaf(issuer='forger'),
    'under-expired-root': leaf(issuer='root-expired'),
    'under-expired-sub': leaf(issuer='sub-expired', sends=['sub-expired']),
    'cross-signed': leaf(issuer='new-root', sends=['new-root-cross']),

    # Purpose.
    'client-only': leaf(extendedKeyUsage='clientAuth'),
    'any-purpose': leaf(extendedKeyUsage='anyExtendedKeyUsage'),
    'no-purpose': leaf(extendedKeyUsage=None),
    'usage-encipher': leaf(keyUsage='critical,keyEncipherment'),
    'usage-crl': leaf(keyUsage='critical,cRLSign'),
    'no-usage': leaf(keyUsage=None),
    'leaf-is-ca': leaf(basicConstraints='critical,CA:TRUE', keyUsage='critical,digitalSignature,keyCertSign'),

    # Names.
    'other-host': leaf('DNS:b.test', subject='/CN=b.test'),
    'cn-only': leaf(None),
    'cn-two': leaf(None, subject='/CN=b.test/CN=a.test'),
    'cn-not-san': leaf('DNS:b.test'),
    'cn-nul': leaf(None, subject='/CN=a.test~.b.test', patch=[(b'a.test~.b.test', b'a.test\0.b.test')]),
    'san-nul': leaf('DNS:a.test~.b.test', subject='/CN=leaf', patch=[(b'a.test~.b.test', b'a.test\0.b.test')]),
    'san-empty': leaf('DER:3000'),
    'san-empty-name': leaf('DER:30028200'),
    'san-email-uri': leaf('email:x@a.test,URI:https://a.test/', subject='/CN=b.test'),
    'san-email-cn': leaf('email:x@b.test'),
    'san-100': leaf(','.join('DNS:h{}.test'.format(i) for i in range(99)) + ',DNS:a.test', subject='/CN=leaf'),
    'san-underscore': leaf('DNS:a_b.test'),
    'san-case': leaf('DNS:A.TeSt', subject='/CN=leaf'),
    'san-dot': leaf('DNS:a.test.', subject='/CN=leaf'),
    'san-leading-dot': leaf('DNS:.a.test', subject='/CN=leaf'),
    'san-idn': leaf('DNS:xn--bcher-kva.test', subject='/CN=leaf'),
    'san-idn-raw': leaf('DER:300e820c62c3bc636865722e74657374', subject='/CN=leaf'),
    'san-local': leaf('DNS:localhost', subject='/CN=leaf'),
    'san-long-labels': leaf('DNS:' + LONG_LABELS, subject='/CN=leaf'),
    'san-253': leaf('DNS:' + NAME_253, subject='/CN=leaf'),
    'san-label-64': leaf('DNS:' + LABEL_64, subject='/CN=leaf'),
    'san-longer': leaf('DNS:{},DNS:{}'.format(NAME_255, NAME_256), subject='/CN=leaf'),
    'subject-empty': leaf('critical,DNS:a.test', subject='/'),
    'subject-empty-soft': leaf('DNS:a.test', subject='/'),
    'nameless': leaf(None, subject='/'),
    'star-1': leaf('DNS:*.test', subject='/CN=leaf'),
    'star-2': leaf('DNS:*.a.test', subject='/CN=leaf'),
    'star-bare': leaf('DNS:*', subject='/CN=leaf'),
    'star-star': leaf('DNS:*.*', subject='/CN=leaf'),
    'star-star-2': leaf('DNS:*.*.test', subject='/CN=leaf'),
    'star-partial': leaf('DNS:f*.a.test', subject='/CN=leaf'),
    'star-middle': leaf('DNS:b.*.test', subject='/CN=leaf'),
    'star-cn': leaf(None, subject='/CN=*.a.test'),

    # Addresses.
    'ip-v4': leaf('IP:127.0.0.1', subject='/CN=leaf'),
    'ip-v6': leaf('IP:::1', subject='/CN=leaf'),
    'ip-as-dns': leaf('DNS:127.0.0.1', subject='/CN=leaf'),
    'ip-in-cn': leaf(None, subject='/CN=127.0.0.1'),
    'ip-and-cn': leaf('IP:127.0.0.1'),
    'ip-star': leaf('DNS:*.0.0.1', subject='/CN=leaf'),

    # Chains.
    'chain-5': leaf(issuer='sub3', sends=['sub3', 'sub2', 'sub1']),
    'chain-5-order': leaf(issuer='sub3', sends=['sub1', 'sub2', 'sub3']),
    'chain-gap': leaf(issuer='sub3', sends=['sub3', 'sub1']),
    'chain-alone': leaf(issuer='sub1'),
    'chain-with-root': leaf(issuer='sub1', sends=['sub1', 'root']),
    'path-length': leaf(issuer='sub-too-deep', sends=['sub-too-deep', 'sub-length']),
    'under-not-ca': leaf(issuer='sub-not-ca', sends=['sub-not-ca']),
    'under-no-sign': leaf(issuer='sub-no-sign', sends=['sub-no-sign']),
    'under-v1-root': leaf(issuer='root-v1', authorityKeyIdentifier='DER:3006800401020304'),
    'under-v1-sub': leaf(issuer='sub-v1', authorityKeyIdentifier='DER:3006800401020304', sends=['sub-v1']),
    'under-client-sub': leaf(issuer='sub-client-only', sends=['sub-client-only']),
    'permitted': leaf('DNS:x.a.test', issuer='sub-permitted', sends=['sub-permitted'], subject='/CN=leaf'),
    'not-permitted': leaf('DNS:b.test', issuer='sub-permitted', sends=['sub-permitted'], subject='/CN=leaf'),
    'not-permitted-cn': leaf(None, issuer='sub-permitted', sends=['sub-permitted'], subject='/CN=b.test'),
    'excluded': leaf('DNS:x.a.test', issuer='sub-excluded', sends=['sub-excluded'], subject='/CN=leaf'),
    'excluded-ip': leaf('IP:127.0.0.1', issuer='sub-excluded', sends=['sub-excluded'], subject='/CN=leaf'),
    'not-excluded': leaf('DNS:b.test', issuer='sub-excluded', sends=['sub-excluded'], subject='/CN=leaf'),

    # Strength and form.
    'rsa1024': leaf(key='rsa1024'),
    'sha1': leaf(digest='sha1'),
    'md5': leaf(issuer='root-rsa', digest='md5'),
    'under-sha1-root': leaf(issuer='root-sha1'),
    'under-sha1-sub': leaf(issuer='sub-sha1', sends=['sub-sha1']),
    'under-weak-sub': leaf(issuer='sub-rsa1024', sends=['sub-rsa1024']),
    'under-explicit-sub': leaf(issuer='sub-explicit', sends=['sub-explicit']),
    'rsa': leaf(key='rsa'),
    'rsa-pss': leaf(key='rsa-pss'),
    'p384': leaf(key='p384'),
    'ed25519': leaf(key='ed25519'),
    'v1': Made(),
    'critical-unknown': leaf(**{'1.3.6.1.4.1.55555.1': 'critical,DER:0500'}),
    'soft-unknown': leaf(**{'1.3.6.1.4.1.55555.1': 'DER:0500'}),
    'no-aki': leaf(authorityKeyIdentifier=None),
    'under-no-usage': leaf(issuer='root-no-usage'),
    'under-not-critical': leaf(issuer='root-not-critical'),
    'under-no-ski': leaf(issuer='root-no-ski', authorityKeyIdentifier='DER:3006800401020304'),
    'negative': leaf(serial=-5),

    # Revocation.
    'revoked': leaf(),
    'sub-revoked': ca('sub-revoked'),
    'under-revoked': leaf(issuer='sub-revoked', sends=['sub-revoked']),

    # Clients'.
    'c-good': client(),
    'c-sub': client(issuer='sub1', sends=['sub1']),
    'c-expired': client(dates=PAST),
    'c-not-yet': client(dates=FUTURE),
    'c-unknown': client(issuer='other-root'),
    'c-self-signed': client(issuer=None, authorityKeyIdentifier=None),
    'c-server-only': client(extendedKeyUsage='serverAuth'),
    'c-no-purpose': client(extendedKeyUsage=None),
    'c-no-aki': client(authorityKeyIdentifier=None),
    'c-rsa1024': client(key='rsa1024'),
    'c-revoked': client(),
    'c-alone': client(issuer='sub1'),
}

CRLS = {
    'crl': Crl(revoked=['revoked', 'c-revoked', 'sub-revoked']),
    'crl-expired': Crl(dates=('20200101000000Z', '20210101000000Z')),
    'crl-future': Crl(dates=('20450101000000Z', '20460101000000Z')),
    'crl-sub': Crl(issuer='sub-revoked'),
}

# What who is asked trusts.
TRUST = {
    'root': ['root'],
    'all-roots': ['root', 'root-expired', 'root-sha1', 'root-rsa', 'root-v1', 'root-no-usage',
                  'root-not-critical', 'root-no-ski'],
    'self-signed': ['self-signed'],
    'sub1': ['sub1'],
    'sub2': ['sub2'],
    'leaf': ['good'],
    'crl': ['root', 'crl'],
    'crl-expired': ['root', 'crl-expired'],
    'crl-future': ['root', 'crl-future'],
    'crl-chain': ['root', 'crl', 'crl-sub'],
}

SYSTEM = 'system'   # what the process trusts by itself

CRL_CHECK_LEAF = 1
CRL_CHECK_CHAIN = 2


def chains():
    return {name: [name, *made.sends] for name, made in CERTIFICATES.items()}


class Row:
    """A client that asks for a name and is shown a chain, or a server that is shown a client's."""

    def __init__(self, chain, ask='a.test', strict=OK, plain=None, tls12=None, trust='root', flags=0, server=None,
                 skip=None, rill=None, shows=''):
        self.chain = chain          # None: a client without a certificate
        self.ask = ask
        self.strict = strict
        self.plain = strict if plain is None else plain
        self.tls12 = strict if tls12 is None else tls12
        self.trust = trust
        self.flags = flags
        self.server = server        # 'required', 'optional': the server judges
        self.skip = skip            # what is insecure: the name's check by 'option' or in 'context', or 'all'
        self.rill = rill            # rill's answer, where it departs from CPython's
        self.shows = shows

    def columns(self):
        # The flags of ssl=True are what they are.
        return ('strict', 'tls12') if self.trust == SYSTEM else ('strict', 'plain', 'tls12')

    def name(self):
        ask = self.ask if len(self.ask) < 40 else '{}...({})'.format(self.ask[:12], len(self.ask))
        parts = [self.chain or 'no-certificate', self.server or ask]
        if self.trust != 'root':
            parts.append('trust=' + self.trust)
        if self.skip:
            parts.append('skip=' + self.skip)
        if self.flags:
            parts.append('crl={}'.format(self.flags))
        return ' '.join(parts)
