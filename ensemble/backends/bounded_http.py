"""An HTTP transport for servers that are not trusted: a reply has a largest size, a last moment and no packing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx

from ensemble.errors import EndpointError


class BoundedTransport(httpx.BaseTransport):
    """Raises EndpointError for a reply above `max_bytes`, httpx.ReadTimeout for one that takes longer in all than
    the request's read time-out, however steadily it trickles in."""

    def __init__(self, *, max_bytes: int, concurrency: int, encrypted: bool) -> None:
        limits = httpx.Limits(max_connections=concurrency + 4, max_keepalive_connections=concurrency)
        # Reading the certificates takes 50 ms; a transport without them is used for plain http:// only.
        self._transport = httpx.HTTPTransport(limits=limits, verify=encrypted)
        self._max_bytes = max_bytes

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        deadline = time.monotonic() + float(request.extensions["timeout"]["read"])
        response = self._transport.handle_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            response.close()  # a few packed bytes may unfold to gigabytes, and none were asked for
            raise EndpointError(
                "The server sent a compressed reply, which was not asked for.", transient=False
            )
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = BoundedStream(response.stream, max_bytes=self._max_bytes, deadline=deadline)
        return response

    def close(self) -> None:
        self._transport.close()


class BoundedStream(httpx.SyncByteStream):
    """A reply's bytes, as long as they stay within the limits."""

    def __init__(self, stream: httpx.SyncByteStream, *, max_bytes: int, deadline: float) -> None:
        self._stream = stream
        self._max_bytes = max_bytes
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        received = 0
        for chunk in self._stream:
            received += len(chunk)
            if received > self._max_bytes:
                text = f"The server's reply is longer than {self._max_bytes:,} bytes."
                raise EndpointError(text, transient=False)
            if time.monotonic() > self._deadline:
                raise httpx.ReadTimeout("the reply took too long in all")
            yield chunk

    def close(self) -> None:
        self._stream.close()
