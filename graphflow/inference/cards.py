"""Model cards: what a network takes and gives, in a few lines of YAML, so that a graph can run any of its kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..errors import ModelError
from .card_files import card_path, shipped_cards, user_cards

COCO_KEYPOINTS = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow"),
    *("right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle"),
    "right_ankle",
)
"""The 17 keypoints of COCO, which a card calls `coco`."""

_COCO_SKELETON = (
    *(("nose", "left_eye"), ("nose", "right_eye"), ("left_eye", "left_ear"), ("right_eye", "right_ear")),
    *(("left_shoulder", "right_shoulder"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist")),
    *(("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"), ("left_shoulder", "left_hip")),
    *(("right_shoulder", "right_hip"), ("left_hip", "right_hip"), ("left_hip", "left_knee")),
    *(("left_knee", "left_ankle"), ("right_hip", "right_knee"), ("right_knee", "right_ankle")),
)

_Three = Annotated[tuple[float, float, float], Field(strict=False)]
_Positive = Annotated[int, Field(gt=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InputCard(_Part):
    """What an image is made into: `(pixel - mean) / deviation`, channel by channel, on pixels of 0..255."""

    size: tuple[_Positive, _Positive] = Field(description="width, height in pixels")
    channels: Literal["rgb", "bgr"] = Field("rgb", description="order of the channels, mean and deviation too")
    mean: _Three = Field((0.0, 0.0, 0.0), description="subtracted from pixels of 0..255")
    deviation: _Three = Field((1.0, 1.0, 1.0), description="divides what is left; 255 three times for 0..1")
    layout: Literal["nchw", "nhwc"] = Field("nchw", description="planes, or channels last as in TFLite")

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if 0 in self.deviation:
            raise ValueError("a deviation of 0 cannot divide")
        return self


class BoxCard(_Part):
    """How a person's box becomes the crop; its aspect is that of the input."""

    padding: float = Field(default=1.25, ge=0.5, le=4, description="sides of the crop over those of the box")
    upright: bool = Field(default=True, description="do not turn with the person: most networks know people who lie")
    udp: bool = Field(default=False, description="map pixel centres to pixel centres (UDP) instead of corners")


class PoseCard(_Part):
    """The pose that a refiner is given beside the image: a Gaussian for each keypoint, as large as the input."""

    sigma: float = Field(gt=0, description="deviation of the Gaussians in pixels of the input")
    peak: float = Field(1.0, gt=0, description="their height")
    separate: bool = Field(False, description="an input of their own after the image, instead of more channels")
    min_score: float = Field(0.0, description="keypoints that score less have an empty map")


class HeatmapDecoder(_Part):
    """One heatmap a keypoint; the best place is refined."""

    kind: Literal["heatmap"]
    method: Literal["argmax", "quarter_offset", "dark", "udp", "udp_combined", "megvii", "alphapose"] = Field(
        "quarter_offset", description="how the network's own program finds keypoints finer than cells"
    )
    kernel_size: int = Field(11, ge=1, description="of the blur of dark, udp and megvii, in cells; odd")
    output: int = Field(0, ge=0, description="position among the network's outputs; of several stacks the last is read")
    shift_flipped: bool = Field(False, description="move the mirrored heatmaps by one cell before they are averaged")


class SimccDecoder(_Part):
    """Two one-dimensional classifications a keypoint, over x and over y."""

    kind: Literal["simcc"]
    split_ratio: float = Field(2.0, gt=0, description="bins for each pixel of the input")
    x_output: int = Field(0, ge=0, description="position of the classification over x among the outputs")
    y_output: int = Field(1, ge=0, description="position of the classification over y")
    dark_sigma: tuple[float, float] | None = Field(None, description="deviations in bins, to refine by DARK")


