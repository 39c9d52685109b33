"""What the library says while a command runs."""

import logging
from collections.abc import Iterator

import pytest

from graphflow.cli import reporting


@pytest.fixture
def messages() -> Iterator[None]:
    """The command line's messages, taken away again."""
    loggers = [logging.getLogger(name) for name in ("graphflow", "graphflow.inference")]
    before = [(list(logger.handlers), logger.level) for logger in loggers]
    reporting.show_warnings()
    yield
    for logger, (handlers, level) in zip(loggers, before, strict=True):
        logger.handlers[:] = handlers
        logger.setLevel(level)


@pytest.mark.usefixtures("messages")
def test_warnings_and_waits_for_models_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(reporting, "say", said.append)
    logging.getLogger("graphflow.inference").info("preparing model %s", "hand_recrop")
    logging.getLogger("graphflow.runtime").info("not shown")
    logging.getLogger("graphflow.runtime").warning("too late")
    assert said == ["preparing model hand_recrop", "warning: too late"]
