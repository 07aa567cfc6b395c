"""What can be wrong with an answer to an offer of permessage-deflate (RFC 7692 5, 7.1). All need COMPRESSION=1."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.faulty.connection import Connection
from tests.faulty.deflate import Deflate, Parameters

# Offers that it should decline


class AgreesToUnknownParameters(Connection):
    """Agrees to an offer with a parameter that nobody knows."""

    skips = frozenset({"unknown parameters"})


class AgreesToRepeatedParameters(Connection):
    """Agrees to an offer that says a parameter twice."""

    skips = frozenset({"repeated parameters"})


class AgreesToValuesOfTakeover(Connection):
    """Agrees to an offer of no_context_takeover with a value."""

    skips = frozenset({"values of takeover"})


class AgreesToAnyWindow(Connection):
    """Agrees to an offer with a window size that is none, as if it were not there."""

    skips = frozenset({"window sizes"})


class AgreesToServerWindowWithoutSize(Connection):
    """Agrees to an offer of server_max_window_bits without a value."""

    skips = frozenset({"window without a size"})


class TakesWindow(Connection):
    """Takes N for a window size, and answers with the nearest that there is."""

    def negotiate(self, offers: str) -> Parameters | None:
        nearest = min(max(int(self.argument), 9), 15)
        return super().negotiate(re.sub(rf"=\s*{self.argument}\b", f"={nearest}", offers))


class TakesNineForEight(Connection):
    """Answers with server_max_window_bits=9 where 8 was asked for."""

    def negotiate(self, offers: str) -> Parameters | None:
        return super().negotiate(re.sub(r"(server_max_window_bits)=8\b", r"\1=9", offers))


class ByThePrefix(Connection):
    """Knows an extension by the beginning of its name."""

    def negotiate(self, offers: str) -> Parameters | None:
        return super().negotiate(re.sub(r"permessage-deflate[a-z-]+", "permessage-deflate", offers))


# Offers that it should take as they are


class TakesTheLastOffer(Connection):
    """Agrees to the last offer in place of the first."""

    def negotiate(self, offers: str) -> Parameters | None:
        return super().negotiate(",".join(reversed(offers.split(","))))


class TakesNoServerTakeover(Connection):
    """Declines an offer that asks for server_no_context_takeover."""

    def negotiate(self, offers: str) -> Parameters | None:
        agreed = super().negotiate(offers)
        return None if agreed and agreed.server_no_context_takeover else agreed


# Answers


class _Agrees(Connection):
    """Says something else than what it agreed to."""

    def extensions(self, parameters: Parameters | None) -> list[str]:
        return super().extensions(parameters and self.said(parameters))

    def said(self, parameters: Parameters) -> Parameters:
        raise NotImplementedError


class AnswersClientWindow(_Agrees):
    """Answers with client_max_window_bits, whether that was offered or not."""

    def said(self, parameters: Parameters) -> Parameters:
        return replace(parameters, client_max_window_bits=parameters.client_max_window_bits or 15)


class AnswersLargerServerWindow(_Agrees):
    """Answers with a server_max_window_bits of 15 where less was asked for, and compresses so."""

    def new_deflate(self, parameters: Parameters) -> Deflate:
        return super().new_deflate(self.said(parameters))

    def said(self, parameters: Parameters) -> Parameters:
        return replace(parameters, server_max_window_bits=parameters.server_max_window_bits and 15)


class AnswersLargerClientWindow(_Agrees):
    """Answers with a client_max_window_bits of 15 where the client said that it has less."""

    def said(self, parameters: Parameters) -> Parameters:
        return replace(parameters, client_max_window_bits=parameters.client_max_window_bits and 15)


class LeavesServerWindowOut(_Agrees):
    """Leaves the server_max_window_bits that was asked for out of its answer, and compresses as it likes."""

    def new_deflate(self, parameters: Parameters) -> Deflate:
        return super().new_deflate(self.said(parameters))

    def said(self, parameters: Parameters) -> Parameters:
        return replace(parameters, server_max_window_bits=None)


class LeavesServerTakeoverOut(_Agrees):
    """Leaves the server_no_context_takeover that was asked for out of its answer, and keeps its context."""

    def new_deflate(self, parameters: Parameters) -> Deflate:
        return super().new_deflate(self.said(parameters))

    def said(self, parameters: Parameters) -> Parameters:
        return replace(parameters, server_no_context_takeover=False)


class RepeatsTheOffer(Connection):
    """Answers with the offer as it stands."""

    offers = ""

    def negotiate(self, offers: str) -> Parameters | None:
        self.offers = offers
        return super().negotiate(offers)

    def extensions(self, parameters: Parameters | None) -> list[str]:
        return [self.offers] if parameters else []


class AgreesToEachOffer(Connection):
    """Agrees to each of several offers."""

    offers = ""

    def negotiate(self, offers: str) -> Parameters | None:
        self.offers = offers
        return super().negotiate(offers)

    def extensions(self, _parameters: Parameters | None) -> list[str]:
        agreed = (super(AgreesToEachOffer, self).negotiate(offer) for offer in self.offers.split(","))
        return [str(one) for one in agreed if one]


class CompressesTenForEight(TakesNineForEight):
    """Answers with server_max_window_bits=8 where 8 or 9 was asked for, and compresses with a window of 10 bits."""

    def new_deflate(self, parameters: Parameters) -> Deflate:
        bits = parameters.server_max_window_bits
        return super().new_deflate(replace(parameters, server_max_window_bits=10 if bits == 9 else bits))

    def extensions(self, parameters: Parameters | None) -> list[str]:
        return [extension.replace("=9", "=8") for extension in super().extensions(parameters)]
