"""The code: what is signed comes back equal, and nothing else is ever believed."""

from __future__ import annotations

import base64
import json
import zlib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.patient import Patient
from domain.prescription import Prescriber, Prescription, Status
from pipelines.prescription import join_codes, open_codes, sign, write_prescription
from pipelines.prescription_code import (
    MAX_CLAIMS_BYTES,
    MAX_JWS_CHARS,
    CodeRefused,
    from_digits,
    inflate,
    read_json,
    seal,
    to_digits,
    unseal,
)
from pipelines.prescription_draft import read_draft
from pipelines.prescription_drawing import MAX_VERSION, draw_png, draw_symbol
from pipelines.prescription_fhir import read_claims, validate, write_claims
from pipelines.prescription_reading import read_photo
from storage.signing_keys import SigningKeys
from tests.unit.prescription_kit import AMOXICILLIN, ISSUER, PRESCRIBER, Clock, unlike

SCRIPTS = ("aZäéñçøßŁ'-", "王小明李陈张伟", "アスカナ", "김철수", "محمدعلي", "שלוםכהן", "नगेंद्रसिंह", "АлиНа")
names = st.sampled_from(SCRIPTS).flatmap(lambda letters: st.text(st.sampled_from(letters), min_size=1, max_size=12))
people = st.lists(names, min_size=1, max_size=3).map(" ".join)
lines = st.fixed_dictionaries(
    {
        "name": st.one_of(st.sampled_from(["Amoxicillin", "Co-amoxiclav", "Metformin"]), people),
        "strength": st.sampled_from(["500 mg", "125 mg/5 ml", "10 µg", "", "1.5 %"]),
        "form": st.sampled_from(["capsule", "oral suspension", "tablet", ""]),
        "route": st.sampled_from(["oral", "by mouth", "", "sous la langue"]),
        "dose": st.sampled_from(["1 capsule", "1-2 tablets", "5 ml", "500 mg", "ein Löffel", "½ tablet"]),
        "frequency": st.sampled_from(
            ["three times daily", "every 4-6 hours as needed", "BD", "einmal täglich", "as needed"]
        ),
        "duration_days": st.integers(0, 90),
        "quantity": st.one_of(st.integers(1, 500), st.sampled_from([0.5, 2.125, "14 tablets", "2 x 100 ml"])),
        "refills": st.integers(0, 12),
        "note": st.one_of(st.just(""), people, st.sampled_from(["With food; not with milk", 'Say "ah" <b>&amp;</b>'])),
    }
)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> SigningKeys:
    return SigningKeys(tmp_path_factory.mktemp("keys"), ISSUER)


@pytest.fixture(scope="module")
def split_code(keys: SigningKeys) -> str:
    """A prescription in two codes, one a line."""
    written = paper([{**AMOXICILLIN, "note": unlike(at, 60)} for at in range(8)])
    code = sign(written, "p", keys.signing_key())
    assert len(code.parts) > 1
    return code.code


def paper(medicines: list[dict[str, Any]], name: str = "Zoë Müller") -> Prescription:
    patient = Patient("p", name, date(1980, 2, 3), "female", "HC-1", Clock().now)
    return write_prescription(
        patient, PRESCRIBER, read_draft({"medications": medicines}).medicines, Clock().now, 30, ISSUER
    )


def forged(header: dict[str, Any] | bytes, payload: bytes, signature: bytes = b"x" * 64) -> str:
    parts = (header if isinstance(header, bytes) else json.dumps(header).encode(), payload, signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def reason_of(jws: str, keys: SigningKeys) -> CodeRefused:
    with pytest.raises(CodeRefused) as refusal:
        unseal(jws, keys.trusted())
    return refusal.value


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(lines, min_size=1, max_size=8), people)
def test_any_prescription_comes_back_from_its_codes_as_it_was_signed(
    keys: SigningKeys, medicines: list[dict[str, Any]], name: str
) -> None:
    written = paper(medicines, name)
    signed = sign(written, "p", keys.signing_key())
    opened = open_codes(signed.code, keys.trusted())
    assert join_codes(opened) == written
    for part in signed.parts:
        assert len(from_digits(part.text)) <= MAX_JWS_CHARS
        assert draw_symbol(part.text).version <= MAX_VERSION
        assert name not in part.text


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(lines, min_size=1, max_size=8), people)
def test_any_prescription_is_read_from_its_picture(
    keys: SigningKeys, medicines: list[dict[str, Any]], name: str
) -> None:
    written = paper(medicines, name)
    signed = sign(written, "p", keys.signing_key())
    assert join_codes(open_codes("\n".join(read_photo(draw_png([p.text for p in signed.parts]))), keys.trusted())) == (
        written
    )


def test_every_single_changed_character_is_refused(keys: SigningKeys) -> None:
    code = sign(paper([AMOXICILLIN]), "p", keys.signing_key()).code
    digits = [at for at in range(len(code)) if at % 3 == 0 or at < 12 or at > len(code) - 60]
    for at in digits:
        other = "7" if code[at] == "1" else "1"
        with pytest.raises(CodeRefused):
            open_codes(code[:at] + other + code[at + 1 :], keys.trusted())


