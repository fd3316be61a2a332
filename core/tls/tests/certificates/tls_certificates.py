#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The certificate matrix: CPython's verdict, rill's verdict, and the verdict by thought, row by row.

    tls_certificates.py FOLDER [--driver PROGRAM] [--show] [--match TEXT]

FOLDER is what make_certificates.py made. PROGRAM is certificate_driver, which asks rill; without it only CPython is
asked. The last line counts the certificates and the answers that nobody expects: rill's that differ from CPython's
or, where a departure is listed, from that; and CPython's that differ from the table.
"""
import argparse
import ipaddress
import os
import sys

import rill_verdicts
import rows
import verdicts


def is_address(name):
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def differences(row, cpython, rill):
    """Where rill's verdict is not CPython's, or not the one that the table has for a departure."""
    if row.rill is not None:
        if rill.answer() != row.rill:
            yield 'rill answers {}, its departure is {}'.format(rill.answer(), row.rill)
        return
    fields = ['kind', 'reason', 'code', 'message', 'text', 'sni', 'alert']
    if rill.kind == cpython.kind == 'ValueError':
        fields = ['kind']       # the codec's texts change from version to version
    elif cpython.kind != 'accept' and cpython.alert is None:
        fields.remove('alert')  # it failed before there was a handshake
    for field in fields:
        theirs, ours = getattr(cpython, field), getattr(rill, field)
        if theirs != ours:
            yield '{}: CPython {!r}, rill {!r}'.format(field, theirs, ours)


def unexpected(row, column, cpython, rill):
    """What is wrong with the answers, in words."""
    want = getattr(row, column)
    if cpython.answer() != want:
        yield 'CPython answers {}, the table has {}'.format(cpython.answer(), want)
    if rill is not None:
        yield from differences(row, cpython, rill)
    for who, verdict in (('CPython', cpython), ('rill', rill)):
        if verdict is not None and verdict.sni is not None and is_address(verdict.sni):
            yield '{} sends the address {} as a name'.format(who, verdict.sni)


def judge_all(arguments, folder, rill):
    """The number of unexpected answers, and of all that were asked for."""
    wrong = asked = 0
    for row in rows.ROWS:
        if arguments.match not in row.name():
            continue
        for column in row.columns():
            asked += 1
            theirs = verdicts.judge(folder, row, column)
            ours = rill.judge(row, column) if rill is not None else None
            if arguments.show:
                print('{} {}\n  CPython {}\n  rill    {}'.format(row.name(), column, theirs, ours))
            texts = list(unexpected(row, column, theirs, ours))
            wrong += bool(texts)
            for text in texts:
                print('UNEXPECTED {} {} ({}): {}'.format(row.name(), column, row.shows, text))
    return wrong, asked


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('folder')
    parser.add_argument('--driver')
    parser.add_argument('--show', action='store_true')
    parser.add_argument('--match', default='')
    arguments = parser.parse_args()
    folder = verdicts.Folder(os.path.abspath(arguments.folder))
    folder.use_as_system()
    rill = rill_verdicts.Rill(arguments.driver, folder) if arguments.driver else None
    try:
        wrong, asked = judge_all(arguments, folder, rill)
    finally:
        status = rill.close() if rill is not None else 0
    if status != 0:
        wrong += 1
        print('UNEXPECTED the driver failed: {}'.format(status))
    chosen = [row for row in rows.ROWS if arguments.match in row.name()]
    print('rows={} verdicts={} departures={} {}'.format(
        len(chosen), asked, sum(row.rill is not None for row in chosen),
        'CPython and rill' if rill is not None else 'CPython alone'))
    print('certificates={} unexpected={}'.format(len({row.chain for row in chosen if row.chain}), wrong))
    return 1 if wrong or not asked else 0


if __name__ == '__main__':
    sys.exit(main())
