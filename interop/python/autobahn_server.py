"""The server of python3-autobahn on Twisted. Its orders are those of ../doc.go."""

import autobahn
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
from twisted.internet import reactor

from settings import SUBPROTOCOL, say, settings


class Server(WebSocketServerProtocol):
    def onConnect(self, request):
        return SUBPROTOCOL if SUBPROTOCOL in request.protocols else None

    def onMessage(self, payload, isBinary):
        order, *rest = payload[:200].decode().split(" ", 2) if not isBinary else [""]
        if order in ("close", "ping", "burst", "cut", "reset"):
            getattr(self, "order_" + order)(*rest)
        else:
            self.sendMessage(payload, isBinary)

    def order_close(self, code=None, reason=None):
        self.sendClose(int(code) if code else None, reason)

    def order_ping(self, payload):
        self.sendPing(payload.encode())

    def onPong(self, payload):
        if payload == b"reset":
            self.transport.abortConnection()
        else:
            self.sendMessage(b"pong " + payload)

    def order_burst(self, size):
        self.sendMessage(b"x" * (int(size) << 20))

    def send(self, count):
        for i in range(int(count)):
            self.sendMessage(b"message %d" % i)

    def order_cut(self, count):
        self.send(count)
        self.transport.loseConnection()

    def order_reset(self, count):
        self.send(count)
        self.sendPing(b"reset")  # a RST discards what was not sent yet

    def onClose(self, wasClean, code, reason):
        if wasClean:
            say("closed", self.remoteCloseCode or 1005, self.remoteCloseReason or "")


def accept(setting):
    def choose(offers):
        for offer in offers:
            if not isinstance(offer, PerMessageDeflateOffer) or setting.off:
                continue
            bits = min(filter(None, (setting.server_max_window_bits, offer.request_max_window_bits)), default=None)
            return PerMessageDeflateOfferAccept(
                offer,
                request_no_context_takeover=setting.client_no_context_takeover,
                request_max_window_bits=setting.client_max_window_bits if offer.accept_max_window_bits else 0,
                no_context_takeover=setting.server_no_context_takeover or offer.request_no_context_takeover,
                window_bits=bits,
            )

    return choose


say("version", autobahn.__version__)
for setting in settings():
    factory = WebSocketServerFactory()
    factory.protocol = Server
    factory.setProtocolOptions(perMessageCompressionAccept=accept(setting))
    say("listening", reactor.listenTCP(0, factory, interface="127.0.0.1").getHost().port)
reactor.run()
