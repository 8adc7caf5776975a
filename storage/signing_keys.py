"""Keys that sign prescriptions: made at the first start, kept where only their owner reads, turned over on command.

One file a key, `<thumbprint>.jwk`, mode 0600 in a folder of mode 0700. The newest private key signs. Turning over
destroys the old private half and keeps its public half, so that codes signed before stay verifiable. Other issuers
are public JWKS files named in the settings; nothing is ever fetched.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain.errors import SettingsInvalid
from domain.prescription import SigningKey, TrustedKey

FOLDER = "signing-keys"
OWNER_ONLY = 0o600
OTHERS = stat.S_IRWXG | stat.S_IRWXO
MAX_JWKS_BYTES = 256 * 1024
_COORDINATE = re.compile(r"[A-Za-z0-9_-]{43}\Z")  # 32 bytes in base64url


class SigningKeys:
    """The key ring of this installation. Built at start, read by any thread; rotate() is for the command line."""

    def __init__(
        self, data_dir: Path, issuer: str, key_file: Path | None = None, issuer_files: Sequence[Path] = ()
    ) -> None:
        """Opens or makes the key. `key_file`: a private JWK of the operator's, used instead of one of ours.

        Raises SettingsInvalid when a key is unreadable, open to others, not P-256, missing though codes were signed
        with it, or when an issuer's file is not a JWKS of P-256 keys named by their thumbprint.
        """
        if not issuer.startswith("https://") or issuer.endswith("/"):
            raise SettingsInvalid(
                "The issuer address of prescriptions must begin with https:// and end without a slash, for instance "
                "https://clinic.example. Correct the setting."
            )
        self.issuer = issuer
        self._folder = data_dir / FOLDER
        self._given = key_file
        self._prepare_folder()
        self._own: tuple[TrustedKey, ...] = ()
        self._signing = self._open()
        self._foreign = tuple(key for file in issuer_files for key in read_issuer(file))

    def signing_key(self) -> SigningKey:
        """The key that signs now."""
        return self._signing

    def trusted(self) -> tuple[TrustedKey, ...]:
        """Every key whose signature counts: ours, past and present, then other issuers'."""
        return self._own + self._foreign

    def jwks(self) -> dict[str, Any]:
        """What /.well-known/jwks.json of the app serves: our public keys, past and present."""
        return {"keys": [_public_jwk(key.x, key.y) for key in self._own]}

    def rotate(self) -> SigningKey:
        """Sign with a new key from now on; the old one keeps verifying and can sign no more. Raises SettingsInvalid."""
        if self._given is not None:
            raise SettingsInvalid("The key is given by a setting, so it is turned over there: name a new key file.")
        turn_over(self._folder.parent)
        self._signing = self._open()
        return self._signing

    # -- opening ----------------------------------------------------------------------------------------------------

    def _prepare_folder(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as e:
            raise SettingsInvalid(
                "The folder for signing keys cannot be made. Give this user write access to the data folder."
            ) from e
        if stat.S_IMODE(self._folder.stat().st_mode) & OTHERS:
            raise SettingsInvalid(
                "The folder of the signing keys can be entered by other users of this machine, so whoever is on it "
                "could sign prescriptions. Run chmod 700 on the folder signing-keys in the data folder and restart."
            )

    def _open(self) -> SigningKey:
        public = [_read_public(file) for file in sorted(self._folder.glob("*.public.jwk"))]
        if self._given is not None:
            active = _read_private(self._given)
            _keep_public(self._folder, active)  # stays verifiable after the setting names another key
        else:
            active = self._newest_private(public)
        seen = {(active["x"], active["y"]): True} | {(jwk["x"], jwk["y"]): True for jwk in public}
        self._own = tuple(TrustedKey(_thumbprint(x, y), self.issuer, x, y, own=True) for x, y in seen)
        text = json.dumps({name: active[name] for name in ("kty", "crv", "x", "y", "d")})
        return SigningKey(_thumbprint(active["x"], active["y"]), self.issuer, text)

    def _newest_private(self, public: list[dict[str, Any]]) -> dict[str, Any]:
        files = self._private_files()
        if not files:
            if public:
                raise SettingsInvalid(
                    "The signing key is missing, though prescriptions were signed here before. Restore the folder "
                    "signing-keys of the data folder from a backup, or make a new key with: "
                    "python -m pipelines rotate-key"
                )
            made = _make()
            _write_private(self._folder / f"{made['kid']}.jwk", made)
            _keep_public(self._folder, made)
            return made
        keys = [_read_private(file) for file in files]
        # A crash inside rotate() can leave two; the newer signs, and the older still verifies from its public half.
        return max(keys, key=lambda jwk: str(jwk.get("made_at", "")))

    def _private_files(self) -> list[Path]:
        return [file for file in sorted(self._folder.glob("*.jwk")) if not file.name.endswith(".public.jwk")]


def turn_over(data_dir: Path, compromised: bool = False) -> str:
    """Make a new signing key and destroy the private halves of all others; returns its key id.

    Works also where the key is lost or open to others, so that a start which refuses it can be mended. The public
    halves stay, except when `compromised`: then no code signed before verifies any more, as it should be.
    """
    folder = data_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    made = _make()
    _write_private(folder / f"{made['kid']}.jwk", made)
    for file in folder.glob("*.jwk"):
        if file.name == f"{made['kid']}.jwk":
            continue
        if compromised:
            file.unlink()
        elif not file.name.endswith(".public.jwk"):
            _keep_public(folder, _read_public(file))
            file.unlink()
    _keep_public(folder, made)
    return str(made["kid"])


def read_issuer(file: Path) -> tuple[TrustedKey, ...]:
    """Public keys of another issuer from a JWKS file, {"keys": [JWK, ...]}.

    Two members may be added, "issuer": "https://..." and "name", since a plain JWKS does not say whose it is; without
    them its keys count for any issuer but us. Raises SettingsInvalid.
    """
    try:
        if file.stat().st_size > MAX_JWKS_BYTES:
            raise ValueError("too large")
        content = json.loads(file.read_text("utf-8"))
        issuer, keys = content.get("issuer", ""), content["keys"]
        if (issuer and not issuer.startswith("https://")) or not keys:
            raise ValueError("no address or no keys")
        found = tuple(_trusted(jwk, issuer, str(content.get("name", ""))) for jwk in keys)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
        raise SettingsInvalid(
            "A trusted issuer's key file cannot be used: it must be a JWKS of public P-256 keys, each named by its "
            "thumbprint. Correct the file or take it off the list."
        ) from e
    return found


def _trusted(jwk: dict[str, Any], issuer: str, name: str) -> TrustedKey:
    if "d" in jwk:
        raise ValueError("a private key does not belong in this file")
    if (jwk["kty"], jwk["crv"]) != ("EC", "P-256") or jwk.get("kid") != _thumbprint(jwk["x"], jwk["y"]):
        raise ValueError("not P-256 or not named by its thumbprint")
    _check_point(jwk["x"], jwk["y"])
    return TrustedKey(jwk["kid"], issuer, jwk["x"], jwk["y"], own=False, issuer_name=name)


def _make() -> dict[str, Any]:
    from cryptography.hazmat.primitives.asymmetric import ec

    numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
    x, y, d = (_base64url(n) for n in (numbers.public_numbers.x, numbers.public_numbers.y, numbers.private_value))
    return {**_public_jwk(x, y), "d": d, "made_at": datetime.now(UTC).isoformat()}


def _check_point(x: str, y: str, d: str | None = None) -> None:
    """Raises ValueError when x, y is not on the curve or d does not belong to it."""
    from cryptography.hazmat.primitives.asymmetric import ec

    public = ec.EllipticCurvePublicNumbers(_number(x), _number(y), ec.SECP256R1())
    public.public_key()
    if d is not None:
        private = ec.derive_private_key(_number(d), ec.SECP256R1())
        if private.public_key().public_numbers() != public:
            raise ValueError("the private half does not belong to the public half")


def _read_private(file: Path) -> dict[str, Any]:
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except OSError as e:
        raise SettingsInvalid(
            "The signing key that the settings name is missing. Put it back or take the setting away."
        ) from e
    if mode & OTHERS:
        raise SettingsInvalid(
            f"The signing key can be read by other users of this machine (mode {mode:04o}), so it may be in other "
            "hands already. Run chmod 600 on it; if others have had access, turn it over with: "
            "python -m pipelines rotate-key"
        )
    try:
        jwk = json.loads(file.read_text("utf-8"))
        if (jwk["kty"], jwk["crv"]) != ("EC", "P-256"):
            raise ValueError("not P-256")
        _check_point(jwk["x"], jwk["y"], jwk["d"])
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise SettingsInvalid(
            "The signing key is damaged or is no P-256 private JSON Web Key. Restore it from a backup, or make a new "
            "one with: python -m pipelines rotate-key"
        ) from e
    return jwk


def _read_public(file: Path) -> dict[str, Any]:
    try:
        jwk = json.loads(file.read_text("utf-8"))
        _check_point(jwk["x"], jwk["y"])
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise SettingsInvalid(
            "A public key of earlier prescriptions is damaged, so they could not be verified. Restore the folder "
            "signing-keys of the data folder from a backup."
        ) from e
    return jwk


def _keep_public(folder: Path, jwk: dict[str, Any]) -> None:
    public = _public_jwk(jwk["x"], jwk["y"])
    _write_private(folder / f"{public['kid']}.public.jwk", public)


def _write_private(file: Path, content: dict[str, Any]) -> None:
    """Whole or not at all, and never readable by others even for a moment."""
    scratch = file.with_suffix(".part")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(content, out)
        out.flush()
        os.fsync(out.fileno())
    os.replace(scratch, file)


def _public_jwk(x: str, y: str) -> dict[str, Any]:
    return {"kty": "EC", "kid": _thumbprint(x, y), "use": "sig", "alg": "ES256", "crv": "P-256", "x": x, "y": y}


def _thumbprint(x: str, y: str) -> str:
    """RFC 7638 thumbprint, the name SMART Health Cards give a key."""
    canonical = json.dumps({"crv": "P-256", "kty": "EC", "x": x, "y": y}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode()


def _base64url(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()


def _number(text: str) -> int:
    if not isinstance(text, str) or not _COORDINATE.match(text):
        raise ValueError("not 32 bytes in base64url")
    return int.from_bytes(base64.urlsafe_b64decode(text + "="), "big")
