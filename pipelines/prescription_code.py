"""The code of a prescription: claims <-> compact JWS <-> "shc:/" digits, as SMART Health Cards 1.4 frames them.

https://spec.smarthealth.cards: minified JSON, raw DEFLATE, ES256 signature, header of exactly alg, zip and kid, numeric
QR text. Knows cryptography and its traps; knows neither medicines nor the store nor the clock. Everything that
comes in is a stranger's until its signature holds, so nothing is inflated or parsed as claims before that.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from domain.errors import PrescriptionInvalid
from domain.prescription import SigningKey, Status, TrustedKey

PREFIX = "shc:/"
SMALLEST_CHAR = 45  # "-", the lowest character of base64url and dots; digits are ord - 45, two by two
MAX_JWS_CHARS = 1195  # what one version 22 QR code at error level L holds, by the specification
MAX_FOREIGN_JWS_CHARS = 4 * MAX_JWS_CHARS  # pasted codes of other issuers need not fit a QR code
MAX_HEADER_CHARS = 300  # ours has 103; a thumbprint, two names and slack
MAX_CLAIMS_BYTES = 64 * 1024  # twenty times the largest prescription; a bomb stops here
MAX_JSON_DEPTH = 32
KEY_ID = re.compile(r"[A-Za-z0-9_-]{43}\Z")  # a SHA-256 thumbprint and nothing else: no path, no address
ALGORITHM = "ES256"


class CodeRefused(PrescriptionInvalid):
    """A code that must not be trusted. `status`: whether it is false (FORGED) or merely not known here (UNKNOWN)."""

    def __init__(self, user_message: str, status: Status) -> None:
        super().__init__(user_message)
        self.status = status


def seal(claims: dict[str, Any], key: SigningKey) -> str:
    """The compact JWS of `claims`, signed with `key`. Its length is the caller's to check against MAX_JWS_CHARS."""
    from joserfc import jws

    payload = deflate(json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode())
    header = {"zip": "DEF", "alg": ALGORITHM, "kid": key.key_id}
    return jws.serialize_compact(header, payload, _private_key(key.private_jwk), registry=_registry())


def to_digits(jws_text: str) -> str:
    """ "shc:/" and two digits for each character of a compact JWS."""
    return PREFIX + "".join(f"{ord(char) - SMALLEST_CHAR:02d}" for char in jws_text)


def from_digits(text: str) -> str:
    """The compact JWS in a scanned or pasted code. Raises CodeRefused (UNKNOWN) for anything else."""
    text = text.strip()
    if not text.startswith(PREFIX):
        raise CodeRefused(
            "This is not a prescription code: it does not begin with shc:/. Scan the square code on the prescription.",
            Status.UNKNOWN,
        )
    digits = text[len(PREFIX) :]
    if "/" in digits:
        raise CodeRefused(
            "This code is one piece of a card in an old, divided form that is no longer issued. Ask for a new one.",
            Status.UNKNOWN,
        )
    if len(digits) > 2 * MAX_FOREIGN_JWS_CHARS:
        raise CodeRefused(
            f"The code is {len(digits):,} digits long; none longer than {2 * MAX_FOREIGN_JWS_CHARS:,} is read.",
            Status.UNKNOWN,
        )
    if not digits or len(digits) % 2 or not (digits.isascii() and digits.isdigit()):
        raise CodeRefused(
            "The code is incomplete or damaged: after shc:/ an even number of digits must follow. Scan it again.",
            Status.FORGED,
        )
    pairs = [int(digits[at : at + 2]) for at in range(0, len(digits), 2)]
    if max(pairs) + SMALLEST_CHAR > ord("z"):
        raise CodeRefused("The code holds digits that no code has. Scan it again.", Status.FORGED)
    return "".join(chr(pair + SMALLEST_CHAR) for pair in pairs)


def unseal(jws_text: str, keys: Sequence[TrustedKey]) -> tuple[dict[str, Any], TrustedKey]:
    """The claims of a compact JWS and the key that signed them. Raises CodeRefused with the reason.

    Claims are strict JSON; their "iss" is the issuer of the key. Nothing else about them has been checked.
    """
    from joserfc import jws
    from joserfc.errors import JoseError

    pieces = jws_text.split(".")
    if len(pieces) != 3 or not all(pieces):
        raise CodeRefused("Only half of a code was read. Scan the whole square again.", Status.FORGED)
    key_id = _header_key_id(pieces[0])
    for piece in pieces[1:]:
        _decode(piece)  # one spelling only: a last character with stray bits would be a second code for one signature
    key = next((key for key in keys if key.key_id == key_id), None)
    if key is None:
        raise CodeRefused(
            "The code is signed by an issuer that this pharmacy does not know, so nothing in it can be trusted. "
            "Add the issuer's key file to the settings if you do trust it.",
            Status.UNKNOWN,
        )
    try:
        signed = jws.deserialize_compact(jws_text, _public_key(key), registry=_registry())
    except (JoseError, ValueError) as e:
        raise CodeRefused(
            "The signature does not fit: the code was altered after it was signed, or misread. Do not dispense; "
            "scan it again, and if it stays so, ask the prescriber.",
            Status.FORGED,
        ) from e
    claims = read_json(inflate(signed.payload))
    issuer = claims.get("iss")
    borrowed = not key.own and any(own.own and own.issuer == issuer for own in keys)  # a stranger's key in our name
    if not isinstance(issuer, str) or borrowed or (key.issuer and issuer != key.issuer):
        raise CodeRefused("The code names one issuer and is signed by another. Do not dispense.", Status.FORGED)
    return claims, key


