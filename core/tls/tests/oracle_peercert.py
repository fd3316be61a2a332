# SPDX-License-Identifier: MIT
"""Compares the peer's certificate as rill shows it with Python's getpeercert(), over certificates of every kind.

    oracle_peercert.py PEERCERT_TEST [--openssl COMMAND] [--keep DIRECTORY] [--quick]

Usual certificates are made by the openssl command, unusual ones (what no CA signs, but a peer may send) byte by byte;
each is decoded by PEERCERT_TEST (peercert_test.c, which describes what it prints) and, from the same file, by the ssl
module of the Python that runs this. The repr of the dict, each field of the structure, the DER and the error must be
the same. Then every single allocation fails once.

Differences that are known:
- Python's text of an SSLError ends with its source line, ` (_ssl.c:123)`.
- What OpenSSL prints for an otherName differs between its versions: such rows need the same one on both sides.
- A BIT STRING in a name is bytes since 3.10; before, Python refused the certificate.
- CPython reads a CRL distribution point that is relative to the issuer as a list of names (its memory is then read as
  what it is not, so Python is not asked): rill shows none.
- Code points that are not assigned in the running Python's Unicode are not compared: rill prints them.
"""
import argparse
import base64
import hashlib
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import unicodedata
import warnings

SKIPPED = 77
RELATIVE = 'CRL point relative to the issuer'

# -- certificates by the openssl command ------------------------------------------------------------------------------

CONFIG = """\
[req]
prompt = no
distinguished_name = dn
string_mask = {mask}
utf8 = yes
[dn]
{dn}
[ext]
{ext}
"""

PLAIN = 'CN = localhost'
ADDRESSES = 'subjectAltName = IP:127.0.0.1, IP:::1, IP:2001:db8::1, IP:2001:db8:ab:cd:ef01:2345:6789:0, IP:255.0.10.200'


def made(name, dn=PLAIN, ext='basicConstraints = CA:FALSE', mask='utf8only', serial='4660', days='365'):
    return dict(name=name, dn=dn, ext=ext, mask=mask, serial=serial, days=days)


MADE = [
    made('plain'),
    made('no extensions to show', ext='keyUsage = digitalSignature'),
    made('version 1', ext=None),
    made('empty subject', dn='', ext='subjectAltName = critical, DNS:localhost'),
    made('long name', dn='C = DE\nST = Some-State\nL = Town\nO = A Company, Ltd.\nOU = One\n1.OU = Two\n'
         'CN = localhost\nemailAddress = a@b.test\nserialNumber = 7\ndomainComponent = test\nUID = u'),
    made('two in an RDN', dn='CN = localhost\n+OU = beside\nO = after'),
    made('all in one RDN', dn='CN = a\n+OU = b\n+O = c'),
    made('two pairs', dn='CN = a\n+OU = b\nO = c\n+L = d'),
    made('attribute without a name', dn='CN = x\n0.1.2.3.4.5.6.7 = dotted\n0.2.5.4.65 = pseudonym'),
    made('UTF-8', dn='CN = Zürich \u4e2d\u6587 \U0001f600 e\u0301'),
    made('BMPString', dn='CN = Zürich \u4e2d\u6587', mask='MASK:0x0800'),
    made('UniversalString', dn='CN = Zürich \U0001f600', mask='MASK:0x0100'),
    made('T61String', dn='CN = Zürich', mask='MASK:0x0004'),
    made('single quote', dn="CN = it's"),
    made('double quote', dn='CN = "\\"quoted\\""'),
    made('both quotes', dn="CN = it's \\\"quoted\\\""),
    made('backslashes', dn='CN = a\\\\b\\\\\\\\nc'),
    made('escapes', dn='CN = a\\tb\\nc\\rd'),
    made('DNS', ext='subjectAltName = DNS:localhost, DNS:*.example.test, DNS:xn--zrich-kva.test'),
    made('IP addresses', ext=ADDRESSES),
    made('email and URI', ext='subjectAltName = email:a@b.test, URI:https://b.test/x?y=%20z, email:move@c.test'),
    made('Registered ID', ext='subjectAltName = RID:1.2.3.4, RID:2.5.4.3, RID:1.2.840.113549.1.1.11'),
    made('DirName', ext='subjectAltName = DNS:a, dirName:alt, DNS:b\n[alt]\nC = UK\nO = it\'s "x"\nOU = \u4e2d\nCN = d'),
    made('otherName', ext='subjectAltName = otherName:1.2.3.4;UTF8:some other, DNS:after'),
    made('every kind', ext='subjectAltName = DNS:a, email:b@c.test, URI:urn:x, IP:1.2.3.4, IP:::2, RID:1.2.3, '
         'dirName:alt, otherName:1.3.6.1.4.1.311.20.2.3;UTF8:user@c.test\n[alt]\nCN = one\n+OU = two'),
    made('OCSP', ext='authorityInfoAccess = OCSP;URI:http://ocsp.test/'),
    made('caIssuers', ext='authorityInfoAccess = caIssuers;URI:http://ca.test/ca.crt, caIssuers;URI:ldap://ca.test/x'),
    made('access of every kind', ext='authorityInfoAccess = OCSP;URI:http://1.test/, caIssuers;URI:http://2.test/, '
         'OCSP;URI:http://3.test/, OCSP;email:o@c.test, 1.2.3.4;URI:http://4.test/'),
    made('access without URIs', ext='authorityInfoAccess = OCSP;DNS:ocsp.test, caIssuers;IP:1.2.3.4'),
    made('CRL point', ext='crlDistributionPoints = URI:http://crl.test/a.crl'),
    made('CRL points', ext='crlDistributionPoints = one, two\n[one]\nfullname = URI:http://crl.test/1, DNS:crl.test, '
         'URI:http://crl.test/2\nreasons = keyCompromise\n[two]\nfullname = URI:ldap://crl.test/3\n'
         'CRLissuer = dirName:who\n[who]\nCN = who'),
    made('CRL point without names', ext='crlDistributionPoints = one\n[one]\nCRLissuer = dirName:who\n[who]\nCN = w'),
    made('everything', dn='C = DE\nCN = localhost', ext='subjectAltName = DNS:localhost\n'
         'authorityInfoAccess = OCSP;URI:http://o.test/, caIssuers;URI:http://i.test/\n'
         'crlDistributionPoints = URI:http://c.test/\nextendedKeyUsage = serverAuth'),
    made('long serial', serial='0x' + '7F' + 'A5' * 19),
    made('negative serial', serial='-4660'),
    made('zero serial', serial='0'),
    made('after 2050', days='20000'),
]


