"""What a browser may ask of the office: only its own pages, on this machine, may change anything.

The office listens on loopback. Two things could still reach it: a page elsewhere that makes the user's browser send a
form here (forged request), and a name elsewhere that suddenly resolves to 127.0.0.1 (rebinding). Against the second,
the Host header must be a loopback name with our own port; against the first, a POST must come from one of our own
pages: the browser says so in Sec-Fetch-Site or Origin, and the form carries a token that only our pages have.
"""

import secrets
from collections.abc import Callable, Iterable
from urllib.parse import quote, unquote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_SAFE = ("GET", "HEAD")
_MAX_BODY = 1_000_000
_NAME = "tallyman_name"
_A_YEAR_S = 365 * 86400

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: that makes browsers send `Origin: null` with our own forms. Nobody else gets a referrer either.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Refuses what does not come from our own pages, before any route sees it; adds headers to every answer.

    `defect` makes the page for an exception that nobody foresaw; it stands here so that this page has the headers too.
    """

    def __init__(self, app: ASGIApp, defect: Callable[[Request, Exception], Response]) -> None:
        self._app = app
        self._defect = defect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = _refusal(scope, headers)

        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                out = MutableHeaders(raw=message["headers"])
                for name, value in _HEADERS.items():
                    out[name] = value
                out.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await (refusal or self._app)(scope, receive, send_guarded)
        except Exception as error:  # a defect of ours: the user gets a page, the log gets the trace
            if started:
                raise
            page = await run_in_threadpool(self._defect, Request(scope), error)
            await page(scope, receive, send_guarded)


def _refusal(scope: Scope, headers: Headers) -> Response | None:
    host = headers.get("host", "")
    if host not in allowed_hosts(scope.get("server")):
        return PlainTextResponse("This office answers to its own address on this machine only.", 421)
    if scope["method"] in _SAFE:
        return None
    if not _same_origin(headers, host):
        return PlainTextResponse("This was not sent by one of the office's own pages; nothing was changed.", 403)
    if not headers.get("content-length", "").isdigit() or int(headers["content-length"]) > _MAX_BODY:
        return PlainTextResponse("This form is too large; nothing was changed.", 413)
    return None


def allowed_hosts(server: Iterable[object] | None) -> set[str]:
    """Loopback names with the port that the request came in on."""
    _, port = server or ("", None)
    return {f"{name}:{port}" for name in _LOOPBACK} | ({*_LOOPBACK} if port in (80, None) else set())


def _same_origin(headers: Headers, host: str) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return headers.get("origin") == f"http://{host}"


def new_token() -> str:
    """A token for the forms of one process."""
    return secrets.token_urlsafe(32)


def same_token(given: object, token: str) -> bool:
    return isinstance(given, str) and secrets.compare_digest(given.encode(), token.encode())


def remembered_name(request: Request) -> str:
    """The name that this browser signed with last. It proves nothing; it saves typing."""
    return unquote(request.cookies.get(_NAME, ""))[:80]


def remember_name(response: Response, name: str) -> None:
    response.set_cookie(_NAME, quote(name), max_age=_A_YEAR_S, httponly=True, samesite="strict", path="/")
