"""Twilio's signature of a webhook: whether a request is Twilio's, and unchanged.

    X-Twilio-Signature: RSOYDt4T1cUTdK1PDd93/VVr8B8=
    X-Twilio-Webhooks-Signature-Settings: key=KEY,algorithm=HMAC_SHA256

The signed text is the URL exactly as Twilio was given it (without its fragment), then for a form
each name and value, sorted, with nothing between them. A body of another kind is covered by its
SHA-256 in the URL (`bodySHA256`). Twilio is not of one mind about the port of the URL, so the URL
is tried with and without it. There is no time in it: a signed request stays valid for ever, and is
harmless only because its MessageSid is claimed.

The second header names a shared key. It never lets a request choose: a key that we do not hold, an
algorithm other than the key's, or a header that cannot be read refuses the request, although the
account's token would have fitted.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, urlsplit

SIGNATURE_HEADER: Final = "x-twilio-signature"
SETTINGS_HEADER: Final = "x-twilio-webhooks-signature-settings"
SIGNATURE_LENGTH_LIMIT: Final = 128
SETTINGS_LENGTH_LIMIT: Final = 512

_SHA1: Final = "sha1"
_SHA256: Final = "sha256"
_SHARED_KEY_ALGORITHM: Final = "HMAC_SHA256"
_BODY_HASH: Final = "bodySHA256"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_URL: Final = re.compile(r"(https?)://([^/?]*)")
_PORT: Final = re.compile(r":\d*$")

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Keys:
    """What webhooks may be signed with.

    Attributes:
        tokens: auth tokens of the account; two while they are being changed.
        shared: secrets of shared keys, by the key's id.
    """

    tokens: Sequence[str] = ()
    shared: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it arrived.

    Attributes:
        url: as Twilio was given it, with the query as it arrived.
        form: the fields of a form in the body; None for a body of another kind; empty for GET.
        body: the body's bytes, which `bodySHA256` covers when `form` is None.
        signature: the header's value, "" when it is missing.
        settings: of the second header, "" when it is missing.
    """

    url: str
    form: Pairs | None
    body: bytes
    signature: str
    settings: str = ""


def is_authentic(request: Signed, keys: Keys) -> bool:
    """Whether a request carries a signature of one of these keys."""
    if not 0 < len(request.signature) <= SIGNATURE_LENGTH_LIMIT:
        return False
    if request.form is None and not _is_body_covered(request):
        return False
    given = request.signature.encode("utf-8", "surrogatepass")
    # Every key and form of the URL is tried, so that the time tells nothing.
    matches = [
        hmac.compare_digest(sign(url, request.form or (), key, algorithm).encode(), given)
        for key, algorithm in _secrets(request.settings, keys)
        for url in _urls(request.url)
    ]
    return any(matches)


def sign(url: str, form: Pairs, key: str, algorithm: str = _SHA1) -> str:
    """Return the signature of a URL and form fields.

    A field that comes several times counts each of its values once, in order.

    Args:
        url: whole, without a fragment.
        form: name and value of each field; blank values count.
        key: an auth token, or the secret of a shared key.
        algorithm: `sha1` for an auth token, `sha256` for a shared key.
    """
    text = url + "".join(name + value for name, value in sorted(set(form)))
    digest = hmac.digest(key.encode(), text.encode("utf-8", "surrogatepass"), algorithm)
    return base64.b64encode(digest).decode("ascii")


def _is_body_covered(request: Signed) -> bool:
    hashes = parse_qs(urlsplit(request.url).query).get(_BODY_HASH, [])
    found = hashlib.sha256(request.body).hexdigest()
    return len(hashes) == 1 and hmac.compare_digest(
        hashes[0].lower().encode("utf-8", "surrogatepass"), found.encode()
    )


def _secrets(settings: str, keys: Keys) -> list[tuple[str, str]]:
    """Return the secrets that may have signed, each with its algorithm."""
    if not settings:
        return [(token, _SHA1) for token in keys.tokens if token]
    if len(settings) > SETTINGS_LENGTH_LIMIT:
        return []
    parts = [part.partition("=") for part in settings.split(",")]
    said = {name.strip(): value.strip() for name, _, value in parts}
    secret = keys.shared.get(said.get("key", ""), "")
    if not secret or said.get("algorithm") != _SHARED_KEY_ALGORITHM or len(said) != len(parts):
        return []
    return [(secret, _SHA256)]


def _urls(url: str) -> Iterator[str]:
    """Yield the URL as it is, then without its port or with the one that its scheme implies.

    The text is cut, never taken apart and put together: every byte is signed.
    """
    whole = url.partition("#")[0]
    yield whole
    found = _URL.match(whole)
    if found is None:
        return
    scheme, host = found.groups()
    behind = whole[found.end() :]
    bare = _PORT.sub("", host)
    if bare != host:
        yield f"{scheme}://{bare}{behind}"
    else:
        yield f"{scheme}://{host}:{_DEFAULT_PORTS[scheme]}{behind}"
