"""The tables of the database, SQLite and PostgreSQL alike. Whoever changes one adds a step to storage/migrations.py."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

patients = sa.Table(
    "patients",
    metadata,
    sa.Column("patient_id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(300), nullable=False),
    sa.Column("name_key", sa.String(400), nullable=False, index=True),
    sa.Column("birth_date", sa.Date, nullable=False),
    sa.Column("sex", sa.String(16), nullable=False),
    sa.Column("record_number", sa.String(64), nullable=False),
    sa.Column("record_number_key", sa.String(64), nullable=False, unique=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("synthetic", sa.Boolean, nullable=False),
)

name_tokens = sa.Table(
    "name_tokens",  # every word of every name, so that a prefix of any of them is an index look-up
    metadata,
    sa.Column("token", sa.String(100), primary_key=True),
    sa.Column("patient_id", sa.ForeignKey("patients.patient_id", ondelete="CASCADE"), primary_key=True),
)

name_keys = sa.Table(
    "name_keys",  # of every such word, once: a misspelt one is an index look-up too; see domain/name_keys.py
    metadata,
    sa.Column("key", sa.String(100), primary_key=True),
    sa.Column("token", sa.String(100), primary_key=True),
)

documents = sa.Table(
    "documents",
    metadata,
    sa.Column("document_id", sa.String(64), primary_key=True),
    sa.Column("patient_id", sa.ForeignKey("patients.patient_id"), nullable=True, index=True),
    sa.Column("title", sa.String(300), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("document_date", sa.Date, nullable=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, index=True),
    sa.Column("model_id", sa.String(100), nullable=False),
    sa.Column("model_revision", sa.String(100), nullable=False),
    sa.Column("warnings", sa.JSON, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("page_count", sa.Integer, nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("source_sha256", sa.String(64), nullable=False, index=True),
    sa.Column("source_name", sa.String(300), nullable=False),
    sa.Column("pdf_sha256", sa.String(64), nullable=False),
    sa.Column("indexed_revision", sa.Integer, nullable=False),  # below `revision`: the search index is behind
)

pages = sa.Table(
    "pages",
    metadata,
    sa.Column("document_id", sa.ForeignKey("documents.document_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("content", sa.JSON, nullable=False),
)

corrections = sa.Table(
    "corrections",
    metadata,
    sa.Column("correction_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("document_id", sa.ForeignKey("documents.document_id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("page", sa.Integer, nullable=False),
    sa.Column("word_index", sa.Integer, nullable=False),
    sa.Column("old_text", sa.Text, nullable=False),
    sa.Column("new_text", sa.Text, nullable=False),
    sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("corrected_by", sa.String(200), nullable=False),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("index", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.String(40), nullable=False),
    sa.Column("who", sa.String(200), nullable=False),
    sa.Column("session", sa.String(100), nullable=False),
    sa.Column("role", sa.String(40), nullable=False),
    sa.Column("action", sa.String(1), nullable=False),
    sa.Column("entity", sa.String(200), nullable=False),
    sa.Column("patient_id", sa.String(64), nullable=False, index=True),
    sa.Column("detail", sa.String(400), nullable=False),
    sa.Column("model_id", sa.String(100), nullable=False),
    sa.Column("model_revision", sa.String(100), nullable=False),
    sa.Column("chained", sa.String(64), nullable=False),
)

trail_head = sa.Table(
    "trail_head",  # one row; writers lock it, so that two events never claim the same place
    metadata,
    sa.Column("one", sa.Integer, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("chained", sa.String(64), nullable=False),
)

trail_edge = sa.Table(
    "trail_edge",  # one row: the right edge of the trail's Merkle tree, so that an append reads nothing else
    metadata,
    sa.Column("one", sa.Integer, primary_key=True),
    sa.Column("edge", sa.Text, nullable=False),  # hex digests of the finished subtrees, largest first
)

trail_nodes = sa.Table(
    "trail_nodes",  # every finished node of that tree; level 0 are the leaves
    metadata,
    sa.Column("level", sa.SmallInteger, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
)

choices = sa.Table(
    "choices",  # which model a task uses, as chosen on the Models page
    metadata,
    sa.Column("task", sa.String(60), primary_key=True),
    sa.Column("model_id", sa.String(100), nullable=False),
)

prescriptions = sa.Table(
    "prescriptions",
    metadata,
    sa.Column("prescription_id", sa.String(64), primary_key=True),
    sa.Column("patient_id", sa.ForeignKey("patients.patient_id"), nullable=True, index=True),  # null: issued elsewhere
    sa.Column("short_code", sa.String(20), nullable=True, unique=True),
    sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("fillings", sa.Integer, nullable=False),  # how many rows prescription_fillings holds
    sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("revoked_by", sa.String(200), nullable=False),
    sa.Column("revoked_reason", sa.String(400), nullable=False),
)

prescription_fillings = sa.Table(
    "prescription_fillings",  # rows are added, never changed: what left the pharmacy cannot be unsaid
    metadata,
    sa.Column("prescription_id", sa.ForeignKey("prescriptions.prescription_id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # from 1; two writers cannot both take the same
    sa.Column("medicine", sa.Integer, nullable=False),
    sa.Column("thousandths", sa.BigInteger, nullable=False),
    sa.Column("dispensed_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("dispensed_by", sa.String(200), nullable=False),
)

consultations = sa.Table(
    "consultations",
    metadata,
    sa.Column("consultation_id", sa.String(64), primary_key=True),
    sa.Column("patient_id", sa.ForeignKey("patients.patient_id"), nullable=True, index=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("transcript_version", sa.Integer, nullable=False),
    sa.Column("note_version", sa.Integer, nullable=False),  # 0: no draft yet
    sa.Column("audio_sha256", sa.String(64), nullable=False),  # empty: imported as text, or deleted after signing
    sa.Column("audio_type", sa.String(60), nullable=False),
    sa.Column("signature", sa.JSON(none_as_null=True), nullable=True),
)

consultation_versions = sa.Table(
    "consultation_versions",  # rows are added, never changed, until an unsigned visit is discarded as a whole
    metadata,
    sa.Column("consultation_id", sa.ForeignKey("consultations.consultation_id"), primary_key=True),
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("made_by", sa.String(200), nullable=False),
    sa.Column("reason", sa.String(200), nullable=False),
)

consultation_addenda = sa.Table(
    "consultation_addenda",
    metadata,
    sa.Column("consultation_id", sa.ForeignKey("consultations.consultation_id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("content", sa.JSON, nullable=False),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("name", sa.String(60), primary_key=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("password_hash", sa.String(300), nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)

sign_ins = sa.Table(
    "sign_ins",  # visits that last; the token itself is nowhere kept
    metadata,
    sa.Column("token_sha256", sa.String(64), primary_key=True),
    sa.Column("account", sa.ForeignKey("accounts.name", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
)

failed_sign_ins = sa.Table(
    "failed_sign_ins",  # by name, whether or not there is such an account
    metadata,
    sa.Column("name", sa.String(60), primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
)

broken_glass = sa.Table(
    "broken_glass",
    metadata,
    sa.Column("session", sa.String(100), primary_key=True),
    sa.Column("patient_id", sa.String(64), primary_key=True),
    sa.Column("until", sa.DateTime(timezone=True), nullable=False),
)

readings = sa.Table(
    "readings",  # of scans; a row is never changed but for whose it is
    metadata,
    sa.Column("reading_id", sa.String(64), primary_key=True),
    sa.Column("patient_id", sa.ForeignKey("patients.patient_id"), nullable=True, index=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("task", sa.String(60), nullable=False),
    sa.Column("model_id", sa.String(100), nullable=False),
    sa.Column("model_revision", sa.String(100), nullable=False),
    sa.Column("outside", sa.JSON, nullable=False),
    sa.Column("source_sha256", sa.String(64), nullable=False, index=True),
    sa.Column("picture_sha256", sa.String(64), nullable=False),
    sa.Column("overlay_sha256", sa.String(64), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
)

reading_feedback = sa.Table(
    "reading_feedback",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("reading_id", sa.ForeignKey("readings.reading_id"), nullable=False, index=True),
    sa.Column("opinion", sa.String(20), nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("who", sa.String(200), nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)

fact_places = sa.Table(
    "fact_places",  # boxes of each fact of a record, so that a chart of 500 records reads no page
    metadata,
    sa.Column("document_id", sa.ForeignKey("documents.document_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("boxes", sa.JSON, nullable=False),  # one list of boxes for each of documents.facts
)

chart_dismissals = sa.Table(
    "chart_dismissals",  # rows are added, and closed by reopening; the reasons stay
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("patient_id", sa.ForeignKey("patients.patient_id"), nullable=False, index=True),
    sa.Column("item", sa.String(64), nullable=False),
    sa.Column("reason", sa.String(400), nullable=False),
    sa.Column("who", sa.String(200), nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("reopened_by", sa.String(200), nullable=True),
    sa.Column("reopened_at", sa.DateTime(timezone=True), nullable=True),
)

chart_merges = sa.Table(
    "chart_merges",  # what went from one record of a person to the other, so that it can go back
    metadata,
    sa.Column("merge_id", sa.String(64), primary_key=True),
    sa.Column("kept_id", sa.ForeignKey("patients.patient_id"), nullable=False, index=True),
    sa.Column("gone_id", sa.ForeignKey("patients.patient_id"), nullable=False, index=True),
    sa.Column("moved", sa.JSON, nullable=False),  # table name to ids
    sa.Column("reason", sa.String(400), nullable=False),
    sa.Column("who", sa.String(200), nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("undone_by", sa.String(200), nullable=True),
    sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
)

chart_imports = sa.Table(
    "chart_imports",  # FHIR resources as they came from elsewhere, word for word
    metadata,
    sa.Column("import_id", sa.String(64), primary_key=True),
    sa.Column("patient_id", sa.ForeignKey("patients.patient_id"), nullable=False, index=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("full_url", sa.String(500), nullable=False),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)

chart_files = sa.Table(
    "chart_files",  # files that such resources carry: bytes in the file store, a mark in the resource
    metadata,
    sa.Column("import_id", sa.ForeignKey("chart_imports.import_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("content_type", sa.String(100), nullable=False),
    sa.Column("title", sa.String(300), nullable=False),
    sa.Column("dated", sa.Date, nullable=True),
    sa.Column("may_file", sa.Boolean, nullable=False),  # as a record of its own
    sa.Column("document_id", sa.ForeignKey("documents.document_id", ondelete="SET NULL"), nullable=True, index=True),
)

schema_version = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True))
