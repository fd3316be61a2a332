# SPDX-License-Identifier: MIT
"""tools/bench's server on CPython's asyncio streams, as its documentation would write it (3.7+); over TLS when given a certificate."""
import asyncio
import os
import ssl
import sys


async def echo(reader, writer):
    try:
        while True:
            line = await reader.readline()
            if not line:
                break
            writer.write(line)
            await writer.drain()
    finally:  # older versions leave the connection of a failed handler open
        writer.close()


async def lines(reader, writer):
    count = size = 0
    try:
        while True:
            line = await reader.readline()
            if not line:
                break
            count += 1
            size += len(line)
        writer.write(b"%d %d\n" % (count, size))
        await writer.drain()
    finally:
        writer.close()


async def messages(reader, writer):
    count = size = 0
    try:
        while True:
            try:
                message = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            count += 1
            size += len(message)
        writer.write(b"%d %d\n" % (count, size))
        await writer.drain()
    finally:
        writer.close()


async def bulk(reader, writer):
    try:
        while True:
            data = await reader.read(65536)
            if not data:
                break
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


async def main(work, context):
    server = await asyncio.start_server(work, "127.0.0.1", 0, backlog=1024, ssl=context)
    port = server.sockets[0].getsockname()[1]
    print("listening port=%d pid=%d" % (port, os.getpid()), flush=True)
    await server.serve_forever()


def load_context(certificate, key):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


if __name__ == "__main__":
    WORKS = {"echo": echo, "lines": lines, "messages": messages, "bulk": bulk}
    if len(sys.argv) not in (2, 4) or sys.argv[1] not in WORKS:
        sys.exit("usage: server_asyncio.py echo|lines|messages|bulk [CERTIFICATE KEY]")
    asyncio.run(main(WORKS[sys.argv[1]], load_context(*sys.argv[2:]) if sys.argv[2:] else None))
