# SPDX-License-Identifier: MIT
"""A testee that misbehaves as its argument says, for the tests of the runner. It answers every case alike."""
import json
import os
import struct
import sys
import time


def send(message):
    body = json.dumps(message).encode()
    os.write(1, struct.pack(">I", len(body)) + body)


def receive():
    head = sys.stdin.buffer.read(4)
    return json.loads(sys.stdin.buffer.read(struct.unpack(">I", head)[0]).decode()) if len(head) == 4 else None


def send_ports(meet):
    """Two addresses whose ports are equal by chance now and then, or always."""
    ports = (4711, 4711 if meet else 4712)
    for name, port in zip(("server", "server2"), ports):
        send({"ev": "port", "step": 1, "name": name, "port": port})
    send({"ev": "result", "step": 1, "id": "r1", "value": "('a', %d) ('b', %d) 4712" % ports})


def answer(manner, count):
    send({"ev": "step", "step": 1})
    if manner == "crash":
        sys.stderr.write("about to fail\n")
        sys.stderr.flush()
        os.abort()
    if manner == "hang":
        time.sleep(600)
    if manner.startswith("ports"):
        send_ports(meet=manner == "ports-always" or count % 3 == 1)
    else:
        send({"ev": "result", "step": 1, "id": "r1", "bytes": str(count) if manner == "flaky" else "abc"})
    if manner == "leak":
        send({"ev": "leak", "step": 2, "what": "descriptors", "count": 1})
    send({"ev": "end", "step": 2})


def main(manner):
    send({"ev": "hello", "protocol": 2 if manner == "protocol" else 1, "name": manner, "version": "0.1",
          "implementation": "fake", "capabilities": ["core"], "backends": ["mem"]})
    count = 0
    while True:
        script = receive()
        if script is None or "quit" in script:
            sys.exit(23 if manner == "bad-end" else 0)
        if script["run"].startswith("protocol/") and manner != "eager":
            send({"ev": "skip", "reason": "no such call"})
            continue
        count += 1
        name, _, place = manner.partition("@")      # crash@bad: in cases of that name only
        answer(name if not place or script["run"].endswith("/" + place) else "good", count)


if __name__ == "__main__":
    main(sys.argv[1])
