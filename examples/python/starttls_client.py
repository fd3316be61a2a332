# SPDX-License-Identifier: MIT
#
# Speaks SMTP with a server that must offer STARTTLS, and asks it about a name over TLS. Refuses to
# go on without TLS, whoever it is that keeps the server from offering it, and refuses a server
# that says more in clear than it should. Needs Python 3.11. Twin of ../starttls_client.c.
import asyncio
import ssl

from endpoint import endpoint

PATIENCE_S = 30.0    # for the whole talk
REPLY_MAX_LINES = 64


async def read_reply(reader):
    """A reply: lines that begin with a three-digit code, `-` behind it on all but the last. Whether one of the lines
    was STARTTLS; an error unless its code begins with `2`."""
    starttls = False
    for _ in range(REPLY_MAX_LINES):
        line = await reader.readuntil(b'\r\n')
        line = line[:-2]
        print(f'S: {line!r}')
        if len(line) < 3 or line[:1] != b'2':
            raise RuntimeError('the server refuses')
        starttls |= line[4:] == b'STARTTLS'
        if line[3:4] != b'-':
            return starttls
    raise RuntimeError("the server's reply has no end")


async def say(reader, writer, line):
    print(f'C: {line}')
    writer.write(line.encode() + b'\r\n')
    await writer.drain()
    return await read_reply(reader)


async def go_over_to_tls(reader, writer, context, host):
    """Up to the point where the stream is safe. Everything heard before it is forgotten: anybody could have said it."""
    await read_reply(reader)
    starttls = await say(reader, writer, 'EHLO localhost')
    if not starttls:
        raise RuntimeError('the server does not offer STARTTLS')
    await say(reader, writer, 'STARTTLS')
    # asyncio would keep these bytes and give them out as if they had come over TLS; rill's start_tls
    # refuses them with this text.
    early = len(reader._buffer)
    if early > 0:
        raise RuntimeError(f'start_tls() with {early} bytes received in clear and not read yet')
    await writer.start_tls(context, server_hostname=host)
    _, protocol, _ = writer.get_extra_info('cipher')
    print(f'Over {protocol}')


async def talk_over_tls(reader, writer):
    for line in 'EHLO localhost', 'VRFY ann', 'QUIT':
        await say(reader, writer, line)
    writer.close()
    await writer.wait_closed()


async def main(cafile, host, port):
    context = ssl.create_default_context(cafile=cafile)
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            await go_over_to_tls(reader, writer, context, host)
            await talk_over_tls(reader, writer)
        finally:
            writer.close()


asyncio.run(main(*endpoint('starttls_client', 'CAFILE')))
