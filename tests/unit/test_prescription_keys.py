"""Keys: made once, readable by their owner alone, turned over without losing what was signed before."""

from __future__ import annotations

import json
import stat
from contextlib import closing
from pathlib import Path

import pytest

from domain.errors import SettingsInvalid
from domain.prescription import Status
from domain.settings import Settings
from pipelines.workbench import Workbench
from storage.signing_keys import FOLDER, SigningKeys, turn_over
from tests.unit.prescription_kit import ISSUER, PHARMACIST, Clinic


def private_files(data: Path) -> list[Path]:
    return [file for file in (data / FOLDER).glob("*.jwk") if not file.name.endswith(".public.jwk")]


def test_the_first_start_makes_a_key_for_the_owner_alone_and_the_next_finds_it(tmp_path: Path) -> None:
    key = SigningKeys(tmp_path, ISSUER).signing_key()
    (file,) = private_files(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / FOLDER).stat().st_mode) == 0o700
    assert SigningKeys(tmp_path, ISSUER).signing_key() == key
    assert json.loads(key.private_jwk)["d"] not in repr(key)


def test_published_keys_are_public_and_as_health_cards_ask(tmp_path: Path) -> None:
    (jwk,) = SigningKeys(tmp_path, ISSUER).jwks()["keys"]
    assert set(jwk) == {"kty", "kid", "use", "alg", "crv", "x", "y"}
    assert (jwk["kty"], jwk["use"], jwk["alg"], jwk["crv"]) == ("EC", "sig", "ES256", "P-256")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666])
def test_a_key_that_others_can_read_stops_the_start(tmp_path: Path, mode: int) -> None:
    SigningKeys(tmp_path, ISSUER)
    private_files(tmp_path)[0].chmod(mode)
    with pytest.raises(SettingsInvalid, match="chmod 600"):
        SigningKeys(tmp_path, ISSUER)
    turn_over(tmp_path)
    SigningKeys(tmp_path, ISSUER)


def test_a_folder_that_others_can_enter_stops_the_start(tmp_path: Path) -> None:
    SigningKeys(tmp_path, ISSUER)
    (tmp_path / FOLDER).chmod(0o755)
    with pytest.raises(SettingsInvalid, match="chmod 700"):
        SigningKeys(tmp_path, ISSUER)


@pytest.mark.parametrize("content", ["", "{}", '{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}', "[]"])
def test_a_damaged_key_stops_the_start(tmp_path: Path, content: str) -> None:
    SigningKeys(tmp_path, ISSUER)
    private_files(tmp_path)[0].write_text(content)
    with pytest.raises(SettingsInvalid, match="damaged"):
        SigningKeys(tmp_path, ISSUER)


def test_a_missing_key_is_not_quietly_replaced(tmp_path: Path) -> None:
    SigningKeys(tmp_path, ISSUER)
    private_files(tmp_path)[0].unlink()
    with pytest.raises(SettingsInvalid, match="missing"):
        SigningKeys(tmp_path, ISSUER)


@pytest.mark.parametrize("issuer", ["http://clinic.example", "https://clinic.example/", "clinic", ""])
def test_the_issuer_is_an_https_address_without_a_slash_at_its_end(tmp_path: Path, issuer: str) -> None:
    with pytest.raises(SettingsInvalid):
        SigningKeys(tmp_path, issuer)


def test_after_a_turn_over_old_codes_verify_and_the_old_private_half_is_gone(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    old = clinic.issue().signed.code
    before = clinic.keys.signing_key()
    after = clinic.keys.rotate()
    assert after.key_id != before.key_id
    new = clinic.issue().signed.code
    assert [clinic.desk.verify(None, code, PHARMACIST).valid for code in (old, new)] == [True, True]
    assert {jwk["kid"] for jwk in clinic.keys.jwks()["keys"]} == {before.key_id, after.key_id}
    assert [file.stem for file in private_files(tmp_path)] == [after.key_id]
    assert SigningKeys(tmp_path, ISSUER).signing_key() == after


def test_after_a_compromise_nothing_signed_before_is_believed(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    code = clinic.issue().signed.code
    turn_over(tmp_path, compromised=True)
    clinic.desk._keys = SigningKeys(tmp_path, ISSUER)
    assert clinic.desk.verify(None, code, PHARMACIST).status is Status.UNKNOWN


def test_a_key_given_by_setting_signs_and_stays_verifiable_afterwards(tmp_path: Path) -> None:
    SigningKeys(tmp_path / "elsewhere", ISSUER)
    (file,) = private_files(tmp_path / "elsewhere")
    given = SigningKeys(tmp_path / "data", ISSUER, key_file=file)
    assert given.signing_key().key_id == file.stem
    with pytest.raises(SettingsInvalid):
        given.rotate()
    turn_over(tmp_path / "data")
    assert file.stem in {key.key_id for key in SigningKeys(tmp_path / "data", ISSUER).trusted()}
    with pytest.raises(SettingsInvalid, match="missing"):
        SigningKeys(tmp_path / "data", ISSUER, key_file=tmp_path / "nothing.jwk")


def test_a_start_with_nothing_new_to_sign_still_refuses_a_bad_key(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with closing(Workbench(settings)) as bench:
        bench.trail_desk.keep_checkpoint()
    for file in (tmp_path / FOLDER).glob("*.jwk"):
        file.chmod(0o644)
    with closing(Workbench(settings)) as bench, pytest.raises(SettingsInvalid):
        bench.trail_desk.keep_checkpoint()