def run(arguments, **options):
    done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, **options)
    if done.returncode != 0:
        sys.exit('oracle_peercert: %s: %s' % (arguments[:4], done.stderr.decode('utf-8', 'replace')))
    return done.stdout


class Maker:
    """Runs the openssl command, with one key for all certificates."""

    def __init__(self, command, directory):
        self.command = command
        self.directory = directory
        self.key = os.path.join(directory, 'key')
        run([command, 'ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', self.key])

    def make(self, row, path):
        config = path + '.cnf'
        with open(config, 'w', encoding='utf-8') as file:
            file.write(CONFIG.format(mask=row['mask'], dn=row['dn'], ext=row['ext'] or ''))
        request = [self.command, 'req', '-new', '-key', self.key, '-config', config, '-multivalue-rdn']
        if not row['dn']:
            request += ['-subj', '/']
        if row['ext'] is None:
            run(request + ['-out', path + '.csr'])
            run([self.command, 'x509', '-req', '-in', path + '.csr', '-signkey', self.key, '-out', path])
        else:
            run(request + ['-x509', '-extensions', 'ext', '-set_serial', row['serial'], '-days', row['days'],
                           '-out', path])


# -- certificates byte by byte ----------------------------------------------------------------------------------------

def tlv(tag, *parts):
    body = b''.join(parts)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, 'big')
    return bytes([tag, 0x80 | len(size)]) + size + body


def oid(dotted):
    numbers = [int(number) for number in dotted.split('.')]
    out = b''
    for number in [numbers[0] * 40 + numbers[1]] + numbers[2:]:
        digits = [number & 0x7f]
        while number > 0x7f:
            number >>= 7
            digits.insert(0, number & 0x7f | 0x80)
        out += bytes(digits)
    return tlv(6, out)


SEQUENCE, SET, INTEGER, BITS, OCTETS, UTF8, NUMERIC, PRINTABLE, T61, IA5, UTC, GENERAL, BMP = (
    0x30, 0x31, 2, 3, 4, 12, 18, 19, 20, 22, 23, 24, 30)
COMMON_NAME = '2.5.4.3'


