"""Runs in wstest's own Python 2.7: prints what each of Autobahn's cases does and accepts, a JSON object a line."""

from __future__ import print_function

import binascii
import hashlib
import json

from autobahn.websocket.protocol import TrafficStats, WebSocketProtocol
from autobahntestsuite import fuzzing
from autobahntestsuite.case import Cases


class Factory(object):
    isServer = False
    perMessageCompressionOffers = []


class Recorder(fuzzing.FuzzingClientProtocol):
    """Autobahn's protocol, open, unmasked, without a network: what it would do is written down."""

    def __init__(self):
        self.steps = []
        self.factory = Factory()
        self.state = WebSocketProtocol.STATE_OPEN
        self.send_state = WebSocketProtocol.SEND_STATE_GROUND
        self.websocket_version = 18
        self.maskClientFrames = False
        self.applyMask = True
        self.autoFragmentSize = 0
        self.logFrames = False
        self.debug = self.debugCodePaths = False
        self.trackedTimings = None
        self._perMessageCompress = None
        self.closeHandshakeTimeout = 0
        self.trafficStats = TrafficStats()
        self.createWirelog = True
        self.wirelog = []
        self.later = []

    def sendData(self, data, sync=False, chopsize=None):
        how = chopsize or ("apart" if sync else "together")
        last = ([step for step in self.steps if step[0] != "closes"] or [[None]])[-1]
        if last[0] == "send" and last[2] == how == "together":
            last[1] += data  # one write: where a frame ends makes no difference
        else:
            self.steps.append(["send", data, how])

    def continueLater(self, delay, fun, tag=None):
        self.steps.append(["pause", delay, tag])
        self.later.append(fun)

    def killAfter(self, delay):
        self.steps.append(["fail after", delay])

    def closeAfter(self, delay):
        self.steps.append(["close after", delay])

    def sendCloseFrame(self, code=None, reasonUtf8=None, isReply=False):
        # stays open, so that what follows is written down too
        WebSocketProtocol.sendCloseFrame(self, code, reasonUtf8, isReply)
        self.steps.append(["closes"])
        self.state = WebSocketProtocol.STATE_OPEN


def octets(data):
    """Hexadecimal digits, or length and digest where they are many."""
    if len(data) <= 512:
        return binascii.hexlify(data).decode("ascii")
    return "%d:%s" % (len(data), hashlib.sha256(data).hexdigest())


def event(seen):
    return [seen[0]] + [octets(x) if isinstance(x, bytes) and seen[0] != "timeout" else x for x in seen[1:]]


def describe(case_class):
    protocol = Recorder()
    about = {"id": ".".join(case_class.__name__[4:].split("_"))}
    case = case_class(protocol)
    if hasattr(case, "CLIENT_OFFERS"):
        about["exchange"] = {
            "offer": ", ".join(offer.getExtensionString() for offer in case.CLIENT_OFFERS),
            "size": case.LEN,
            "count": case.COUNT,
            "seconds": case.WAITSECS,
            "fragment": case.AUTOFRAGSIZE,
            "binary": case.TESTDATA["binary"],
            "file": case.TESTDATA["file"],
        }
    else:
        case.onOpen()
        while protocol.later:
            protocol.later.pop(0)()
        about["accepted"] = dict((verdict, [event(e) for e in events]) for verdict, events in case.expected.items())
        for name in ("DATALEN", "LEN"):
            if hasattr(case, name) and about["id"].startswith("9."):
                about["size"] = getattr(case, name)
        about["count"] = getattr(case, "COUNT", 1)
    close = case.expectedClose
    about["close"] = [
        close["closedByMe"],
        close["closeCode"],
        close["requireClean"],
        close.get("closedByWrongEndpointIsFatal", False),
    ]
    about["closes"] = not case.suppressClose
    about["steps"] = [
        [
            octets(part) if isinstance(part, bytes) and step[0] == "send" and number == 1 else part
            for number, part in enumerate(step)
        ]
        for step in protocol.steps
    ]
    return about


for case_class in Cases:
    print(json.dumps(describe(case_class), sort_keys=True))
