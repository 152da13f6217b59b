"""The server of python3-tornado. Its orders are those of ../doc.go."""

import asyncio
import socket
import struct

import tornado
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketHandler

from settings import SUBPROTOCOL, say, settings


class Server(WebSocketHandler):
    def initialize(self, setting):
        self.setting = setting

    def select_subprotocol(self, subprotocols):
        return SUBPROTOCOL if SUBPROTOCOL in subprotocols else None

    def get_compression_options(self):
        return None if self.setting.off else {}

    def open(self):
        self.wire = self.ws_connection

    async def on_message(self, message):
        order, *rest = message.split(" ", 2) if isinstance(message, str) else [""]
        if order in ("close", "ping", "burst", "cut", "reset"):
            await getattr(self, "order_" + order)(*rest)
        else:
            await self.write_message(message, binary=isinstance(message, bytes))

    async def order_close(self, code=None, reason=None):
        self.close(int(code) if code else None, reason)

    async def order_ping(self, payload):
        self.ping(payload)

    def on_pong(self, payload):
        if payload == b"reset":
            sock = self.wire.stream.socket
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.wire.stream.close()
        else:
            self.write_message("pong " + payload.decode())

    async def order_burst(self, size):
        self.burst = asyncio.ensure_future(self.write_message("x" * (int(size) << 20)))

    async def send(self, count):
        for i in range(int(count)):
            await self.write_message(f"message {i}")

    async def order_cut(self, count):
        await self.send(count)
        self.wire.stream.close()

    async def order_reset(self, count):
        await self.send(count)
        self.ping(b"reset")  # a RST discards what was not sent yet

    def on_close(self):
        if self.wire.client_terminated:
            say("closed", self.close_code or 1005, self.close_reason or "")


async def main():
    say("version", tornado.version)
    for setting in settings():
        server = HTTPServer(Application([("/", Server, {"setting": setting})], websocket_max_message_size=32 << 20))
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        say("listening", sockets[0].getsockname()[1])
    await asyncio.Future()


asyncio.run(main())