def attribute(value, tag=UTF8, kind=COMMON_NAME):
    return tlv(SEQUENCE, oid(kind), tlv(tag, value))


def name_of(*rdns):
    return tlv(SEQUENCE, *[tlv(SET, *rdn) for rdn in rdns])


def extension(kind, value):
    return tlv(SEQUENCE, oid(kind), tlv(OCTETS, value))


def alternatives(*names):
    return extension('2.5.29.17', tlv(SEQUENCE, *names))


def access(*entries):
    return extension('1.3.6.1.5.5.7.1.1', tlv(SEQUENCE, *[tlv(SEQUENCE, oid(kind), name) for kind, name in entries]))


def dns(value):
    return tlv(0x82, value)


def uri(value):
    return tlv(0x86, value)


OCSP = '1.3.6.1.5.5.7.48.1'
NAME = name_of([attribute(b'x')])
TIMES = tlv(UTC, b'200101000000Z'), tlv(UTC, b'300101000000Z')


def certificate(subject=NAME, issuer=NAME, serial=b'\x01', times=TIMES, extensions=(), version=b'\x02'):
    signed_with = tlv(SEQUENCE, oid('1.2.840.10045.4.3.2'))
    key = tlv(SEQUENCE, tlv(SEQUENCE, oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')), tlv(BITS, b'\0\4' + b'k' * 64))
    body = [tlv(0xa0, tlv(INTEGER, version)), tlv(INTEGER, serial), signed_with, issuer, tlv(SEQUENCE, *times), subject, key]
    if extensions:
        body.append(tlv(0xa3, tlv(SEQUENCE, *extensions)))
    return tlv(SEQUENCE, tlv(SEQUENCE, *body), signed_with, tlv(BITS, b'\0' + b's' * 70))


def named(value, tag=UTF8, kind=COMMON_NAME):
    return certificate(subject=name_of([attribute(value, tag, kind)]))


def extended(*extensions):
    return certificate(extensions=extensions)


def dated(tag, first, last=b'20601231235959Z'):
    return certificate(times=(tlv(tag, first), tlv(GENERAL, last)))


def other(kind, value):
    return tlv(0xa0, oid(kind), tlv(0xa0, value))


def registered(dotted):
    return extended(alternatives(tlv(0x88, oid(dotted)[4:])))


def every_character():
    """Each one that Python knows, in strings of a thousand; those that it does not know are left out."""
    known = [chr(point) for point in range(1, 0x110000) if not 0xd800 <= point < 0xe000 and (
        unicodedata.category(chr(point)) != 'Cn' or point & 0xfffe == 0xfffe or 0xfdd0 <= point <= 0xfdef)]
    return extended(alternatives(*[dns(''.join(known[i:i + 1000]).encode()) for i in range(0, len(known), 1000)]))


BUILT = [
    ('NUL in a name', named(b'good.test\0.evil.test')),
    ('NUL in a BMPString', named('a\0b'.encode('utf-16-be'), BMP)),
    ('NUL in DNS, email and URI', extended(alternatives(dns(b'a\0b'), tlv(0x81, b'a\0@b'), uri(b'x\0y')))),
    ('NUL in OCSP', extended(access((OCSP, uri(b'http://o\0.test'))))),
    ('empty value', named(b'')),
    ('empty names', certificate(subject=name_of(), issuer=name_of())),
    ('quotes in DNS', extended(alternatives(dns(b"it's"), dns(b'"'), dns(b'\'"\\'), dns(b"''"), dns(b'\\')))),
    ('UTF-8 in DNS', extended(alternatives(dns('zürich.test'.encode()), uri('http://\u4e2d/'.encode())))),
    ('control characters', named(bytes(range(1, 0x20)) + b'\x7f')),
    ('Latin-1 controls in T61', named(bytes(range(0x80, 0x100)), T61)),
    ('does not print', named('\u200b\u2028\u202e\ufeff\xa0\xad\u3000\ue000\U000e0001\U0010ffff\uffff'.encode())),
    ('separates and spaces', named('a b\u2002c\u1680d\u180ee\u0301'.encode())),
    ('IA5 above ASCII', named(b'\xe9t\xe9', IA5)),
    ('Printable above ASCII', named(b'\xe9', PRINTABLE)),
    ('a name that is a BIT STRING', named(b'\0abc', BITS)),
    ('a unique identifier', named(b'\0' + bytes(range(256)), BITS, '2.5.4.45')),
    ('a BIT STRING with a quote', certificate(subject=name_of([attribute(b"\0it's", BITS), attribute(b"it's")]))),
    ('a BIT STRING in a DirName', extended(alternatives(tlv(0xa4, name_of([attribute(b'\4\xf0', BITS)]))))),
    ('a name that is a NumericString', named(b'1 2', NUMERIC)),
    ('long OID in a name', named(b'x', kind='1.2.' + '.'.join(['123456789'] * 60))),
    ('huge number in an OID', named(b'x', kind='1.2.' + str(2 ** 300))),
    ('an attribute twice in an RDN', certificate(subject=name_of([attribute(b'a'), attribute(b'a')]))),
    ('DNS no UTF-8: start', extended(alternatives(dns(b'ab\xff')))),
    ('DNS no UTF-8: continuation', extended(alternatives(dns(b'\xc3(')))),
    ('DNS no UTF-8: second continuation', extended(alternatives(dns(b'\xe2\x82(')))),
    ('DNS no UTF-8: third continuation', extended(alternatives(dns(b'\xf0\x9f\x98(')))),
    ('DNS no UTF-8: end', extended(alternatives(dns(b'a\xc3')))),
    ('DNS no UTF-8: end after two', extended(alternatives(dns(b'a\xe2\x82')))),
    ('DNS no UTF-8: end after three', extended(alternatives(dns(b'\xf0\x9f\x98')))),
    ('DNS no UTF-8: overlong', extended(alternatives(dns(b'\xc0\xaf')))),
    ('DNS no UTF-8: overlong three', extended(alternatives(dns(b'\xe0\x80\xaf')))),
    ('DNS no UTF-8: overlong four', extended(alternatives(dns(b'\xf0\x80\x80\xaf')))),
    ('DNS no UTF-8: surrogate', extended(alternatives(dns(b'\xed\xa0\x80')))),
    ('DNS no UTF-8: beyond', extended(alternatives(dns(b'\xf4\x90\x80\x80')))),
    ('DNS no UTF-8: far beyond', extended(alternatives(dns(b'\xf5\x80\x80\x80')))),
    ('OCSP no UTF-8', extended(access((OCSP, uri(b'\x80'))))),
    ('empty SAN', extended(alternatives())),
    ('empty DNS', extended(alternatives(dns(b'')))),
    ('SAN that is none', extended(extension('2.5.29.17', b'\x05\x00'))),
    ('SAN twice', extended(alternatives(dns(b'a')), alternatives(dns(b'b')))),
    ('addresses of odd sizes', extended(alternatives(tlv(0x87, b''), tlv(0x87, b'abc'), tlv(0x87, b'a' * 17)))),
    ('mapped address', extended(alternatives(tlv(0x87, bytes(10) + b'\xff\xff\x7f\0\0\1')))),
    ('X.400 and EDI party', extended(alternatives(
        tlv(0xa3, tlv(SEQUENCE)), tlv(0xa5, tlv(0xa1, tlv(UTF8, b'party')))))),
    ('otherNames that OpenSSL knows', extended(alternatives(
        other('1.3.6.1.4.1.311.20.2.3', tlv(UTF8, b'user@c.test')), other('1.3.6.1.5.5.7.8.9', tlv(UTF8, b'm@c.test')),
        other('1.3.6.1.5.5.7.8.5', tlv(UTF8, b'x@c.test')), other('1.3.6.1.5.5.7.8.7', tlv(IA5, b'_srv.c.test')),
        other('1.3.6.1.5.5.7.8.8', tlv(UTF8, b'realm'))))),
    ('otherName of lines', extended(alternatives(other('1.3.6.1.5.5.7.8.9', tlv(UTF8, b'one\ntwo'))))),
    ('otherName that is long', extended(alternatives(other('1.3.6.1.5.5.7.8.9', tlv(UTF8, b'x' * 5000))))),
    ('DirName empty', extended(alternatives(tlv(0xa4, name_of())))),
    ('DirName with quotes', extended(alternatives(tlv(0xa4, name_of([attribute(b"it's"), attribute(b'\\')]))))),
    ('an attribute called like a kind', certificate(subject=name_of([attribute(b'DirName')]))),
    ('Registered ID of 2046 characters', registered('1.20' + '.100' * 510 + '.1')),
    ('Registered ID of 2047 characters', registered('1.2' + '.100' * 511)),
    ('Registered ID of 2048 characters', registered('1.20' + '.100' * 511)),
    ('Registered ID that OpenSSL refuses', registered('1.2' + '.999999999' * 250)),
    ('serial of 35 bytes', certificate(serial=b'\x7f' + b'\xab' * 34)),
    ('serial of 36 bytes', certificate(serial=b'\x7f' + b'\xab' * 35)),
    ('serial of 80 bytes', certificate(serial=b'\x01' * 80)),
    ('serial of zeros', certificate(serial=b'\x00')),
    ('negative serial', certificate(serial=b'\xff')),
    ('negative serial of 21 bytes', certificate(serial=b'\x80' + bytes(20))),
    ('version 2', certificate(version=b'\x01')),
    ('version 9', certificate(version=b'\x08')),
    ('GeneralizedTime', dated(GENERAL, b'20491231235959Z')),
    ('time with fractions', dated(GENERAL, b'20200102030405.678Z')),
    ('time without seconds', dated(UTC, b'2001020304Z')),
    ('time with an offset', dated(UTC, b'200102030405+0100')),
    ('time before 1950', dated(GENERAL, b'19010203040506Z', b'99991231235959Z')),
    ('time that is none', dated(UTC, b'hello', b'')),
    ('time that is impossible', dated(UTC, b'209932250000Z', b'20600230000000Z')),
    ('access empty', extended(access())),
    ('access that is none', extended(extension('1.3.6.1.5.5.7.1.1', b'\x04\x00'))),
    ('CRL points empty', extended(extension('2.5.29.31', tlv(SEQUENCE)))),
    ('CRL point empty', extended(extension('2.5.29.31', tlv(SEQUENCE, tlv(SEQUENCE))))),
    (RELATIVE, extended(extension('2.5.29.31', tlv(SEQUENCE, tlv(SEQUENCE, tlv(0xa0, tlv(0xa1, attribute(b'x')))))))),
    ('CRL points that are none', extended(extension('2.5.29.31', b'\x05\x00'))),
    ('two hundred names', extended(alternatives(*[dns(b'host%d.test' % i) for i in range(200)]))),
    ('every character', every_character()),
]

NEEDS_SAME_OPENSSL = {'otherName', 'every kind', 'otherNames that OpenSSL knows', 'otherName of lines',
                      'otherName that is long'}
NEEDS_3_10 = {'a name that is a BIT STRING', 'a unique identifier', 'a BIT STRING with a quote',
              'a BIT STRING in a DirName'}
TOO_LONG_TO_STARVE = {'every character'}


def write_pem(path, der):
    text = base64.b64encode(der).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    with open(path, 'w') as file:
        file.write('\n'.join(['-----BEGIN CERTIFICATE-----'] + lines + ['-----END CERTIFICATE-----', '']))


def read_der(path):
    with open(path) as file:
        body = re.search('BEGIN CERTIFICATE-----(.*)-----END', file.read(), re.S).group(1)
    return base64.b64decode(body)


# -- what Python says -------------------------------------------------------------------------------------------------

def hexed(text):
    return text.encode('utf-8').hex()


def name_lines(key, name):
    for group, rdn in enumerate(name):
        for field, value in rdn:
            yield 'field %s %d %s' % (key, group, hexed(field))
            yield 'bytes ' + value.hex() if isinstance(value, bytes) else 'value ' + hexed(value)


def structure_lines(shown):
    yield 'version %d' % shown['version']
    for key in ('subject', 'issuer'):
        yield from name_lines(key, shown[key])
    for key in ('serialNumber', 'notBefore', 'notAfter'):
        yield 'item %s %s' % (key, hexed(shown[key]))
    yield 'names ' + ('present' if 'subjectAltName' in shown else 'absent')
    for field, value in shown.get('subjectAltName', ()):
        yield 'field subjectAltName 0 ' + hexed(field)
        yield 'value ' + hexed(repr(value) if field == 'DirName' else value)
    for key in ('OCSP', 'caIssuers', 'crlDistributionPoints'):
        for value in shown.get(key, ()):
            yield 'item %s %s' % (key, hexed(value))


def clear_error_queue():
    """Python leaves in OpenSSL's queue what it overlooks, and takes it for the reason of a later failure."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).set_ciphers('none that there is')
    except ssl.SSLError:
        pass


def expected(path):
    clear_error_queue()
    der = read_der(path)
    der_line = 'der %d %s' % (len(der), hashlib.sha256(der).hexdigest())
    try:
        shown = ssl._ssl._test_decode_cert(path)
    except (ValueError, ssl.SSLError) as error:
        # A UnicodeDecodeError is a ValueError, whose code it has in C; so is an SSLCertVerificationError.
        kind = 'SSLError' if isinstance(error, ssl.SSLError) else 'ValueError'
        return [der_line, 'error %s %s' % (kind, re.sub(r' \(_ssl\.c:\d+\)$', '', str(error)))]
    return [der_line, der_line, 'text ' + repr(shown)] + list(structure_lines(shown))


# -- the comparison ---------------------------------------------------------------------------------------------------

def printed(driver, mode, paths):
    """The driver's lines for each file, and the lines after them. Its own checks fail the whole."""
    done = subprocess.run([driver, mode] + paths, stdout=subprocess.PIPE, timeout=600)
    lines = done.stdout.decode('utf-8').split('\n')
    if done.returncode != 0:
        sys.exit('oracle_peercert: peercert_test %s: exit status %d, %s' % (mode, done.returncode, lines[-2:]))
    blocks, rest = {}, []
    current = rest
    for line in lines:
        if line.startswith('file '):
            current = blocks.setdefault(line[5:], [])
        elif line == 'end':
            current = rest
        elif line:
            current.append(line)
    return blocks, rest


def shortened(line):
    return line if len(line) < 300 else line[:300] + '...'


def compare(name, got, want):
    if got == want:
        return True
    print('%s: differs' % name)
    for mine, theirs in zip(got + [''] * len(want), want + [''] * len(got)):
        if mine != theirs:
            print('    rill   %s\n    Python %s' % (shortened(mine), shortened(theirs)))
            break
    return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('driver')
    parser.add_argument('--openssl', default='openssl')
    parser.add_argument('--keep', help='leave the certificates in this directory')
    parser.add_argument('--quick', action='store_true', help='starve every tenth certificate only')
    options = parser.parse_args()
    if shutil.which(options.openssl) is None:
        print('oracle_peercert: no %s to make certificates with' % options.openssl)
        return SKIPPED
    warnings.simplefilter('error')
    with tempfile.TemporaryDirectory() as temporary:
        directory = options.keep or temporary
        os.makedirs(directory, exist_ok=True)
        return check(options, directory)


def check(options, directory):
    maker = Maker(options.openssl, directory)
    paths = {}
    for row in MADE:
        paths[row['name']] = os.path.join(directory, 'made%d.pem' % len(paths))
        maker.make(row, paths[row['name']])
    for name, der in BUILT:
        name = name if name not in paths else name + ', built'
        paths[name] = os.path.join(directory, 'built%d.pem' % len(paths))
        write_pem(paths[name], der)

    blocks, rest = printed(options.driver, 'show', list(paths.values()))
    same_openssl = 'openssl ' + ssl.OPENSSL_VERSION in rest
    shown = [line for line in blocks[paths[RELATIVE]] if line.startswith('text ')]
    if len(shown) != 1 or 'crlDistributionPoints' in shown[0]:
        sys.exit('oracle_peercert: %s: %s' % (RELATIVE, shown))
    skipped = {RELATIVE} | (set() if same_openssl else NEEDS_SAME_OPENSSL) | (set() if sys.version_info >= (3, 10) else NEEDS_3_10)
    compared = [name for name in paths if name not in skipped]
    different = [name for name in compared if not compare(name, blocks[paths[name]], expected(paths[name]))]
    for name in sorted(skipped):
        print('%s: not compared with Python and its %s' % (name, ssl.OPENSSL_VERSION))
    errors = sum(blocks[path][-1].startswith('error ') for path in paths.values())

    starving = [path for name, path in paths.items() if name not in TOO_LONG_TO_STARVE][::10 if options.quick else 1]
    starved = {}
    for mode in ('starve', 'starve-openssl'):
        starved[mode] = int(printed(options.driver, mode, starving)[1][-2].split()[1])
    print('python %s, %s: certificates=%d compared=%d errors=%d different=%d starved=%d starved-openssl=%d' % (
        '%d.%d.%d' % sys.version_info[:3], ssl.OPENSSL_VERSION.split()[1], len(paths), len(compared), errors,
        len(different), starved['starve'], starved['starve-openssl']))
    # An allocation that could not fail means that the seam was not there.
    return 1 if different or not compared or 0 in starved.values() else 0


if __name__ == '__main__':
    sys.exit(main())
