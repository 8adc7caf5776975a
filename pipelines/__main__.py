"""The command line: `python -m pipelines JOB ...` does the jobs of the page without a browser.

Exit codes: 0 done; 2 the input was refused, with the reason on stderr; 1 the fault is ours.
"""

from __future__ import annotations

import json
import logging
import shutil
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from domain import chart_contract, consultation_contract, contract, prescription_contract
from domain.audit import Actor
from domain.errors import USER_CAN_MEND, HealthConnectError, PrescriptionInvalid, UploadRejected
from domain.people import Role
from domain.prescription_order import read_order
from domain.settings import load_settings, telemetry_off, waiting_threads_sleep
from pipelines import evaluate_figures
from pipelines.caretaker import back_up, put_back, rotate_signing_key
from pipelines.evaluate import SPLITS
from pipelines.trail_desk import proof_text
from pipelines.workbench import Workbench, open_workbench

EXIT_REFUSED = 2
EXIT_OUR_FAULT = 1
MAX_PATH_CHARS = 1000  # a longer argument is a code
MAX_ORDER_BYTES = 1_000_000

# Typer's own tracebacks print local variables, and those hold patients' data.
app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)
operator = Actor(who="operator", session="command line", role="administrator")

AsJson = Annotated[bool, typer.Option("--json", help="Print the outside shape as JSON.")]
ForPatient = Annotated[str, typer.Option("--patient", help="Patient id; leave out to file to nobody.")]


