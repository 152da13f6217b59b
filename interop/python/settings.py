"""What every server here reads from its arguments and writes to its output.

Each argument is one setting of permessage-deflate, for which the server
listens on a port of its own: "off", or the parameters that the server insists
on, such as "server_no_context_takeover; client_max_window_bits=10".
"""

import sys

SUBPROTOCOL = "v1.wsflow"


class Setting:
    def __init__(self, text):
        self.off = text == "off"
        given = dict(part.strip().partition("=")[::2] for part in text.split(";"))
        self.server_no_context_takeover = "server_no_context_takeover" in given
        self.client_no_context_takeover = "client_no_context_takeover" in given
        self.server_max_window_bits = int(given.get("server_max_window_bits", 0))
        self.client_max_window_bits = int(given.get("client_max_window_bits", 0))


def settings():
    return [Setting(text) for text in sys.argv[1:]]


def say(*words):
    print(*words, flush=True)
