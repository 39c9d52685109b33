"""The files of a run: checked before it, attached behind the graph, and named at its end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from graphflow import pipeline, registry
from graphflow.cli.reporting import UsageError
from graphflow.config.checked import CheckedGraph
from graphflow.feeding import Feed

if TYPE_CHECKING:
    from graphflow.calculators.io.sources import SourceInfo

WRITTEN: Final = "run_written"
"""Side packet in which the writers count the frames of each file."""

_NEED_FRAMES: Final = (".coco.json", ".openpose", ".rrd")


class OutputFiles:
    """The videos (`-o`) and results (`--save`) that a run writes.

    Raises:
        UsageError: the graph has nothing to write there, or a file cannot be written.
    """

    def __init__(
        self, graph: CheckedGraph, name: str, videos: Sequence[Path], results: Sequence[Path], feed: Feed
    ) -> None:
        self.videos, self.results = tuple(videos), tuple(results)
        self.counts: dict[str, int] = {}
        self._check(graph, name, feed)
        self._before = {path: _changed_ns(path) for path in (*videos, *results)}

    def attachments(self, graph: CheckedGraph, feed: Feed, keep_audio: bool) -> list[pipeline.Attachment]:
        """The nodes that write the files."""
        picture = pipeline.picture_output(graph)
        side = (("WRITTEN", WRITTEN),)
        found = []
        for number, path in enumerate(self.results):
            ticks = next(iter(feed.sources), picture if path.name.lower().endswith(_NEED_FRAMES) else None)
            inputs = (*((("TICK", ticks),) if ticks else ()), *((k.upper(), k) for k in pipeline.data_outputs(graph)))
            name = "results" if not number else f"results_{number + 1}"
            writer = registry.find("ResultsWriter")
            found.append(pipeline.Attachment(name, writer, {"path": str(path)}, inputs, side_inputs=side))
        for number, path in enumerate(self.videos):
            assert picture is not None
            options = {"path": str(path)}
            if keep_audio and (audio := _sound(next(iter(feed.sources.values()), None))):
                options["audio"] = audio
            name = "video" if not number else f"video_{number + 1}"
            writer = registry.find("VideoWriter")
            found.append(pipeline.Attachment(name, writer, options, (("IMAGE", picture),), side_inputs=side))
        return found

    def expect(self, path: Path) -> None:
        """Another file that the run writes."""
        self._before[path] = _changed_ns(path)

    def written(self, with_counts: bool = False) -> str:
        """Those that this run has written, not an earlier one, for people."""
        found = [path for path, before in self._before.items() if _changed_ns(path) not in (None, before)]
        if not with_counts:
            return " and ".join(str(path) for path in found)
        counted = [(path, self.counts[str(path)]) for path in found if self.counts.get(str(path))]
        return " and ".join(f"{path} ({count} frame{'' if count == 1 else 's'})" for path, count in counted)

    def _check(self, graph: CheckedGraph, name: str, feed: Feed) -> None:
        """Finds out before the work, not after it, that a file cannot be written."""
        from graphflow.calculators.io.output_file import check_folder
        from graphflow.calculators.io.results_writer import RESULT_ENDINGS, check_ending
        from graphflow.calculators.io.video_writer import VIDEO_OUTPUT_ENDINGS

        if self.videos and pipeline.picture_output(graph) is None:
            exists = ", ".join(pipeline.data_outputs(graph)) or "none"
            raise UsageError(f"'{name}' has no pictures for -o {self.videos[0]}; outputs for --save: {exists}")
        if self.results and not pipeline.data_outputs(graph):
            raise UsageError(f"'{name}' has no outputs for --save {self.results[0]}, only pictures: use -o")
        sources = [Path(info.name).expanduser() for info in feed.sources.values()]
        targets = [("-o", path, VIDEO_OUTPUT_ENDINGS) for path in self.videos]
        targets += [("--save", path, RESULT_ENDINGS) for path in self.results]
        for number, (option, path, endings) in enumerate(targets):
            if not path.name.lower().endswith(endings):
                raise UsageError(f"{option} {path}: the name must end in {', '.join(endings)}")
            if path in [other for _, other, _ in targets[:number]]:
                raise UsageError(f"{option} {path} is named twice")
            if path.is_file() and any(source.exists() and path.samefile(source) for source in sources):
                raise UsageError(f"{option} {path} is the source itself: name another file")
            try:
                check_folder(path.expanduser())
                if option == "--save":
                    check_ending(path)
            except (OSError, ImportError) as error:
                raise UsageError(f"{option}: {error}") from error


def _sound(info: SourceInfo | None) -> str:
    """The file whose sound belongs to the frames; "" where there is none."""
    return str(info.options["path"]) if info is not None and info.calculator == "VideoSource" else ""


def _changed_ns(path: Path) -> int | None:
    """When a file that has something in it, or a folder, was changed last; None where there is none."""
    file = path.expanduser()
    if file.is_dir():
        return max((entry.stat().st_mtime_ns for entry in file.iterdir()), default=None)
    return file.stat().st_mtime_ns if file.is_file() and file.stat().st_size else None