@app.command()
def digitise(
    files: Annotated[list[Path], typer.Argument(help="PDF or picture files.", exists=True, dir_okay=False)],
    out: Annotated[Path, typer.Option(help="Folder for the searchable PDFs.")],
    patient: ForPatient = "",
    language: Annotated[str, typer.Option(help="Language of the record, ISO 639-1.")] = "en",
    as_json: AsJson = False,
) -> None:
    """Turn scanned records into searchable PDFs, file them, and write the PDFs into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    with _bench() as bench:
        for file in files:
            filed = bench.digitise(file, patient, language, operator, progress=_say)
            target = out / f"{filed.document.document_id}.pdf"
            shutil.copyfile(bench.searchable_pdf(filed.document.document_id), target)
            _print(
                contract.document(filed.document) | {"pdf": str(target), "duplicate_of": filed.duplicate_of},
                as_json,
                f"{file.name}: {len(filed.document.pages)} pages in {filed.seconds:.1f} s -> {target}",
            )
            for warning in filed.document.warnings:
                typer.echo(f"  note: {warning}", err=True)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="Symptoms or findings, in any words.")],
    patient: ForPatient = "",
    limit: Annotated[int, typer.Option(min=1, max=100)] = 10,
    as_json: AsJson = False,
) -> None:
    """Find the pages that speak of a symptom."""
    with _bench() as bench:
        answer = bench.search(query, operator, patient_id=patient, limit=limit)
        lines = [
            f"{hit.score:.3f}  {hit.passage.document_id}  page {hit.passage.page}  "
            f"{'(denied) ' if hit.negated else ''}{hit.passage.text[:100]}"
            for hit in answer.hits
        ]
        shape = contract.hits(answer.hits, answer.took_ms, answer.message)
        _print(shape, as_json, "\n".join(lines) or answer.message)


@app.command()
def prescribe(
    file: Annotated[
        Path, typer.Argument(help='JSON: {"medications": [...], "valid_days"}.', exists=True, dir_okay=False)
    ],
    patient: Annotated[str, typer.Option(help="Patient id.")],
    out: Annotated[Path, typer.Option(help="Folder for the code's picture and the page to print.")],
    as_json: AsJson = False,
) -> None:
    """Sign a prescription; write its QR picture and its printable page into a folder."""
    with _bench() as bench:
        prescriber, data = read_order(_json_of(file))
        signer = replace(operator, role="doctor")
        issued = bench.prescriptions.issue(bench.patient(patient), prescriber, data, signer, bench.allergies(patient))
        shape = prescription_contract.issued(issued.signed, issued.warnings)
        out.mkdir(parents=True, exist_ok=True)
        picture, page = (out / f"{shape['prescription_id']}{end}" for end in (".png", ".pdf"))
        picture.write_bytes(issued.qr_png)
        page.write_bytes(issued.pdf)
        for warning in issued.warnings:
            typer.echo(f"  note: {warning.text} ({warning.source})", err=True)
        _print(shape | {"qr_png": str(picture), "pdf": str(page)}, as_json, f"{shape['short_code']} -> {page}")


@app.command()
def verify(
    image_or_code: Annotated[str, typer.Argument(help="A photo of the code, its text shc:/..., or the short code.")],
    as_json: AsJson = False,
) -> None:
    """Say whether a prescription is genuine and may be dispensed. A verdict of no is an answer too: exit code 0."""
    with _bench() as bench:
        looks_like_file = len(image_or_code) < MAX_PATH_CHARS and Path(image_or_code).is_file()
        picture = Path(image_or_code).read_bytes() if looks_like_file else None
        code = "" if looks_like_file else image_or_code
        verdict = bench.prescriptions.verify(picture, code, replace(operator, role="pharmacist"))
        word = "may be dispensed" if verdict.valid else "not to be dispensed"
        _print(prescription_contract.verdict(verdict), as_json, f"{verdict.status.value}, {word}: {verdict.reason}")


@app.command()
def consult(
    file: Annotated[
        Path, typer.Argument(help="A recording, or a .txt with lines Doctor: ...", exists=True, dir_okay=False)
    ],
    speakers: Annotated[int, typer.Option(min=0, max=20, help="Number of voices; 0 finds out.")] = 2,
    patient: ForPatient = "",
    as_json: AsJson = False,
) -> None:
    """Transcribe a visit, or read it from text, and draft a note in which every line names its source."""
    doctor = replace(operator, role="doctor")
    with _bench() as bench:
        if file.suffix.lower() == ".txt":
            visit = bench.consultations.import_transcript(file.read_text("utf-8", errors="replace"), patient, doctor)
        else:
            visit = bench.consultations.transcribe(file, patient, speakers, doctor, progress=_say)
        visit = bench.consultations.draft_note(visit.transcript.consultation_id, doctor, _say)
        said = consultation_contract.transcript(visit.transcript, visit.roles)
        note = consultation_contract.note(bench.consultations.note(visit.transcript.consultation_id))
        for warning in visit.transcript.warnings:
            typer.echo(f"  note: {warning}", err=True)
        lines = [f"{one['role'] or one['speaker']}: {one['text']}" for one in said["utterances"]]
        for name, kept in (*note["sections"].items(), ("unsupported", note["unsupported"])):
            lines += ["", name.upper(), *(f"- {line['text']}  [{', '.join(line['evidence'])}]" for line in kept)]
        _print(said | {"note": note}, as_json, "\n".join(lines))


@app.command("read-scan")
def read_scan(
    file: Annotated[Path, typer.Argument(help="PNG, JPEG, DICOM or NIfTI.", exists=True, dir_okay=False)],
    task: Annotated[str, typer.Option(help="Task of an imaging card, or auto.")] = "auto",
    patient: ForPatient = "",
    as_json: AsJson = False,
) -> None:
    """Read a scan picture, or say why it is not read. A research demonstration, not a diagnosis."""
    with _bench() as bench:
        read = bench.read_scan(file, task, patient, operator)
        lines = [
            f"{finding.label}: {finding.score:.3f} (threshold {finding.threshold:.3f})"
            for finding in read.reading.findings
        ]
        answer = "\n  ".join([f"{file.name}: {read.reading.task}", *(lines or [f"not read: {read.reading.reason}"])])
        _print(contract.reading(read.reading, read.reading_id), as_json, answer)


@app.command()
def evaluate(
    task: Annotated[str, typer.Argument(help="Task of an imaging card.")],
    data: Annotated[Path, typer.Option(help="Folder with TASK/list.csv.", exists=True, file_okay=False)],
    model: Annotated[str, typer.Option(help="Card id; the one in use when left out.")] = "",
    split: Annotated[str, typer.Option(help="held-out: pictures kept from training; all: data of another origin.")] = (
        "held-out"
    ),
    out: Annotated[Path | None, typer.Option(help="Folder for ROC, reliability and confusion pictures.")] = None,
) -> None:
    """Measure the figures of a model card again."""
    if split not in SPLITS:
        raise UploadRejected(f"There is no split of this name. Use one of: {', '.join(SPLITS)}.")
    with _bench() as bench:
        judged = bench.evaluate(task, data, model, split, _say)
        typer.echo("\n".join(judged.lines))
        if out:
            for drawn in evaluate_figures.draw(judged, out):
                typer.echo(f"  {drawn}")


@app.command(name="export-chart")
def export_chart(
    patient: Annotated[str, typer.Option(help="Patient id.")],
    out: Annotated[Path, typer.Option(help="File for the FHIR R4 bundle; a ZIP where it is large.", dir_okay=False)],
) -> None:
    """Write a patient's chart as a FHIR R4 document bundle."""
    with _bench() as bench:
        counts = bench.charts.export(patient, out.absolute(), replace(operator, role="doctor"))
        typer.echo(f"{sum(counts.values())} resources -> {out}")