@settings(max_examples=150, deadline=None)
@given(st.floats(0, 0.999999), st.one_of(st.sampled_from("0123456789 \nsS:/"), st.characters(codec="utf-8")))
def test_no_other_character_anywhere_is_believed(keys: SigningKeys, split_code: str, where: float, other: str) -> None:
    at = int(where * len(split_code))
    if other == split_code[at]:
        return
    with pytest.raises(CodeRefused):
        open_codes(split_code[:at] + other + split_code[at + 1 :], keys.trusted())


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_refused_and_never_breaks(text: str) -> None:
    for candidate in (text, "shc:/" + text):
        with pytest.raises(CodeRefused):
            open_codes(candidate, ())


def test_a_second_spelling_of_the_signature_is_refused(keys: SigningKeys) -> None:
    jws = from_digits(sign(paper([AMOXICILLIN]), "p", keys.signing_key()).code)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    same_bytes = jws[:-1] + alphabet[alphabet.index(jws[-1]) | 1]  # four unused bits at the end of 64 bytes
    assert same_bytes != jws
    assert reason_of(same_bytes, keys).status is Status.FORGED


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ({"alg": "none", "zip": "DEF", "kid": "A" * 43}, Status.FORGED),
        ({"alg": "HS256", "zip": "DEF", "kid": "A" * 43}, Status.FORGED),
        ({"alg": "ES256", "kid": "A" * 43}, Status.FORGED),
        ({"alg": "ES256", "zip": "DEF"}, Status.FORGED),
        ({"alg": "ES256", "zip": "DEF", "kid": "https://evil.example/jwks.json"}, Status.FORGED),
        ({"alg": "ES256", "zip": "DEF", "kid": "../../../etc/passwd".ljust(43, "A")}, Status.FORGED),
        ({"alg": "ES256", "zip": "DEF", "kid": "A" * 43 + "\n"}, Status.FORGED),
        ({"alg": "ES256", "zip": "DEF", "kid": ["A" * 43]}, Status.FORGED),
        ({"alg": "ES256", "zip": "DEF", "kid": "A" * 43, "jku": "https://evil.example"}, Status.FORGED),
        ({"alg": "ES256", "zip": "DEF", "kid": "A" * 43, "crit": ["exp"]}, Status.FORGED),
        ({"alg": "ES256", "zip": "DEF", "kid": "A" * 43, "pad": "x" * 400}, Status.FORGED),
        ({"alg": "ES256", "zip": "DEF", "kid": "A" * 43}, Status.UNKNOWN),
        (b'{"alg":"ES256","zip":"DEF","kid":"x","alg":"none"}', Status.FORGED),
        (b"not json", Status.FORGED),
    ],
)
def test_headers_that_ask_for_trust_are_refused(
    keys: SigningKeys, header: dict[str, Any] | bytes, status: Status
) -> None:
    assert reason_of(forged(header, raw_deflate(b"{}")), keys).status is status


def test_hs256_with_the_public_key_as_secret_is_refused(keys: SigningKeys) -> None:
    key = keys.trusted()[0]
    header = {"alg": "HS256", "zip": "DEF", "kid": key.key_id}
    assert reason_of(forged(header, raw_deflate(b'{"iss":"x"}')), keys).status is Status.FORGED


def test_a_stranger_with_our_key_id_is_forged_and_his_bomb_is_never_unpacked(
    keys: SigningKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.prescription_code.inflate", lambda data: pytest.fail("unpacked before verified"))
    header = {"alg": "ES256", "zip": "DEF", "kid": keys.trusted()[0].key_id}
    assert reason_of(forged(header, raw_deflate(b"0" * 10_000_000)), keys).status is Status.FORGED


def test_a_deflate_bomb_stops_at_the_bound() -> None:
    bomb = raw_deflate(b"0" * 50_000_000)
    with pytest.raises(CodeRefused, match="swells"):
        inflate(bomb)
    assert len(inflate(raw_deflate(b"0" * MAX_CLAIMS_BYTES))) == MAX_CLAIMS_BYTES


@pytest.mark.parametrize("data", [raw_deflate(b"{}") + b"more", raw_deflate(b"{}" * 50)[:-2], b"\xff\xff\xff", b""])
def test_cut_off_or_padded_content_is_refused(data: bytes) -> None:
    with pytest.raises(CodeRefused):
        inflate(data)


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":2}', '{"a":{"b":1,"b":1}}', '{"a":NaN}', "[1]", '{"a":' * 50 + "1" + "}" * 50, "{", '"x"']
)
def test_json_that_two_readers_could_read_differently_is_refused(text: str) -> None:
    with pytest.raises(CodeRefused):
        read_json(text.encode())


def _claims() -> dict[str, Any]:
    return write_claims(paper([AMOXICILLIN]), 0, 0, 1, 1, coded=True)


