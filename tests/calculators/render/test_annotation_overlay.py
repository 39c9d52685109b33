"""AnnotationOverlay: what is drawn on, and in which order."""

import numpy as np
import pytest
from graphflow.calculators.render.annotation_overlay import AnnotationOverlay
from graphflow.calculators.render.render_data import Box, Rectangle, RenderData

from graphflow.testing import run_calculator

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def patch(color: tuple[int, int, int]) -> RenderData:
    return RenderData((Rectangle(Box(0.25, 0.25, 0.75, 0.75, normalized=True), color, filled=True),))


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"": [(0, patch(RED))], "1": [(0, patch(GREEN))]}, GREEN),
        ({"": [(0, patch(RED))], "VECTOR": [(0, [patch(GREEN), patch(BLUE)])]}, BLUE),
        ({"": [(0, patch(RED))], "VECTOR": [(0, [])]}, RED),
        ({"VECTOR": [(0, [patch(BLUE)])], "VECTOR:1": [(0, [patch(RED)])]}, RED),
    ],
)
def test_later_covers_earlier(inputs: dict[str, list[tuple[int, object]]], expected: tuple[int, int, int]) -> None:
    image = np.full((8, 8, 3), 7, np.uint8)
    image.flags.writeable = False
    found = run_calculator(AnnotationOverlay, {"IMAGE": [(0, image)], **inputs}, outputs=["IMAGE"])["IMAGE"]
    assert [timestamp for timestamp, _ in found] == [0]
    assert tuple(found[0][1][4, 4]) == expected
    assert tuple(found[0][1][0, 0]) == (7, 7, 7)


@pytest.mark.parametrize(("shape", "drawn_shape"), [((8, 8), (8, 8, 3)), ((8, 8, 4), (8, 8, 4))])
def test_grey_becomes_colour_and_alpha_stays(shape: tuple[int, ...], drawn_shape: tuple[int, ...]) -> None:
    inputs = {"IMAGE": [(0, np.full(shape, 9, np.uint8))], "": [(0, patch(RED))]}
    [(_, drawn)] = run_calculator(AnnotationOverlay, inputs, outputs=["IMAGE"])["IMAGE"]
    assert drawn.shape == drawn_shape
    assert tuple(drawn[4, 4, :3]) == RED
    assert tuple(drawn[0, 0]) == (9,) * drawn_shape[2]


def test_an_image_without_drawing_passes_as_it_is() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    found = run_calculator(
        AnnotationOverlay,
        {"IMAGE": [(0, image), (2, image)], "": [(0, RenderData()), (1, patch(RED))]},
        outputs=["IMAGE"],
    )["IMAGE"]
    assert [timestamp for timestamp, _ in found] == [0, 2], "nothing goes out where there is no image"
    assert all(value is image for _, value in found)


def test_canvas() -> None:
    options = {"canvas_width_px": 8, "canvas_height_px": 4, "canvas_color": {"g": 40}}
    found = run_calculator(AnnotationOverlay, {"": [(3, patch(RED))]}, options, outputs=["IMAGE"])["IMAGE"]
    assert [(timestamp, value.shape) for timestamp, value in found] == [(3, (4, 8, 3))]
    assert tuple(found[0][1][0, 0]) == (0, 40, 0)
    assert tuple(found[0][1][2, 4]) == RED


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        ({"": [(0, patch(RED))]}, ["IMAGE"], "canvas_width_px"),
        ({"IMAGE": [], "UIMAGE": []}, ["IMAGE"], "at most one image"),
        ({"UIMAGE": []}, ["IMAGE"], "goes out as UIMAGE"),
    ],
)
def test_wrong_connections(inputs: dict[str, list[tuple[int, object]]], outputs: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_calculator(AnnotationOverlay, inputs, outputs=outputs)


def test_floats_cannot_be_drawn_on() -> None:
    inputs = {"IMAGE": [(0, np.zeros((4, 4, 3), np.float32))], "": [(0, patch(RED))]}
    with pytest.raises(ValueError, match="uint8"):
        run_calculator(AnnotationOverlay, inputs, outputs=["IMAGE"])
