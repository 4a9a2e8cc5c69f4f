"""A FastAPI front end: HTTP outside, TChannel inside.

    SERVICE=127.0.0.1:4040 uvicorn fastapi_app:app

One channel for the whole process, made in the loop that serves and closed with it. Errors of calls
become the statuses that they mean.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from tchannel import TChannel, errors

DEADLINE = 2.0


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The channel lives as long as the application."""
    peers = os.environ["SERVICE"].split(",")
    async with TChannel("front-end", known_peers=peers) as app.state.channel:
        yield


app = FastAPI(lifespan=lifespan)


@app.exception_handler(errors.TChannelError)
async def failed(request: Request, error: errors.TChannelError) -> JSONResponse:
    """What a failed call means to who asked; nothing of the insides."""
    if isinstance(error, errors.TimeoutError):
        return JSONResponse({"error": "the service did not answer in time"}, 504)
    if isinstance(error, errors.RetryableError | errors.UnhealthyError):
        return JSONResponse({"error": "the service is busy"}, 503, {"Retry-After": "1"})
    return JSONResponse({"error": "the service failed"}, 502)


@app.get("/values/{key}")
async def get(key: str, request: Request) -> object:
    """One value."""
    channel: TChannel = request.app.state.channel
    response = await channel.json("keyvalue", "get", {"key": key}, deadline=DEADLINE)
    if response.status:
        raise HTTPException(404, response.body["message"])
    return response.body


@app.put("/values/{key}", status_code=204)
async def put(key: str, request: Request) -> None:
    """Set a value; the body is any JSON."""
    channel: TChannel = request.app.state.channel
    body = {"key": key, "value": await request.json()}
    await channel.json("keyvalue", "set", body, deadline=DEADLINE)
