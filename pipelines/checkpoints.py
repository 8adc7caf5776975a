"""A checkpoint of the trail as signed text, to be kept elsewhere: size and root of the tree in a JWS (ES256).

The signed tree head of RFC 9162, section 4.10, in the signature format that the prescriptions use already, so that the
public keys at /.well-known/jwks.json verify it too. Knows no store.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from domain.audit import Checkpoint
from domain.errors import UploadRejected
from domain.prescription import SigningKey, TrustedKey

ALGORITHM = "ES256"
TYPE = "trail-checkpoint"
MAX_CHARS = 2000  # ours have about 450
REFUSED = (
    "This is not a checkpoint that this installation signed, so the trail was not compared with it. Paste the whole "
    "text as it was downloaded."
)


def sign(checkpoint: Checkpoint, key: SigningKey) -> str:
    """One line of ASCII."""
    from joserfc import jws
    from joserfc.jwk import ECKey

    payload = {
        "iss": key.issuer,
        "size": checkpoint.size,
        "root": checkpoint.root,
        "at": checkpoint.at.isoformat(timespec="seconds"),
    }
    header = {"alg": ALGORITHM, "kid": key.key_id, "typ": TYPE}
    signer = ECKey.import_key(json.loads(key.private_jwk))
    return jws.serialize_compact(header, json.dumps(payload, separators=(",", ":")), signer, algorithms=[ALGORITHM])


def read(text: str, keys: Sequence[TrustedKey]) -> Checkpoint:
    """The checkpoint in a signed line. Only our own `keys` count. Raises UploadRejected."""
    from joserfc import jws
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey

    text = text.strip()
    if not text.isascii() or len(text) > MAX_CHARS:
        raise UploadRejected(REFUSED)
    try:
        header = jws.extract_compact(text.encode()).headers()
        key = next(key for key in keys if key.own and key.key_id == header.get("kid"))
        public = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": key.x, "y": key.y})
        signed = jws.deserialize_compact(text, public, algorithms=[ALGORITHM])
        if signed.headers().get("typ") != TYPE:
            raise UploadRejected(REFUSED)
        payload = json.loads(signed.payload)
        return Checkpoint(int(payload["size"]), str(payload["root"]), datetime.fromisoformat(payload["at"]))
    except (JoseError, StopIteration, ValueError, KeyError, TypeError) as error:
        raise UploadRejected(REFUSED) from error