@app.command(name="import-chart")
def import_chart(
    file: Annotated[Path, typer.Argument(help="FHIR R4 bundle, or ZIP of several.", exists=True, dir_okay=False)],
    patient: Annotated[str, typer.Option(help="Whose chart; left out, the bundle's patient is added.")] = "",
    as_json: AsJson = False,
) -> None:
    """Receive a FHIR R4 bundle about one patient; every resource is kept word for word."""
    with _bench() as bench:
        done = bench.charts.import_bundle(file, patient, operator)
        told = {"received": done.received, "filed": done.filed, "held": done.held, "refused": list(done.refused)}
        counts = f"{done.received} resources received, {done.filed} files filed, {done.held} held, "
        said = f"{counts}{len(done.refused)} reasons against others, for {done.chart.patient.patient_id}"
        _print(chart_contract.chart(done.chart) | told, as_json, "\n".join((said, *done.refused)))


@app.command(name="rotate-key")
def rotate_key(
    compromised: Annotated[bool, typer.Option(help="The old key may be in wrong hands: its codes are void.")] = False,
) -> None:
    """Sign prescriptions with a new key from now on."""
    typer.echo(f"New key {rotate_signing_key(load_settings(), operator, compromised)}")


@app.command()
def audit(
    patient: ForPatient = "",
    checkpoint: Annotated[
        Path | None, typer.Option(help="File with a checkpoint that was kept elsewhere.", exists=True, dir_okay=False)
    ] = None,
    prove: Annotated[int | None, typer.Option(help="Prove that this event stands in the trail.", min=0)] = None,
    as_json: AsJson = False,
) -> None:
    """Verify the whole trail, and show who did what. Exit code 1 when it is broken."""
    with _bench() as bench:
        if prove is not None:
            proof = bench.trail_desk.prove(prove)
            shape = {"index": proof.index, "content": proof.content, "path": list(proof.path)}
            tree = {"size": proof.checkpoint.size, "root": proof.checkpoint.root}
            _print(shape | tree, as_json, "\n".join(proof_text(proof)))
            return
        found = bench.trail(patient, checkpoint.read_text("utf-8") if checkpoint else "")
        verdict = found.examination.reason or "The trail is whole."
        lines = [f"{e.index:6} {e.at.isoformat()} {e.actor.who} {e.action.value} {e.entity}" for e in found.events]
        shape = contract.trail(found.events, found.checkpoint, found.examination, found.compared_with)
        compared = f"{found.examination.size} events, compared with {found.compared_with} kept checkpoints."
        _print(shape, as_json, "\n".join([*lines, compared, verdict, f"Checkpoint {found.checkpoint}"]))
        if not found.examination.intact:
            raise typer.Exit(EXIT_OUR_FAULT)


