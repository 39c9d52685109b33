"""SkeletonRenderer: people of any skeleton, drawn over the image they were found in."""

from __future__ import annotations

from collections.abc import Iterable

from graphflow import Calculator, Context, Input, ModelError, Option, Output
from graphflow.context import Binding
from graphflow.inference import ModelStore
from graphflow.inference.cards import NetworkCard, read_card

from ..payloads import Image, NormalizedLandmarkList
from .drawing import draw_skeleton
from .topology import CYAN, ORANGE, WHITE


class SkeletonRenderer(Calculator):
    """Draws people whose keypoints and bones a model card names: left orange, right cyan, the middle white.

    An image where nobody was found passes as it is.
    """

    image = Input("IMAGE", Image, "uint8 [H, W, 3] RGB")
    people = Input("LANDMARKS", list[NormalizedLandmarkList], "one for each person", optional=True)
    annotated = Output("IMAGE", Image, "uint8 [H, W, 3] RGB")

    model: str = Option("", "name of a model in the store that has a card")
    card: str | None = Option(None, "name or path of the model card; default that of the model's name")
    threshold: float = Option(0.3, "keypoints whose score is less are not drawn")

    def check(self, binding: Binding) -> Iterable[str]:
        try:
            self._read()
        except ModelError as error:
            yield str(error)

    def open(self, context: Context) -> None:
        card = self._read()
        sides = {"left": ORANGE, "right": CYAN}
        self._colors = tuple(
            ((index,), sides.get(name.partition("_")[0], WHITE)) for index, name in enumerate(card.keypoints)
        )
        self._bones = card.bones

    def process(self, context: Context) -> None:
        image, people = context[self.image], context[self.people]
        if image is None:
            return
        if not people:
            context.emit_packet(self.annotated, context.packet(self.image))
            return
        canvas = image.copy()
        for person in people:
            draw_skeleton(canvas, person, self._bones, self._colors, self.threshold)
        context[self.annotated] = canvas

    def _read(self) -> NetworkCard:
        return read_card(self.card or self.model, ModelStore(offline=True).cache_dir)
