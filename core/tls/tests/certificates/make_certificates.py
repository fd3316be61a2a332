#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the certificate matrix's certificates with the openssl command.

    make_certificates.py FOLDER [--openssl COMMAND]

Writes for each certificate of matrix.py NAME.pem, for each of its chains chain-NAME.pem (the leaf first, then what the
peer sends with it), for each trust store trust-NAME.pem, and for each kind of key key-KIND.pem. Keys are made anew at
each run and shared wherever it does not matter whose a key is; everything else comes out the same. No network, no
random names, a second or two.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

import matrix

KEYS = {
    'leaf': ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    'ca': ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    'other-ca': ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    'p384': ['EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
    'explicit': ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-pkeyopt', 'ec_param_enc:explicit'],
    'rsa': ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
    'rsa1024': ['RSA', '-pkeyopt', 'rsa_keygen_bits:1024'],
    'rsa-pss': ['RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'],
    'ed25519': ['ED25519'],
}
VALIDITY = re.compile(rb'\x30\x1e\x17\x0d[0-9]{12}Z\x17\x0d[0-9]{12}Z', re.S)


class Maker:
    def __init__(self, folder, openssl):
        self.folder = folder
        self.openssl = openssl
        self.serial = 1

    def path(self, name):
        return os.path.join(self.folder, name + '.pem')

    def run(self, *arguments, **more):
        done = subprocess.run([self.openssl, *arguments], cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=30, **more)
        if done.returncode != 0:
            sys.exit('openssl {} failed:\n{}'.format(' '.join(arguments), done.stderr.decode('utf-8', 'replace')))
        return done.stdout

    def key(self, kind, arguments):
        self.run('genpkey', '-algorithm', *arguments, '-out', 'key-{}.pem'.format(kind))
        self.run('pkey', '-in', 'key-{}.pem'.format(kind), '-pubout', '-out', 'public-{}.pem'.format(kind))

    def certificate(self, name, made):
        """One certificate; its issuer's is there already."""
        command = ['x509', '-new', '-subj', made.subject, '-force_pubkey', 'public-{}.pem'.format(made.key),
                   '-days', '3650', '-' + made.digest, '-out', name + '.pem', '-outform', 'PEM',
                   '-set_serial', str(made.serial or self.serial)]
        self.serial += 1
        if made.issuer is None:
            command += ['-signkey', 'key-{}.pem'.format(made.key)]
        else:
            issuer = matrix.CERTIFICATES[made.issuer]
            command += ['-CA', made.issuer + '.pem', '-CAkey', 'key-{}.pem'.format(issuer.key)]
        if made.extensions is not None:
            text = '[e]\n' + ''.join('{}={}\n'.format(*item) for item in made.extensions.items()) + made.sections
            with open(os.path.join(self.folder, name + '.cnf'), 'w') as out:
                out.write(text)
            command += ['-extfile', name + '.cnf', '-extensions', 'e']
        self.run(*command)
        if made.patch or made.dates:
            self.sign_again(name, made)

    def sign_again(self, name, made):
        """What the command cannot be told is put into the bytes that are signed, at the same length, and signed."""
        der = self.run('x509', '-in', name + '.pem', '-outform', 'DER')
        start, end = inside(der, 0)
        tbs_start, tbs_end = inside(der, start)
        algorithm_end = inside(der, tbs_end)[1]
        algorithm = der[tbs_end:algorithm_end]
        tbs = der[start:tbs_end]
        assert tbs_start < tbs_end <= end
        if made.dates:
            validity = b''.join(b'\x17\x0d' + date.encode() for date in made.dates)
            tbs, count = VALIDITY.subn(b'\x30\x1e' + validity, tbs)
            assert count == 1, name
        for old, new in made.patch:
            assert len(old) == len(new) and tbs.count(old) >= 1, name
            tbs = tbs.replace(old, new)
        with tempfile.NamedTemporaryFile(dir=self.folder) as file:
            file.write(tbs)
            file.flush()
            key = matrix.CERTIFICATES[made.issuer or name].key
            signature = self.run('dgst', '-' + made.digest, '-sign', 'key-{}.pem'.format(key), file.name)
        whole = tlv(0x30, tbs + algorithm + tlv(0x03, b'\0' + signature))
        self.run('x509', '-inform', 'DER', '-out', name + '.pem', input=whole)

    def crl(self, name, made):
        """A revocation list; `openssl ca` keeps a database, which here is one file of lines."""
        issuer = matrix.CERTIFICATES[made.issuer]
        with open(os.path.join(self.folder, name + '.index'), 'w') as out:
            for revoked in made.revoked:
                number = self.run('x509', '-in', revoked + '.pem', '-noout', '-serial').decode().split('=')[1].strip()
                out.write('R\t400101000000Z\t200101000000Z\t{}\tunknown\t/CN={}\n'.format(number, revoked))
        with open(os.path.join(self.folder, name + '.cnf'), 'w') as out:
            out.write('[ca]\ndefault_ca=c\n[c]\ndatabase={0}.index\ncrlnumber={0}.number\ndefault_md=sha256\n'
                      'crl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n'.format(name))
        with open(os.path.join(self.folder, name + '.number'), 'w') as out:
            out.write('01\n')
        self.run('ca', '-gencrl', '-config', name + '.cnf', '-cert', made.issuer + '.pem', '-keyfile',
                 'key-{}.pem'.format(issuer.key), '-crl_lastupdate', made.dates[0], '-crl_nextupdate', made.dates[1],
                 '-out', name + '.pem')

    def join(self, name, parts):
        with open(self.path(name), 'w') as out:
            for part in parts:
                with open(self.path(part)) as text:
                    out.write(text.read())


def inside(der, at):
    """Start and end of the contents of the DER value at that place."""
    length = der[at + 1]
    start = at + 2
    if length >= 0x80:
        start += length - 0x80
        length = int.from_bytes(der[at + 2:start], 'big')
    return start, start + length


def tlv(tag, contents):
    length = len(contents)
    if length < 0x80:
        return bytes([tag, length]) + contents
    octets = length.to_bytes((length.bit_length() + 7) // 8, 'big')
    return bytes([tag, 0x80 + len(octets)]) + octets + contents


def make(folder, openssl='openssl'):
    os.makedirs(folder, exist_ok=True)
    maker = Maker(os.path.abspath(folder), openssl)
    for kind, arguments in KEYS.items():
        maker.key(kind, arguments)
    for name, made in matrix.CERTIFICATES.items():
        maker.certificate(name, made)
    for name, made in matrix.CRLS.items():
        maker.crl(name, made)
    for name, parts in matrix.chains().items():
        maker.join('chain-' + name, parts)
    for name, parts in matrix.TRUST.items():
        maker.join('trust-' + name, parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('folder')
    parser.add_argument('--openssl', default='openssl')
    arguments = parser.parse_args()
    make(arguments.folder, arguments.openssl)
    print('made {} certificates, {} revocation lists'.format(len(matrix.CERTIFICATES), len(matrix.CRLS)))


if __name__ == '__main__':
    main()