accounts_app = typer.Typer(no_args_is_help=True, help="Accounts of a clinic (HEALTH_CONNECT_MODE=clinic).")
app.add_typer(accounts_app, name="accounts")
AccountName = Annotated[str, typer.Argument(help="Name of the account.")]
NewPassword = Annotated[
    str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True, help="Asked for when left out.")
]


@accounts_app.command("add")
def add_account(
    name: AccountName,
    role: Annotated[str, typer.Option(help=f"One of: {', '.join(Role)}.")],
    password: NewPassword,
) -> None:
    """Add a person who may sign in."""
    with _bench() as bench:
        account = bench.people.add(name, role, password, operator)
        typer.echo(f"{account.name} may sign in as {account.role.value}.")


@accounts_app.command("reset")
def reset_password(name: AccountName, password: NewPassword) -> None:
    """Give an account a new password; its visits end."""
    with _bench() as bench:
        typer.echo(f"{bench.people.reset(name, password, operator).name} has a new password.")


@accounts_app.command("disable")
def disable_account(name: AccountName) -> None:
    """Let an account in no more; its visits end at once."""
    with _bench() as bench:
        typer.echo(f"{bench.people.set_disabled(name, True, operator).name} is disabled.")


@accounts_app.command("enable")
def enable_account(name: AccountName) -> None:
    """Let a disabled account in again."""
    with _bench() as bench:
        typer.echo(f"{bench.people.set_disabled(name, False, operator).name} is enabled.")


@accounts_app.command("list")
def list_accounts() -> None:
    """Every account and its role."""
    with _bench() as bench:
        for account in bench.people.accounts():
            typer.echo(f"{account.name:30} {account.role.value}{'  (disabled)' if account.disabled else ''}")


@app.command(name="backup")
def write_backup(
    to: Annotated[Path | None, typer.Option(help="File to write; else the folder backups in the data folder.")] = None,
) -> None:
    """Copy everything that is kept into one file, also while the program runs. It holds patients' data and keys."""
    made = back_up(load_settings(), operator, to)
    typer.echo(f"{made.file.name}: {made.file_count} files, {made.bytes_total / 1e6:.1f} MB before packing")


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="A backup: a path, or a name in the data folder's backups.")],
) -> None:
    """Put everything back as it was; stop the program first. What is there now is moved aside, not deleted."""
    restored = put_back(load_settings(), operator, source)
    typer.echo(f"{restored.file_count} files of {restored.made_at:%Y-%m-%d %H:%M} UTC are back.")


@app.command()
def models(as_json: AsJson = False) -> None:
    """List the models on the shelf."""
    with _bench() as bench:
        cards = bench.model_cards()
        listing = "\n".join(f"{card.task:14} {card.id:24} {card.title}" for card in cards)
        _print({"models": [contract.card(card) for card in cards]}, as_json, listing)


def _json_of(file: Path) -> Any:
    try:
        if file.stat().st_size > MAX_ORDER_BYTES:
            raise ValueError("too large")
        return json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise PrescriptionInvalid(
            'The file holds no JSON that could be a prescription: {"medications": [...]} is needed. Correct it.'
        ) from error


def _bench() -> closing[Workbench]:
    return closing(open_workbench(load_settings()))


def _say(done: float, total: float, unit: str, message: str) -> None:
    typer.echo(f"  {done:g}/{total:g} {unit}  {message}", err=True)


def _print(shape: dict[str, Any], as_json: bool, text: str) -> None:
    typer.echo(json.dumps(shape, ensure_ascii=False) if as_json else text)


def main() -> None:
    """Run a job; translate domain errors into exit codes, once, here."""
    telemetry_off()
    waiting_threads_sleep()
    try:
        app()
    except USER_CAN_MEND as refusal:
        typer.echo(refusal.user_message, err=True)
        sys.exit(EXIT_REFUSED)
    except HealthConnectError as fault:
        logging.getLogger(__name__).error("job failed", exc_info=fault)
        typer.echo(fault.user_message, err=True)
        sys.exit(EXIT_OUR_FAULT)


if __name__ == "__main__":
    main()
