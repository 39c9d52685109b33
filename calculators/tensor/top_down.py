"""Top-down pose: a network that a model card describes looks at each person's crop; keypoints go back to the image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, ModelError, Option, OptionError, Output
from graphflow.context import Binding
from graphflow.inference import ModelStore
from graphflow.inference.cards import HeatmapDecoder, NetworkCard, RegressionDecoder, SimccDecoder, read_card

from ..geometry.person_crop import (
    AffineMatrix,
    box_to_center_scale,
    crop_matrix,
    cropped,
    fix_aspect_ratio,
    inverse_matrix,
    transformed,
)
from ..payloads import Detection, FloatArray, Image, NormalizedLandmarkList, NormalizedRect, Tensors
from .flip_test import FlipMode, average, unflipped_coordinates, unflipped_heatmaps, unflipped_simcc
from .heatmap_decoding import decode_heatmaps
from .inference import Inference
from .simcc import decode_regression, decode_simcc
from .tensors import TensorsOrOne, tensor_list

Boxes: TypeAlias = Detection | NormalizedRect | list[Detection] | list[NormalizedRect]
"""Where people are; a detection needs a box."""

Doubles: TypeAlias = npt.NDArray[np.float64]


class _WithCard(Calculator):
    """What calculators share that a model card describes."""

    model: str = Option("", "name of a model in the store, or path of an .onnx or .tflite file")
    card: str | None = Option(None, "name or path of its model card; default that of the model's name")
    flip_test: bool = Option(False, "ask the network about the mirrored crop, too, and average")

    def check(self, binding: Binding) -> Iterable[str]:
        try:
            self._read()
        except ModelError as error:
            yield str(error)

    def _read(self) -> NetworkCard:
        return _card(self.card or self.model)


def _card(source: str) -> NetworkCard:
    return read_card(source, ModelStore(offline=True).cache_dir)


class TopDownCrops(_WithCard):
    """Cuts out every person as a network wants it: one tensor of all of them, and the way back of each.

    The box grows by the card's padding, then its shorter side to the aspect ratio of the network's input. With
    `flip_test` the mirrored crops follow the others. Nobody: no tensor, and an empty list of matrices.

    Source: mmpose `GetBBoxCenterScale`, `TopdownAffine`; Fang et al., "RMPE", 2017, section 3.1.
    """

    image = Input("IMAGE", Image, "uint8 RGB")
    boxes = Input("BOXES", Boxes, "the people", optional=True)
    tensors = Output("TENSORS", Tensors, "one tensor [N, C, H, W], or [N, H, W, C] as the card says")
    matrices = Output("MATRICES", list[np.ndarray], "float64 [2, 3] each: crop's pixels -> image, normalized")

    max_people: int = Option(20, "look at the first so many only")

    def open(self, context: Context) -> None:
        self._card = self._read()

    def process(self, context: Context) -> None:
        image, boxes = context[self.image], context[self.boxes]
        if image is None:
            return
        people = boxes if isinstance(boxes, list) else [] if boxes is None else [boxes]
        size = np.array([image.shape[1], image.shape[0]], np.float64)
        found = [self._matrix(person, size) for person in people[: self.max_people]]
        matrices = [matrix for matrix in found if matrix is not None]
        context[self.matrices] = [inverse_matrix(matrix) / size[:, None] for matrix in matrices]
        if matrices:
            context[self.tensors] = [self._tensor(image, matrices)]

    def _matrix(self, person: Detection | NormalizedRect, size: Doubles) -> AffineMatrix | None:
        card = self._card
        width, height = card.input.size
        rotation_deg = 0.0
        if isinstance(person, NormalizedRect):
            center = np.array([person.x_center, person.y_center]) * size
            sides = np.array([person.width, person.height]) * size * card.box.padding
            rotation_deg = 0.0 if card.box.upright else float(np.rad2deg(person.rotation))
        else:
            if person.box is None:
                raise ValueError("a person's DETECTION has no box; a crop needs one")
            unit = np.ones(2) if person.box_format == "pixel" else size
            low = person.box[:2].astype(np.float64)
            box = np.concatenate([low, low + person.box[2:]]) * np.tile(unit, 2)
            center, sides = box_to_center_scale(box, card.box.padding)
        if not (sides > 0).all() or not np.isfinite([*center, *sides]).all():
            return None
        sides = fix_aspect_ratio(sides, width / height)
        return crop_matrix(center, sides, (width, height), rotation_deg, "corners" if card.box.udp else "uniform")

    def _tensor(self, image: npt.NDArray[np.uint8], matrices: Sequence[AffineMatrix]) -> FloatArray:
        wanted = self._card.input
        crops = np.stack([cropped(image, matrix, wanted.size) for matrix in matrices])
        if wanted.channels == "bgr":
            crops = crops[..., ::-1]
        values = (crops - np.array(wanted.mean, np.float32)) / np.array(wanted.deviation, np.float32)
        if self.flip_test:
            values = np.concatenate([values, values[:, :, ::-1]])
        if wanted.layout == "nchw":
            values = values.transpose(0, 3, 1, 2)
        tensor: FloatArray = np.ascontiguousarray(values, np.float32)
        return tensor


class BatchInference(Inference):
    """Runs a model on tensors of several items: all at once where its first dimension is free, else one by one.

    With a `card`, TENSORS holds what that reads, at its place, and empty tensors elsewhere: the parts of the network
    that nothing else needs do not run.
    """

    card: str | None = Option(None, "name or path of the model card whose outputs alone are computed")

    def check(self, binding: Binding) -> Iterable[str | OptionError]:
        yield from super().check(binding)
        if self.card is not None:
            try:
                _card(self.card)
            except ModelError as error:
                yield OptionError("card", str(error))

    def wanted_outputs(self, context: Context) -> tuple[int, ...]:
        if self.card is None:
            return super().wanted_outputs(context)
        return tuple(sorted(_positions(_card(self.card).decoder)))

    def process(self, context: Context) -> None:
        tensors = context[self.tensors]
        if tensors is None:
            return
        inputs = tensor_list(tensors)
        items = len(inputs[0])
        if self._session.input_shapes[0][0] in (-1, items):
            computed = self._session.run(inputs)
        else:
            answers = [self._session.run([tensor[item : item + 1] for tensor in inputs]) for item in range(items)]
            computed = [np.concatenate(parts) for parts in zip(*answers, strict=True)]
        outputs = [np.zeros((items, 0), np.float32)] * (1 + max(self._session.output_indices))
        for position, output in zip(self._session.output_indices, computed, strict=True):
            outputs[position] = output
        context[self.all_outputs] = outputs
        for connection, position in enumerate(self._positions):
            context.emit(self.output, computed[position], index=connection)


class TopDownLandmarks(_WithCard):
    """Decodes a network's answers, as its card says, and takes the keypoints of each person back to the image.

    The way back is the exact inverse of the crop. The visibility of a landmark is its score.

    Source: see `decode_heatmaps`, `decode_simcc`, `decode_regression`; Fang et al., "RMPE", 2017, section 3.1 (SDTN).
    """

    tensors = Input("TENSORS", TensorsOrOne, "the network's outputs for all crops", optional=True)
    matrices = Input("MATRICES", list[np.ndarray], "of `TopDownCrops`")
    landmarks = Output("LANDMARKS", list[NormalizedLandmarkList], "one for each person, in the order of the boxes")

    def open(self, context: Context) -> None:
        self._card = self._read()

    def process(self, context: Context) -> None:
        matrices, tensors = context[self.matrices], context[self.tensors]
        if matrices is None:
            return
        if not matrices:
            context[self.landmarks] = []
            return
        if tensors is None:
            raise ValueError(f"there are crops of {len(matrices)} people, but TENSORS has no answer to them")
        outputs = tensor_list(tensors)
        people = len(matrices)
        expected = 2 * people if self.flip_test else people
        if len(outputs[0]) != expected:
            raise ValueError(f"{expected} crops were given to the network; its answer is {list(outputs[0].shape)}")
        found = []
        for person, back in enumerate(matrices):
            answers = [outputs_of(outputs, person)]
            if self.flip_test:
                answers.append(outputs_of(outputs, people + person))
            points, scores = _decoded(self._card, answers)
            xyz = np.zeros((len(points), 3), np.float32)
            xyz[:, :2] = transformed(points, back)
            found.append(NormalizedLandmarkList(xyz, visibility=scores.astype(np.float32, copy=False)))
        context[self.landmarks] = found


def outputs_of(outputs: Sequence[npt.NDArray[Any]], item: int) -> list[FloatArray]:
    """All outputs of one item of a batch, float32.

    >>> [part.shape for part in outputs_of([np.zeros((4, 17, 2)), np.zeros((4, 17))], 3)]
    [(17, 2), (17,)]
    """
    return [output[item].astype(np.float32, copy=False) for output in outputs]


def _decoded(card: NetworkCard, answers: Sequence[Sequence[FloatArray]]) -> tuple[npt.NDArray[Any], FloatArray]:
    """The points [K, 2] in pixels of the input and scores [K] of one person; a second answer is that to its mirror."""
    size, partners = card.input.size, card.flip_order
    decoder = card.decoder
    positions = _positions(decoder)
    if max(positions) >= len(answers[0]):
        raise ValueError(f"the card reads output {max(positions)}; the network has {len(answers[0])}")
    parts = [[answer[position] for position in positions] for answer in answers]
    if isinstance(decoder, HeatmapDecoder):
        maps = [_maps(part[0], card) for part in parts]
        if len(maps) > 1:
            mode: FlipMode = "udp_combined" if decoder.method == "udp_combined" else "heatmap"
            maps[1] = unflipped_heatmaps(maps[1], partners, mode, decoder.shift_flipped)
        return decode_heatmaps(average(*maps), size, decoder.method, decoder.kernel_size)
    if isinstance(decoder, SimccDecoder):
        pairs = [(part[0], part[1]) for part in parts]
        if len(pairs) > 1:
            pairs[1] = unflipped_simcc(*pairs[1], partners)
        x, y = (average(*vectors) for vectors in zip(*pairs, strict=True))
        return decode_simcc(x, y, decoder.split_ratio, decoder.dark_sigma)
    rows = [_coordinates(part[0], card, decoder) for part in parts]
    if len(rows) > 1:
        mirrored = unflipped_coordinates(rows[1][:, :2], partners, size[0], decoder.shift_flipped)
        rows[1] = np.concatenate([mirrored, rows[1][list(partners), 2:]], axis=1)
    mean = average(*rows)
    if decoder.logit is not None:
        return mean[:, :2] * size, mean[:, 2]
    return decode_regression(mean, size)


def _coordinates(values: FloatArray, card: NetworkCard, decoder: RegressionDecoder) -> FloatArray:
    """Rows x, y in 0..1 of each keypoint; then its score, or its deviations."""
    count = len(card.keypoints)
    rows = values.reshape(decoder.rows or count, -1)[:count].copy()
    if decoder.units == "pixels":
        rows[:, :2] /= np.array(card.input.size, np.float32)
    if decoder.logit is None:
        return rows
    if decoder.logit >= rows.shape[1]:
        raise ValueError(f"the card reads column {decoder.logit}; the output has {rows.shape[1]}")
    scores = np.float32(1) / (np.float32(1) + np.exp(-rows[:, decoder.logit]))
    return np.column_stack([rows[:, :2], scores])


def _positions(decoder: HeatmapDecoder | SimccDecoder | RegressionDecoder) -> tuple[int, ...]:
    return (decoder.x_output, decoder.y_output) if isinstance(decoder, SimccDecoder) else (decoder.output,)


def _maps(values: FloatArray, card: NetworkCard) -> FloatArray:
    """Heatmaps [K, H, W] of one answer, the last of several stacks."""
    maps = values[-1] if values.ndim == 4 else values
    if maps.ndim != 3:
        raise ValueError(f"heatmaps of a person are [K, H, W], not {list(values.shape)}")
    return maps if card.input.layout == "nchw" else np.ascontiguousarray(maps.transpose(2, 0, 1))
