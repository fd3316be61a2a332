# SPDX-License-Identifier: MIT
#
# A small mail server that knows EHLO, STARTTLS, NOOP, VRFY and QUIT: a connection begins in clear
# and goes on over TLS (RFC 3207). Bytes that came in clear behind STARTTLS are refused: somebody
# on the way could have put them there, to be taken for the client's own words over TLS. Ends by
# Ctrl-C. Needs Python 3.11. Twin of ../starttls_server.c.
import asyncio
import ssl

from endpoint import endpoint

IDLE_S = 60.0    # a client that says nothing for so long is let go
LINE_MAX = 512   # RFC 5321, 4.5.3.1.4


class Session:
    def __init__(self, reader, writer, context):
        self.reader = reader
        self.writer = writer
        self.context = context
        self.over_tls = False
        self.over = False

    async def reply(self, line):
        """One line to the client, and to stdout."""
        print(f'S: {line}')
        self.writer.write(line.encode() + b'\r\n')
        await self.writer.drain()

    async def read_line(self):
        """The client's next line without its end."""
        try:
            async with asyncio.timeout(IDLE_S):
                line = await self.reader.readuntil(b'\r\n')
        except asyncio.IncompleteReadError:    # gone, at the end of a line or within one
            self.over = True
            return b''
        line = line[:-2]
        print(f'C: {line!r}')
        return line

    async def say_hello(self):
        if self.over_tls:
            await self.reply('250 localhost')
        else:
            await self.reply('250-localhost')
            await self.reply('250 STARTTLS')

    async def start_tls(self):
        if self.over_tls:
            await self.reply('503 TLS is on already')
            return
        # asyncio's start_tls would keep these bytes and give them out as if they had come over TLS,
        # and it has no public name for them.
        early = len(self.reader._buffer)
        if early > 0:
            self.over = True
            await self.reply(f'554 Refused: {early} bytes in clear behind STARTTLS')
            return
        await self.reply('220 Ready to start TLS')
        try:
            await self.writer.start_tls(self.context)
        except OSError as error:    # the connection is closed: nothing may be said in clear any more
            print(f'No TLS: {type(error).__name__}')
            self.over = True
            return
        _, protocol, _ = self.writer.get_extra_info('cipher')
        self.over_tls = True
        print(f'Over {protocol}')

    async def verify(self, name):
        if not self.over_tls:
            await self.reply('530 Must issue a STARTTLS command first')
        elif not all(b' '[0] < letter <= b'~'[0] for letter in name):
            await self.reply('501 That is no name')
        else:
            await self.reply(f'250 <{name.decode()}@localhost>')

    async def answer(self, line):
        command, _, argument = line.partition(b' ')
        command = command.upper()
        if command == b'EHLO':
            await self.say_hello()
        elif command == b'STARTTLS':
            await self.start_tls()
        elif command == b'NOOP':
            await self.reply('250 OK')
        elif command == b'VRFY':
            await self.verify(argument)
        elif command == b'QUIT':
            self.over = True
            await self.reply('221 Bye')
        else:
            await self.reply('500 Command not recognized')


def handler(context):
    async def handle_client(reader, writer):
        session = Session(reader, writer, context)
        try:
            await session.reply('220 localhost ESMTP')
            while not session.over:
                line = await session.read_line()
                if not session.over:
                    await session.answer(line)
        except (OSError, asyncio.LimitOverrunError) as error:
            # A line too long, a reset, a client that sleeps: no fault of ours.
            print(f'Lost a client: {type(error).__name__}')
        finally:
            writer.close()
    return handle_client


def make_context(certfile, keyfile):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certfile, keyfile)
    return context


# No `ssl` for the server: the context is for start_tls.
async def main(certfile, keyfile, host, port):
    context = make_context(certfile, keyfile)
    server = await asyncio.start_server(handler(context), host, port, limit=LINE_MAX)

    print(f'Serving on {server.sockets[0].getsockname()}', flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main(*endpoint('starttls_server', 'CERTFILE', 'KEYFILE')))
