"""The server of python3-websockets. Its orders are those of ../doc.go."""

import asyncio
import contextlib
import socket
import struct

import websockets
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

from settings import SUBPROTOCOL, say, settings


def extensions(setting):
    if setting.off:
        return []
    return [
        ServerPerMessageDeflateFactory(
            server_no_context_takeover=setting.server_no_context_takeover,
            client_no_context_takeover=setting.client_no_context_takeover,
            server_max_window_bits=setting.server_max_window_bits or None,
            client_max_window_bits=setting.client_max_window_bits or None,
        )
    ]


async def close(ws, code="1000", reason=""):
    await ws.close(int(code), reason)


async def ping(ws, payload):
    await (await ws.ping(payload))
    await ws.send("pong " + payload)


async def burst(ws, size):
    async def message():
        with contextlib.suppress(websockets.ConnectionClosed):
            await ws.send("x" * (int(size) << 20))

    ws.burst = asyncio.create_task(message())


async def send(ws, count):
    for i in range(int(count)):
        await ws.send(f"message {i}")


async def cut(ws, count):
    await send(ws, count)
    ws.transport.abort()


async def reset(ws, count):
    await send(ws, count)
    await (await ws.ping("reset"))  # a RST discards what was not sent yet
    linger = struct.pack("ii", 1, 0)
    ws.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    ws.transport.abort()


ORDERS = {"close": close, "ping": ping, "burst": burst, "cut": cut, "reset": reset}


async def serve(ws):
    with contextlib.suppress(websockets.ConnectionClosed):
        async for message in ws:
            order = ORDERS.get(message.split(" ")[0]) if isinstance(message, str) else None
            if order:
                await order(ws, *message.split(" ", 2)[1:])
            else:
                await ws.send(message)
    if ws.close_rcvd:
        say("closed", ws.close_rcvd.code, ws.close_rcvd.reason)


async def main():
    say("version", websockets.__version__)
    for setting in settings():
        server = await websockets.serve(
            serve,
            "127.0.0.1",
            0,
            compression=None,
            extensions=extensions(setting),
            subprotocols=[SUBPROTOCOL],
            max_size=None,
            ping_interval=None,
        )
        say("listening", server.sockets[0].getsockname()[1])
    await asyncio.Future()


asyncio.run(main())
