#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The certificate matrix: CPython's verdict, rill's verdict, and the verdict by thought, row by row.

    tls_certificates.py FOLDER [--driver PROGRAM] [--show] [--match TEXT]

FOLDER is what make_certificates.py made. PROGRAM is certificate_driver, which asks rill; without it only CPython is
asked. The last line counts the certificates and the answers that nobody expects: rill's that differ from CPython's
or, where a departure is listed, from that; and CPython's that differ from the table.
"""
import argparse
import sys

import matrix
import rows
import verdicts


def unexpected(row, column, cpython, rill):
    """What is wrong with the answers, in words."""
    want = getattr(row, column)
    if cpython.answer() != want:
        yield 'CPython answers {}, the table has {}'.format(cpython.answer(), want)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('folder')
    parser.add_argument('--driver')
    parser.add_argument('--show', action='store_true')
    parser.add_argument('--match', default='')
    arguments = parser.parse_args()
    folder = verdicts.Folder(arguments.folder)
    wrong = 0
    for row in rows.ROWS:
        if arguments.match not in row.name():
            continue
        for column in verdicts.COLUMNS:
            cpython = verdicts.judge(folder, row, column)
            if arguments.show:
                print(row.name(), column, cpython)
            for text in unexpected(row, column, cpython, None):
                wrong += 1
                print('UNEXPECTED {} {} ({}): {}'.format(row.name(), column, row.shows, text))
    used = {row.chain for row in rows.ROWS if row.chain and arguments.match in row.name()}
    print('certificates={} unexpected={}'.format(len(used), wrong))
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