class RegressionDecoder(_Part):
    """Coordinates as such."""

    kind: Literal["regression"]
    output: int = Field(0, ge=0, description="position among the outputs: [1, K, 2], or [1, K, 4] with deviations")
    units: Literal["normalized", "pixels"] = Field("normalized", description="of the input: 0..1, or its pixels")
    rows: int | None = Field(None, ge=1, description="of the output, where it has more than there are keypoints")
    shift_flipped: bool = Field(False, description="move the mirrored answer by one pixel before they are averaged")
    logit: int | None = Field(None, ge=2, description="column with the logit of a keypoint's score, if there is one")


Decoder = Annotated[HeatmapDecoder | SimccDecoder | RegressionDecoder, Field(discriminator="kind")]


class NetworkCard(_Part):
    """A top-down pose network: where its weights are, what it takes and what it gives.

    >>> card = parse_card("{input: {size: [192, 256]}, keypoints: coco, decoder: {kind: heatmap}}", "example")
    >>> card.input.size, len(card.keypoints), card.flip_order[:3]
    ((192, 256), 17, (0, 2, 1))
    """

    doc: str = Field("", description="for people")
    source: str = Field("", description="page on which these facts can be checked")
    licence: str = Field("", description="of the weights")
    url: str = Field("", description="where the file is")
    sha256: str = Field("", description="of the file")
    input: InputCard
    pose: PoseCard | None = Field(None, description="of a refiner: how it is told the pose to refine")
    box: BoxCard = BoxCard()
    keypoints: tuple[str, ...] = Field(description="their names in the network's order, or `coco`")
    skeleton: tuple[tuple[str, str], ...] = Field((), description="pairs of keypoints that are joined")
    flip_pairs: tuple[tuple[str, str], ...] = Field((), description="keypoints that a mirror swaps; default by name")
    decoder: Decoder

    @model_validator(mode="before")
    @classmethod
    def _named_keypoints(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("keypoints") == "coco":
            return {"skeleton": _COCO_SKELETON, **values, "keypoints": COCO_KEYPOINTS}
        return values

    @model_validator(mode="after")
    def _pairs_exist(self) -> Self:
        if not self.keypoints or len(set(self.keypoints)) != len(self.keypoints):
            raise ValueError("keypoints must be named, each once")
        for name in (*_names(self.skeleton), *_names(self.flip_pairs)):
            if name not in self.keypoints:
                raise ValueError(
                    f"there is no keypoint '{name}' to join or swap; there are {', '.join(self.keypoints)}"
                )
        return self

    @property
    def flip_order(self) -> tuple[int, ...]:
        """Which keypoint each becomes in a mirror; by `flip_pairs`, else by names that begin with left and right."""
        pairs = self.flip_pairs or [
            (name, name.replace("left", "right", 1)) for name in self.keypoints if name.startswith("left")
        ]
        order = {name: name for name in self.keypoints}
        for first, second in pairs:
            if second in order:
                order[first], order[second] = second, first
        return tuple(self.keypoints.index(order[name]) for name in self.keypoints)

    @property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """The skeleton as indices."""
        return tuple((self.keypoints.index(a), self.keypoints.index(b)) for a, b in self.skeleton)


def parse_card(text: str, name: str) -> NetworkCard:
    """The card that YAML text describes; `name` is what errors call it.

    Raises:
        ModelError: with everything that is wrong with it.
    """
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ModelError(f"{name}: not readable as YAML: {error}") from error
    try:
        return NetworkCard.model_validate(values)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'card'}: {e['msg']}" for e in error.errors())
        raise ModelError(f"{name}: not a model card: {wrong}") from error


def read_card(source: str | Path, cache_dir: Path) -> NetworkCard:
    """A card by name (one of the user's, kept in `cache_dir`, or shipped) or by the path of a YAML file.

    Raises:
        ModelError: there is no such card, or something is wrong with it.
    """
    path = card_path(source, cache_dir)
    if path is None:
        known = ", ".join(sorted({**shipped_cards(), **user_cards(cache_dir)}))
        raise ModelError(f"there is no model card '{source}'; known are {known} (or give the path of a .yaml file)")
    try:
        return parse_card(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"the model card {path} cannot be read: {error}") from error


def _names(pairs: Sequence[tuple[str, str]]) -> list[str]:
    return [name for pair in pairs for name in pair]
