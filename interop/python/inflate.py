"""Inflates the messages of one connection with zlib, in a window of exactly
2^bits bytes that is kept from message to message.

The argument is bits. A message is its length, as four bytes, and its bytes: as
RFC 7692 has them on standard input, and as they were on standard output. What
refers back too far is an error.
"""

import struct
import sys
import zlib

TAIL = b"\x00\x00\xff\xff"


def inflate(state, data):
    # zlib compares distances with its window only for what was there before the
    # call: so each call may add one byte.
    plain = bytearray()
    for i in range(len(data)):
        rest = data[i : i + 1]
        while piece := state.decompress(rest, 1):
            plain += piece
            rest = state.unconsumed_tail
    return plain


def main():
    state = zlib.decompressobj(wbits=-int(sys.argv[1]))
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    while head := stdin.read(4):
        plain = inflate(state, stdin.read(*struct.unpack(">I", head)) + TAIL)
        stdout.write(struct.pack(">I", len(plain)) + plain)


main()
