"""Files that go out: with their right names, never run, never taken for something else."""

import re
import unicodedata
from typing import BinaryIO
from urllib.parse import quote

from flask import Response, request
from werkzeug.wsgi import wrap_file

# RFC 8187: what stands as it is; everything else is percent-encoded UTF-8.
_AS_IT_IS = "!#$&+-.^_`|~"
# Not even one of our own pages may let a stored file run, load or send anything.
POLICY = "default-src 'none'; sandbox"


def send(
    content: BinaryIO,
    *,
    name: str,
    media_type: str,
    etag: str,
    size: int,
    is_shown: bool = False,
    seconds: int = 0,
) -> Response:
    """Answer with the file: to be shown in a page, or else to be saved; 304 if it is there.

    `seconds` is how long the browser that asked may keep it without asking again.
    """
    response = Response(
        wrap_file(request.environ, content), mimetype=media_type, direct_passthrough=True
    )
    response.call_on_close(content.close)
    response.content_length = size
    response.set_etag(etag)
    # Private: what one may see depends on who asks.
    kept = f"max-age={seconds}" if seconds else "no-cache"
    response.headers["Cache-Control"] = f"private, {kept}"
    response.headers["Content-Disposition"] = disposition(name, is_shown=is_shown)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.make_conditional(request.environ)
    return response


def disposition(name: str, *, is_shown: bool = False) -> str:
    """Return how to treat a file and what to call it (RFC 6266), whatever language it is in."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._ ()-]", "_", plain).strip()
    stem, dot, ending = plain.rpartition(".")
    if not stem.strip(" ._-()"):
        plain = f"file{dot}{ending}"
    kind = "inline" if is_shown else "attachment"
    if plain == name:
        return f'{kind}; filename="{plain}"'
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=_AS_IT_IS)}"
