"""Sources and sinks around a graph."""

import threading
from pathlib import Path

import numpy as np
import pytest

import graphflow
from graphflow import Calculator, GraphConfigError, Input, Output, config, pipeline, registry

GRAPHS = Path(__file__).parent / "graphs"
BRIGHTNESS = GRAPHS / "brightness.yaml"


def test_outputs_are_data_or_pictures() -> None:
    checked = config.load(BRIGHTNESS)
    assert pipeline.data_outputs(checked) == ("mean", "bright")
    assert pipeline.picture_output(checked) == "overlay"
    holistic = config.load("holistic")
    assert {"pose_landmarks", "pose_world_landmarks", "face_landmarks"} <= set(pipeline.data_outputs(holistic))
    assert pipeline.picture_output(holistic) == "overlay"


class Numbers(Calculator):
    """A source of numbers, where images are wanted."""

    number = Output("IMAGE", float)


class Sink(Calculator):
    """Takes images and numbers."""

    images = Input("IMAGE", np.ndarray, repeated=True, optional=True)
    number = Input("NUMBER", float, optional=True)


def test_composition_replaces_the_input_and_shortens_queues() -> None:
    checked = config.load(BRIGHTNESS)
    source = pipeline.Attachment("measure", registry.find("ImageSource"), {"path": "x"}, outputs=(("IMAGE", "image"),))
    sink = pipeline.Attachment("sink", Sink, inputs=(("NUMBER", "mean"), ("IMAGE", "image"), ("IMAGE", "overlay")))
    composed = pipeline.compose(checked, [source], [sink])
    assert composed.spec.inputs == ()
    assert composed.spec.max_queue_size == pipeline.QUEUE_SIZE
    assert [node.spec.name for node in composed.nodes] == ["measure_2", "measure", "bright", "overlay", "sink"]
    connections = composed.nodes[-1].binding.inputs
    assert [str(connection) for connection in connections] == ["IMAGE:0:image", "IMAGE:1:overlay", "NUMBER:0:mean"]


@pytest.mark.parametrize(
    ("sources", "sinks", "error", "message"),
    [
        ([("IMAGE", "image")], [], GraphConfigError, "'image' carries float, but ndarray is read from it"),
        ([], [("NUMBER", "overlay")], GraphConfigError, "'overlay' carries ndarray, but float is read from it"),
        ([], [("AUDIO", "overlay")], ValueError, "Sink has no input 'AUDIO'"),
    ],
)
def test_what_does_not_fit_is_refused(
    sources: list[tuple[str, str]], sinks: list[tuple[str, str]], error: type[Exception], message: str
) -> None:
    before = [pipeline.Attachment("numbers", Numbers, outputs=tuple(sources))] if sources else []
    behind = [pipeline.Attachment("sink", Sink, inputs=tuple(sinks))] if sinks else []
    with pytest.raises(error, match=message):
        pipeline.compose(config.load(BRIGHTNESS), before, behind)


def run_threads() -> list[str]:
    ours = ("graphflow-Brightness", "graphflow-Shining")
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(ours)]


def test_run_can_be_finished_and_cancelled() -> None:
    checked = config.load(GRAPHS / "shining.yaml")
    for end, error in ((pipeline.Run.finish, None), (pipeline.Run.cancel, graphflow.GraphCancelled)):
        graph = graphflow.Graph(pipeline.compose(checked))
        seen = threading.Event()
        graph.observe("mean", lambda packet, seen=seen: seen.set())
        run = pipeline.Run(graph)
        assert seen.wait(30)
        assert not run.wait(0)
        end(run)
        assert run.wait(30)
        assert (run.error if error is None else type(run.error)) is error
        assert run_threads() == []
