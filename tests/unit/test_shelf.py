"""The shelf: loads once, keeps within its budget, never evicts what is in use, and names what it has."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from domain.errors import ModelUnavailable
from domain.models import InputContract, ModelCard, WeightsSource
from models import shelf as shelf_module
from models.shelf import ModelShelf


class Counted:
    """A model that counts how often it was built; stands in for weights that would tell nothing more."""

    built: list[str] = []  # noqa: RUF012

    def __init__(self, folder: Path, card: ModelCard) -> None:
        self.card = card
        Counted.built.append(card.id)


@pytest.fixture(autouse=True)
def _fresh_count() -> None:
    Counted.built.clear()


def card(model_id: str, memory_mb: int = 100, task: str = "ocr", files: tuple[tuple[str, str], ...] = ()) -> ModelCard:
    return ModelCard(
        id=model_id, task=task, title=model_id, loader=f"{__name__}:Counted", revision="1", licence="-", origin="-",
        intended_use="-", not_for="-", input=InputContract("-"), memory_mb=memory_mb,
        weights=WeightsSource(folder="tests/unit", files=files),
    )  # fmt: skip


def loaded(shelf: ModelShelf) -> set[str]:
    return {status.model_id for status in shelf.status() if status.loaded}


def test_a_model_is_loaded_once_even_when_two_threads_want_it() -> None:
    shelf = ModelShelf([card("a")], 1000)

    def use() -> None:
        with shelf.borrow("a"):
            pass

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counted.built == ["a"]


def test_the_longest_idle_model_makes_room() -> None:
    shelf = ModelShelf([card("a"), card("b"), card("c")], 200)
    for model_id in ("a", "b", "a", "c"):
        with shelf.borrow(model_id):
            pass
    assert loaded(shelf) == {"a", "c"}


def test_what_is_borrowed_is_never_evicted_or_unloaded() -> None:
    shelf = ModelShelf([card("a"), card("b")], 100)
    with shelf.borrow("a"), shelf.borrow("b"):
        assert not shelf.unload("a")
        assert loaded(shelf) == {"a", "b"}
    assert shelf.unload("a")
    assert loaded(shelf) == {"b"}


def test_what_is_idle_is_given_back_and_what_is_borrowed_stays() -> None:
    shelf = ModelShelf([card("a"), card("b"), card("c")], 1000)
    with shelf.borrow("a"):
        pass
    with shelf.borrow("b"):
        assert shelf.release_idle(3600) == ()
        assert shelf.release_idle(0) == ("a",)
        assert loaded(shelf) == {"b"}


def test_idle_models_are_given_back_by_themselves() -> None:
    given_back = threading.Event()

    class Watched(ModelShelf):
        def release_idle(self, seconds: float) -> tuple[str, ...]:
            released = super().release_idle(seconds)
            if released:
                given_back.set()
            return released

    shelf = Watched([card("a")], 1000, idle_s=0.01)
    with shelf.borrow("a"):
        pass
    assert given_back.wait(30)
    assert loaded(shelf) == set()


def test_loading_one_model_does_not_stall_another(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = ModelShelf([card("slow"), card("quick")], 1000)
    real, may_finish, began = shelf_module._build, threading.Event(), threading.Event()

    def build(wanted: ModelCard) -> object:
        if wanted.id == "slow":
            began.set()
            assert may_finish.wait(10)
        return real(wanted)

    monkeypatch.setattr(shelf_module, "_build", build)

    def use_slow() -> None:
        with shelf.borrow("slow"):
            pass

    thread = threading.Thread(target=use_slow)
    thread.start()
    assert began.wait(10)
    with shelf.borrow("quick"):
        assert loaded(shelf) == {"quick"}
    may_finish.set()
    thread.join()
    assert loaded(shelf) == {"slow", "quick"}


def test_unknown_names_are_answered_with_known_ones() -> None:
    shelf = ModelShelf([card("a")], 1000)
    with pytest.raises(ModelUnavailable, match="The shelf has: a"), shelf.borrow("nonesuch"):
        pass
    with pytest.raises(ModelUnavailable, match="Those that do: a"):
        shelf.use("ocr", "nonesuch")


def test_altered_weights_are_refused() -> None:
    right = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    name = Path(__file__).name
    with ModelShelf([card("a", files=((name, right),))], 1000).borrow("a"):
        pass
    with (
        pytest.raises(ModelUnavailable, match="not the one its card names"),
        ModelShelf([card("a", files=((name, "0" * 64),))], 1000).borrow("a"),
    ):
        pass
    without = ModelShelf([card("a", files=(("no", right),))], 9)
    with pytest.raises(ModelUnavailable, match="missing"), without.borrow("a"):
        pass


def test_the_card_table_loads_no_framework() -> None:
    import subprocess
    import sys

    check = "import sys, models.cards; sys.exit(any(n in sys.modules for n in ('torch', 'paddleocr', 'onnxruntime')))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
