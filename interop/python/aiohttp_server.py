"""The server of python3-aiohttp. Its orders are those of ../doc.go."""

import asyncio
import socket
import struct

import aiohttp
from aiohttp import WSMsgType, web

from settings import SUBPROTOCOL, say, settings


async def close(ws, code="1000", reason=""):
    await ws.close(code=int(code), message=reason.encode())


async def ping(ws, payload):
    await ws.ping(payload.encode())


async def pong(ws, payload):
    if payload == b"reset":
        linger = struct.pack("ii", 1, 0)
        ws.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        ws.transport.abort()
    else:
        await ws.send_str("pong " + payload.decode())


async def burst(ws, size):
    ws.burst = asyncio.create_task(ws.send_str("x" * (int(size) << 20)))


async def send(ws, count):
    for i in range(int(count)):
        await ws.send_str(f"message {i}")


async def cut(ws, count):
    await send(ws, count)
    ws.transport.close()


async def reset(ws, count):
    await send(ws, count)
    await ws.ping(b"reset")  # a RST discards what was not sent yet


ORDERS = {"close": close, "ping": ping, "burst": burst, "cut": cut, "reset": reset}


def handler(setting):
    async def serve(request):
        ws = web.WebSocketResponse(protocols=[SUBPROTOCOL], compress=not setting.off, max_msg_size=0, autoping=False)
        await ws.prepare(request)
        ws.transport = request.transport
        while not ws.closed:
            message = await ws.receive()
            if message.type == WSMsgType.CLOSE:
                say("closed", message.data or 1005, message.extra)
            elif message.type == WSMsgType.PING:
                await ws.pong(message.data)
            elif message.type == WSMsgType.PONG:
                await pong(ws, message.data)
            elif message.type == WSMsgType.BINARY:
                await ws.send_bytes(message.data)
            elif message.type == WSMsgType.TEXT:
                await obey(ws, message.data)
        return ws

    return serve


async def obey(ws, text):
    order = ORDERS.get(text[:200].split(" ")[0])
    if order:
        await order(ws, *text.split(" ", 2)[1:])
    else:
        await ws.send_str(text)


async def main():
    say("version", aiohttp.__version__)
    for setting in settings():
        app = web.Application()
        app.router.add_get("/", handler(setting))
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        say("listening", site._server.sockets[0].getsockname()[1])
    await asyncio.Future()


asyncio.run(main())
