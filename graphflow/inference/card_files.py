"""Where model cards are kept, and the models that the user's own cards name.

A user's cards lie in the cache, beside the weights: a cache folder copied to another machine brings both.
"""

from __future__ import annotations

import json
from pathlib import Path

from ..errors import ModelError
from .cache_files import written_aside
from .catalog import ModelCard

_SHIPPED = Path(__file__).parent / "shipped_cards"


def shipped_cards() -> dict[str, Path]:
    """The cards that come with graphflow, by name."""
    return {path.stem: path for path in sorted(_SHIPPED.glob("*.yaml"))}


def user_cards(cache_dir: Path) -> dict[str, Path]:
    """The cards the user added, by name."""
    return {path.stem: path for path in sorted((cache_dir / "cards").glob("*.yaml"))}


def card_path(source: str | Path, cache_dir: Path) -> Path | None:
    """The file of a card, by name or by its own path; None where there is none."""
    known = {**shipped_cards(), **user_cards(cache_dir)}
    if str(source) in known:
        return known[str(source)]
    path = Path(source).expanduser()
    return path if path.suffix in (".yaml", ".yml") and path.is_file() else None


def added_models(cache_dir: Path) -> tuple[ModelCard, ...]:
    """The models the user added, by URL and hash; one whose entry is damaged is left out."""
    found = []
    for path in sorted((cache_dir / "cards").glob("*.json")):
        try:
            found.append(ModelCard(path.stem, **json.loads(path.read_text("utf-8"))))
        except (OSError, ValueError, TypeError):
            continue
    return tuple(found)


def add_model(cache_dir: Path, card: ModelCard, network: str = "") -> None:
    """Keep a model's name, URL and hash, and its network card's text, where `added_models` and `card_path` find them.

    Raises:
        ModelError: they cannot be kept.
    """
    entry = json.dumps({"url": card.url, "sha256": card.sha256, "doc": card.doc}, indent=1)
    folder = cache_dir / "cards"
    try:
        if network:
            with written_aside(folder / f"{card.name}.yaml") as file:
                file.write(network.encode())
        with written_aside(folder / f"{card.name}.json") as file:
            file.write(entry.encode())
    except OSError as error:
        raise ModelError(
            f"the model card cannot be kept in {folder}: {error}; set GRAPHFLOW_CACHE to another folder"
        ) from error