def deflate(data: bytes) -> bytes:
    """Raw DEFLATE (RFC 1951), the smallest of the ways zlib knows: a QR code has room for a thousand characters."""
    tries = []
    for memory in (8, 9):
        for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED):
            packer = zlib.compressobj(9, zlib.DEFLATED, -15, memory, strategy)
            tries.append(packer.compress(data) + packer.flush())
    return min(tries, key=len)


def inflate(data: bytes) -> bytes:
    """The inverse, bounded by MAX_CLAIMS_BYTES, and nothing may follow the stream. Raises CodeRefused."""
    unpacker = zlib.decompressobj(-15)
    try:
        plain = unpacker.decompress(data, MAX_CLAIMS_BYTES + 1)
    except zlib.error as e:
        raise CodeRefused("The signed content is not compressed properly. Ask for a new code.", Status.FORGED) from e
    if len(plain) > MAX_CLAIMS_BYTES:
        raise CodeRefused(
            f"The signed content swells to more than {MAX_CLAIMS_BYTES // 1024} KB when unpacked, which no "
            "prescription does. It was not read any further.",
            Status.FORGED,
        )
    if not unpacker.eof or unpacker.unused_data:
        raise CodeRefused("The signed content is cut off or has more behind it. Ask for a new code.", Status.FORGED)
    return plain


def read_json(data: bytes) -> dict[str, Any]:
    """Strict JSON: UTF-8, one object, no key twice, no NaN, bounded depth. Raises CodeRefused."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
        if not isinstance(value, dict) or _depth(value) > MAX_JSON_DEPTH:
            raise ValueError("not one object of sensible depth")
    except CodeRefused:
        raise
    except (ValueError, RecursionError) as e:
        raise CodeRefused("The signed content is not well-formed. Ask for a new code.", Status.FORGED) from e
    return value


def _header_key_id(piece: str) -> str:
    """The kid of a protected header that is exactly what we accept. Raises CodeRefused."""
    if len(piece) > MAX_HEADER_CHARS:
        raise CodeRefused(f"The code's header is over {MAX_HEADER_CHARS} characters long; none is.", Status.FORGED)
    header = read_json(_decode(piece))
    if header.get("alg") != ALGORITHM:
        raise CodeRefused(
            "The code is not signed with ES256, the one method that is accepted; unsigned codes never are.",
            Status.FORGED,
        )
    if header.get("zip") != "DEF" or set(header) != {"alg", "zip", "kid"}:
        raise CodeRefused("The code's header asks for something that prescriptions never do.", Status.FORGED)
    key_id = header["kid"]
    if not isinstance(key_id, str) or not KEY_ID.match(key_id):
        raise CodeRefused("The code's header points somewhere instead of naming a key.", Status.FORGED)
    return key_id


def _decode(piece: str) -> bytes:
    """Canonical base64url without padding. Raises CodeRefused."""
    try:
        data = base64.b64decode(piece + "=" * (-len(piece) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as e:
        raise CodeRefused("The code is damaged. Scan it again.", Status.FORGED) from e
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != piece:
        raise CodeRefused("The code is damaged. Scan it again.", Status.FORGED)
    return data


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise CodeRefused("The content says the same thing twice, differently for different readers.", Status.FORGED)
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def _registry() -> Any:
    """joserfc refuses header members it does not know; zip is let through, and nothing else, with ES256 alone."""
    from joserfc.jws import JWSRegistry
    from joserfc.registry import HeaderParameter

    zipped = {"zip": HeaderParameter("DEFLATE before signing", "str")}
    return JWSRegistry(header_registry=zipped, algorithms=[ALGORITHM])


@lru_cache(maxsize=8)
def _private_key(private_jwk: str) -> Any:
    from joserfc.jwk import ECKey

    return ECKey.import_key(json.loads(private_jwk))


@lru_cache(maxsize=64)
def _public_key(key: TrustedKey) -> Any:
    from joserfc.jwk import ECKey

    return ECKey.import_key({"kty": "EC", "crv": "P-256", "x": key.x, "y": key.y})
