"""Middleware for authentication: a signed token in a header of every call, whatever its scheme.

    python examples/middleware/demo.py

The caller's side puts the token in, the server's side looks at it before a handler runs, and handlers
find the user in a context variable. TLS certificates and `authorize=` are the other way: see the page
on identity.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import sys
import time
from contextvars import ContextVar

from tchannel import TChannel
from tchannel.errors import BadRequestError, NotAuthorizedError

SECRET = b"shared by both, from wherever secrets come from"

user: ContextVar[str] = ContextVar("user")
"""Who calls, for handlers and all that they call."""


def sign(name: str) -> str:
    """A token that says who somebody is."""
    return f"{name}:{hmac.new(SECRET, name.encode(), hashlib.sha256).hexdigest()}"


def name_in(token: str) -> str | None:
    """Who a token is about; None if it was not signed by us."""
    name = token.partition(":")[0]
    return name if hmac.compare_digest(token.encode(), sign(name).encode()) else None


def signing(name: str):
    """An interceptor for outgoing calls: they carry the token of `name`."""

    def intercept(call, proceed):
        call.application_headers = {**(call.application_headers or {}), "token": sign(name)}
        return proceed(call)

    return intercept


def verifying(call, proceed):
    """An interceptor for incoming calls: without a valid token no handler runs."""
    if call.endpoint.startswith("Meta::"):
        return proceed(call)  # health checks have no token
    name = name_in((call.application_headers or {}).get("token", ""))
    if name is None:
        raise NotAuthorizedError("no valid token")
    user.set(name)
    return proceed(call)


async def main() -> int:
    """A call with a token, one without, one with a forged one."""
    server = TChannel("notes", hostport="127.0.0.1:0")
    server.interceptors.incoming.append(verifying)

    @server.json.register("whoami")
    async def whoami(request):
        return {"user": user.get()}

    async with server, TChannel("ada") as ada, TChannel("eve") as eve:
        server.listen()
        ada.interceptors.outgoing.append(signing("ada"))

        began = time.perf_counter()
        response = await ada.json("notes", "whoami", hostport=server.hostport)
        print(f"{(time.perf_counter() - began) * 1e3:10.2f} ms  with a token: {response.body}")
        right = response.body == {"user": "ada"}

        for headers in ({}, {"token": "ada:forged"}):
            try:
                await eve.json("notes", "whoami", headers=headers, hostport=server.hostport)
                right = False
            except BadRequestError as error:
                print(f"               refused: {error.description}")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
