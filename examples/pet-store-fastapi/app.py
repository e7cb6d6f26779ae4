"""A pet store over HTTP: one process, pets kept in memory."""

import os
from itertools import islice
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.routing import Match

BODY_BYTES_MAX = 64 * 1024
PETS_MAX = 1000


class NewPet(BaseModel):
    name: str = Field(min_length=1, max_length=100)
    tag: str | None = Field(default=None, min_length=1, max_length=50)


class Pet(NewPet):
    id: int


class Error(BaseModel):
    detail: str


# A dict keeps the order of insertion, so the first key is always the oldest pet.
# lambdaflex-ignore state-in-memory an example without a database: restarts forget the pets
pets: dict[int, dict] = {}
last_id = 0


def add_pet(new: NewPet) -> dict:
    global last_id
    last_id += 1
    pets[last_id] = {"id": last_id, "name": new.name, "tag": new.tag}
    if len(pets) > PETS_MAX:
        del pets[next(iter(pets))]
    return pets[last_id]


for _name, _tag in [
    ("Bella", "dog"),
    ("Milo", "cat"),
    ("Coco", "parrot"),
    ("Nemo", "fish"),
    ("Rocky", None),
]:
    add_pet(NewPet(name=_name, tag=_tag))


def find_pet(pet_id: int) -> dict:
    if pet_id not in pets:
        raise HTTPException(404, f"there is no pet {pet_id}")
    return pets[pet_id]


class Front:
    """What holds for every request: its id comes back, HEAD is GET, bodies are small JSON."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = dict(scope["headers"])
        request_id = headers.get(b"x-request-id")

        async def send_with_id(message):
            if request_id and message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
            await send(message)

        if scope["method"] == "HEAD":  # The server leaves the body out by itself.
            scope = {**scope, "method": "GET"}
        if scope["method"] not in allowed_methods(scope, "POST", "PUT"):
            return await self.app(scope, receive, send_with_id)

        body = await read_body(receive)
        content_type = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        if body is None:
            refusal = refused(413, f"the body is above {BODY_BYTES_MAX} bytes")
            return await refusal(scope, receive, send_with_id)
        if content_type != b"application/json":
            refusal = refused(415, "send application/json")
            return await refusal(scope, receive, send_with_id)
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive_again():
            return next(messages, None) or await receive()

        await self.app(scope, receive_again, send_with_id)


async def read_body(receive) -> bytes | None:
    """Reads to the end even when it is too large (None): the client can then read the answer."""
    body, size, more = [], 0, True
    while more:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= BODY_BYTES_MAX:
            body.append(chunk)
        more = message.get("more_body", False)
    return b"".join(body) if size <= BODY_BYTES_MAX else None


def refused(status: int, detail: str, headers: dict | None = None) -> JSONResponse:
    return JSONResponse({"detail": detail}, status, headers)


app = FastAPI(
    title="Pet store",
    version="1.0.0",
    description="Pets kept in memory, at most 1,000 of them.",
    docs_url=None,  # FastAPI's own page loads its scripts from another server.
    redoc_url=None,
)
app.add_middleware(Front)


def allowed_methods(scope, *methods: str) -> set[str]:
    """The methods that some route takes at the path of the request."""
    return {
        method
        for method in methods
        for route in app.routes
        if route.matches({**scope, "method": method})[0] is Match.FULL
    }


@app.exception_handler(StarletteHTTPException)
async def refuse(request: Request, error: StarletteHTTPException) -> JSONResponse:
    headers, detail = dict(error.headers or {}), error.detail
    if error.status_code == 405:
        allowed = allowed_methods(request.scope, "GET", "POST", "PUT", "DELETE")
        headers["Allow"] = ", ".join(sorted(allowed))
        detail = f"{request.method} is not allowed here"
    return refused(error.status_code, detail, headers)


@app.exception_handler(RequestValidationError)
async def refuse_value(request: Request, error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:])
    return refused(400, f"{field}: {first['msg']}")


def openapi() -> dict:
    """FastAPI's document without the status 422, which is answered as 400 here."""
    document = FastAPI.openapi(app)
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    return document


app.openapi = openapi


def errors(*statuses: int) -> dict:
    return {status: {"model": Error} for status in statuses}


@app.get("/", summary="Greeting", tags=["service"])
async def greeting() -> dict:
    return {"message": "Welcome to the pet store", "pets": "/pets", "docs": "/docs"}


@app.get("/healthz", summary="Health", tags=["service"])
async def health() -> dict:
    return {"status": "ok"}


@app.get("/docs", include_in_schema=False)
async def docs() -> HTMLResponse:
    return HTMLResponse(Path(__file__).with_name("docs.html").read_text("utf-8"))


@app.get("/stack-status", summary="Where the service runs and what is changing", tags=["service"])
# lambdaflex-ignore differs-body /stack-status it tells which tier answers
def stack_status() -> dict:
    """Where the service runs is none of its business: it passes on what its surroundings tell."""
    import json
    import urllib.request  # Only here, to keep the start short.

    unknown = {"tier": os.environ.get("LAMBDAFLEX_TIER", "none"), "stack": "unknown"}
    url = os.environ.get("LAMBDAFLEX_STATUS_URL")
    if not url:
        return unknown
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return {**unknown, **json.load(answer)}
    except (OSError, ValueError, TypeError):
        return unknown


@app.get("/pets", summary="List pets, oldest first", tags=["pets"], responses=errors(400))
async def list_pets(limit: Annotated[int, Query(ge=1, le=100)] = 20) -> list[Pet]:
    return list(islice(pets.values(), limit))


@app.post(
    "/pets",
    summary="Add a pet",
    tags=["pets"],
    status_code=201,
    responses=errors(400, 413, 415),
)
async def create_pet(new: NewPet, response: Response) -> Pet:
    pet = add_pet(new)
    response.headers["location"] = f"/pets/{pet['id']}"
    return pet


@app.get("/pets/{pet_id:int}", summary="One pet", tags=["pets"], responses=errors(404))
async def read_pet(pet_id: int) -> Pet:
    return find_pet(pet_id)


@app.put(
    "/pets/{pet_id:int}",
    summary="Replace a pet",
    tags=["pets"],
    responses=errors(400, 404, 413, 415),
)
async def replace_pet(pet_id: int, new: NewPet) -> Pet:
    find_pet(pet_id)
    pets[pet_id] = {"id": pet_id, "name": new.name, "tag": new.tag}
    return pets[pet_id]


@app.delete(
    "/pets/{pet_id:int}",
    summary="Remove a pet",
    tags=["pets"],
    status_code=204,
    responses=errors(404),
)
async def delete_pet(pet_id: int) -> None:
    del pets[find_pet(pet_id)["id"]]
