"""`--show`: a window with the newest picture of a run."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from typing import Any, Final

from graphflow import pipeline
from graphflow.calculator import Calculator
from graphflow.cli.reporting import UsageError
from graphflow.config.checked import CheckedGraph
from graphflow.context import Context
from graphflow.ports import Input, SideInput

_SIDE_PACKET: Final = "run_preview"
_KEY_WAIT_MS: Final = 15
_ESCAPE: Final = 27


def has_screen() -> bool:
    """Whether there is somewhere to show a window; where there is not, OpenCV would end the program."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class PreviewWindow:
    """A window that shows each picture as it comes, until q, Escape or its own button closes it.

    Only the main thread may draw: pictures wait here for `refresh`.

    Raises:
        UsageError: this OpenCV has no windows, or there is no screen.
    """

    def __init__(self, title: str) -> None:
        import cv2

        if not has_screen():
            raise UsageError("--show: there is no screen: set DISPLAY, or leave out --show and write a video with -o")
        self._cv2: Any = cv2
        self._title = title
        self._lock = threading.Lock()
        self._newest: Any = None
        self._shown = False
        self.closed = False
        try:
            cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        except cv2.error:
            raise UsageError(
                "--show: this OpenCV has no windows: `pip uninstall opencv-python-headless` and install opencv-python, "
                "or leave out --show and watch the file that -o writes"
            ) from None

    @property
    def side_packets(self) -> Mapping[str, Any]:
        """What `attachment` reads."""
        return {_SIDE_PACKET: self}

    def attachment(self, graph: CheckedGraph, name: str) -> pipeline.Attachment:
        """The node that brings the pictures.

        Raises:
            UsageError: the graph draws none.
        """
        picture = pipeline.picture_output(graph)
        if picture is None:
            raise UsageError(f"'{name}' has no pictures for --show")
        return pipeline.Attachment(
            "preview", _Preview, {}, (("IMAGE", picture),), side_inputs=(("WINDOW", _SIDE_PACKET),)
        )

    def put(self, image: Any) -> None:
        """Gives the next picture, uint8 [H, W, 3] RGB; one that was not shown yet is skipped."""
        with self._lock:
            self._newest = image

    def refresh(self) -> float:
        """Draws the newest picture; call it on the main thread, some ten times a second.

        Returns:
            0.0: the seconds to wait for something else meanwhile.
        """
        cv2 = self._cv2
        with self._lock:
            image, self._newest = self._newest, None
        if image is not None and not self.closed:
            cv2.imshow(self._title, image[..., ::-1])
            self._shown = True
        if cv2.waitKey(_KEY_WAIT_MS) & 0xFF in (ord("q"), _ESCAPE):
            self.closed = True
        if self._shown and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1:
            self.closed = True
        return 0.0

    def close(self) -> None:
        """Takes the window away."""
        self.closed = True
        self._cv2.destroyAllWindows()


class _Preview(Calculator):
    """Hands pictures to the window."""

    image = Input("IMAGE")
    window = SideInput("WINDOW", PreviewWindow)

    def open(self, context: Context) -> None:
        self._window: PreviewWindow = context[self.window]

    def process(self, context: Context) -> None:
        if context[self.image] is not None:
            self._window.put(context[self.image])