def _edit(claims: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    place: Any = claims
    *way, last = path.split(".")
    for step in way:
        place = place[int(step) if step.isdigit() else step]
    place[int(last) if last.isdigit() else last] = value
    return claims


BUNDLE = "vc.credentialSubject.fhirBundle"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{BUNDLE}.entry.2.resource.resourceType", "Observation"),
        (f"{BUNDLE}.entry.2.resource.doNotPerform", True),
        (f"{BUNDLE}.entry.2.resource.status", "cancelled"),
        (f"{BUNDLE}.entry.2.resource.subject", {"reference": "resource:9"}),
        (f"{BUNDLE}.entry.2.resource.modifierExtension", []),
        (f"{BUNDLE}.entry.2.resource.dispenseRequest.quantity.value", -3),
        (f"{BUNDLE}.entry.2.resource.dispenseRequest.numberOfRepeatsAllowed", 2.5),
        (f"{BUNDLE}.entry.0.resource.birthDate", "yesterday"),
        (f"{BUNDLE}.entry.0.resource.gender", "x"),
        (f"{BUNDLE}.type", "transaction"),
        ("vc.type", ["https://smarthealth.cards#immunization"]),
        ("vc.rid", None),
        ("nbf", "now"),
        ("exp", True),
        ("aud", "someone"),
    ],
)
def test_signed_content_with_another_meaning_is_refused(keys: SigningKeys, path: str, value: Any) -> None:
    jws = seal(_edit(_claims(), path, value), keys.signing_key())
    claims, _ = unseal(jws, keys.trusted())
    with pytest.raises(CodeRefused) as refusal:
        read_claims(claims)
    assert refusal.value.status is Status.UNKNOWN


def test_the_bundle_is_minified_as_health_cards_ask_and_valid_r4() -> None:
    claims = _claims()
    validate(claims)
    text = json.dumps(claims["vc"]["credentialSubject"]["fhirBundle"])
    assert not any(f'"{name}":' in text for name in ("id", "meta", "display"))
    assert claims["vc"]["credentialSubject"]["fhirBundle"]["entry"][2]["fullUrl"] == "resource:2"


def test_half_a_code_two_prescriptions_and_foreign_text_are_told_apart(keys: SigningKeys) -> None:
    first = sign(paper([AMOXICILLIN]), "p", keys.signing_key()).code
    second = sign(paper([AMOXICILLIN]), "p", keys.signing_key()).code
    for code, status in (
        (first[: len(first) // 2], Status.FORGED),
        (f"{first}\n{second}", Status.UNKNOWN),
        ("https://example.org", Status.UNKNOWN),
        ("shc:/1/2/5676", Status.UNKNOWN),
        ("shc:/" + "9" * 100_000, Status.UNKNOWN),
    ):
        with pytest.raises(CodeRefused) as refusal:
            open_codes(code, keys.trusted())
        assert refusal.value.status is status
    assert len(open_codes(f"{first}\n{first}", keys.trusted())) == 1  # one code photographed twice is one code


def test_a_code_signed_in_the_name_of_another_issuer_is_refused(keys: SigningKeys) -> None:
    claims = {**_claims(), "iss": "https://other.example"}
    assert reason_of(seal(claims, keys.signing_key()), keys).status is Status.FORGED


def test_digits_are_what_the_specification_shows() -> None:
    assert to_digits("eyJ") == "shc:/567629"  # https://spec.smarthealth.cards, "Encoding Chunks as QR Codes"


def test_too_long_a_medicine_is_refused_before_signing_with_what_to_shorten(keys: SigningKeys) -> None:
    import random

    noise = random.Random(1)
    words = "".join(noise.choice("abcdefghijklmnopqrstuvwxyzäöü王小明") for _ in range(290))
    long_line = {**AMOXICILLIN, "note": words, "name": words[:200], "frequency": words[50:250], "form": words[:150]}
    written = paper([long_line])
    with pytest.raises(Exception, match=r"Shorten .*note of medicine 1"):
        sign(written, "p", keys.signing_key())


def test_the_prescribers_long_practice_does_not_break_the_split(keys: SigningKeys) -> None:
    patient = Patient("p", "A" * 290, date(1980, 2, 3), "unknown", "HC-1", Clock().now)
    doctor = Prescriber("Dr " + "B" * 150, "1" * 60, "C" * 190)  # long, yet packs well
    medicines = read_draft({"medications": [AMOXICILLIN] * 8}).medicines
    written = write_prescription(patient, doctor, medicines, Clock().now, 30, ISSUER)
    assert join_codes(open_codes(sign(written, "p", keys.signing_key()).code, keys.trusted())) == written


def test_key_ids_are_thumbprints(tmp_path: Path) -> None:
    # RFC 7638 by an independent implementation
    from joserfc.jwk import ECKey

    keys = SigningKeys(tmp_path, ISSUER)
    key = keys.trusted()[0]
    assert ECKey.import_key({"kty": "EC", "crv": "P-256", "x": key.x, "y": key.y}).thumbprint() == key.key_id
