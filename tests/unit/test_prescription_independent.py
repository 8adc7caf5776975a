"""A verifier that is not ours accepts our codes: @pathcheck/shc-sdk, which fetches the issuer's keys as any would."""

from __future__ import annotations

import datetime as dt
import http.server
import ipaddress
import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.prescription_kit import Clinic, medicine, unlike

SDK = Path(__file__).parents[2] / ".node" / "node_modules" / "@pathcheck" / "shc-sdk"
SCRIPT = """
const https = require("https"), request = https.request;  // it asks a registry on the internet first: not from here
https.request = (to, ...rest) => {
  if (to.hostname !== "127.0.0.1") throw new Error("a test reaches no other machine");
  return request(to, ...rest);
};
const { unpackAndVerify } = require(process.argv[1]);
(async () => {
  const answers = [];
  for (const code of JSON.parse(process.argv[2])) {
    const card = await unpackAndVerify(code);
    answers.push(card ? card.credential.vc.credentialSubject.fhirBundle.entry.length : 0);
  }
  process.stdout.write("ANSWERS" + JSON.stringify(answers));
})();
"""

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed, so no JavaScript verifier can run"),
    pytest.mark.skipif(not SDK.exists(), reason="@pathcheck/shc-sdk is not installed in .node (make test installs it)"),
]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """An https address on this machine that serves a JWKS at its well-known place; the dict is what it serves."""
    served: dict[str, object] = {}

    class WellKnown(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/.well-known/jwks.json"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(json.dumps(served if found else {}).encode())

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), WellKnown)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(tmp_path))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}", served
    server.shutdown()
    server.server_close()
    thread.join()


def _certificate(folder: Path) -> Path:
    """A self-signed certificate and its key in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file


def test_an_independent_verifier_accepts_our_codes_and_no_altered_one(
    tmp_path: Path, address: tuple[str, dict[str, object]]
) -> None:
    issuer, served = address
    clinic = Clinic(tmp_path / "clinic", issuer=issuer)
    served.update(clinic.desk.jwks())
    one = clinic.issue().signed
    many = clinic.issue(*(medicine(name=f"Xyzzqor {at}", note=unlike(at, 50)) for at in range(8))).signed
    codes = [part.text for signed in (one, many) for part in signed.parts]
    entries = [2 + part.last - part.first + 1 for signed in (one, many) for part in signed.parts]
    altered = one.code[:400] + ("0" if one.code[400] != "0" else "1") + one.code[401:]
    certificate = {"NODE_EXTRA_CA_CERTS": str(tmp_path / "server.pem"), "PATH": "/usr/local/bin:/usr/bin:/bin"}
    run = subprocess.run(
        [str(shutil.which("node")), "-e", SCRIPT, str(SDK), json.dumps([*codes, altered])],
        capture_output=True, text=True, timeout=60, env=certificate, check=True,
    )  # fmt: skip
    assert json.loads(run.stdout.rpartition("ANSWERS")[2]) == [*entries, 0]
