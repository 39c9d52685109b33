"""ImageFileProperties and OpenCvEncodedImageToImageFrame: what is in the bytes of an image file."""

import contextlib
import struct
from typing import Any

import cv2
import numpy as np
import pytest
from graphflow.calculators.image.encoded_image import OpenCvEncodedImageToImageFrame
from graphflow.calculators.image.image_file_properties import read_properties

import graphflow
from graphflow.testing import run_calculator

WIDTH, HEIGHT, FOCAL, FOCAL_35MM, ORIENTATION = 0xA002, 0xA003, 0x920A, 0xA405, 0x0112


def jpeg(fields: dict[int, Any], order: str = "<", image: np.ndarray | None = None) -> bytes:
    """A JPEG file with such EXIF numbers: a fraction as a pair, whole numbers of 16 bits, larger ones of 32."""
    main = {ORIENTATION: fields[ORIENTATION]} if ORIENTATION in fields else {}
    sub = {tag: value for tag, value in fields.items() if tag not in main}
    start = 8 + 2 + 12 * (len(main) + 1) + 4
    extra = start + 2 + 12 * len(sub) + 4
    blob = b""

    def entry(tag: int, value: Any) -> bytes:
        nonlocal blob
        if isinstance(value, tuple):
            blob += struct.pack(f"{order}II", *value)
            return struct.pack(f"{order}HHII", tag, 5, 1, extra + len(blob) - 8)
        if value < 1 << 16 and tag != 0x8769:
            return struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0)
        return struct.pack(f"{order}HHII", tag, 4, 1, value)

    def directory(entries: dict[int, Any]) -> bytes:
        body = b"".join(entry(tag, value) for tag, value in sorted(entries.items()))
        return struct.pack(f"{order}H", len(entries)) + body + bytes(4)

    tiff = ({"<": b"II", ">": b"MM"}[order]) + struct.pack(f"{order}HI", 42, 8)
    tiff += directory({**main, 0x8769: start}) + directory(sub) + blob
    segment = b"Exif\0\0" + tiff
    pixels = np.zeros((8, 12, 3), np.uint8) if image is None else image
    plain = cv2.imencode(".jpg", pixels)[1].tobytes()
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + plain[2:]


FULL = {WIDTH: 4000, HEIGHT: 3000, FOCAL: (420, 100), FOCAL_35MM: 26}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("width", "height"), [(4000, 3000), (3000, 4000), (70000, 52500)])
def test_focal_length(order: str, width: int, height: int) -> None:
    found = read_properties(jpeg({**FULL, WIDTH: width, HEIGHT: height}, order))
    assert (found.image_width, found.image_height) == (width, height)
    assert (found.focal_length_mm, found.focal_length_35mm) == (pytest.approx(4.2), 26.0)
    # a lens of 26 mm in front of 4:3 film with the diagonal of 35 mm film, which is 43.27 mm
    assert found.focal_length_pixels == pytest.approx(max(width, height) * 26 / (43.2666 * 0.8), rel=1e-4)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (b"", "not a JPEG"),
        (cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))[1].tobytes(), "not a JPEG"),
        (cv2.imencode(".jpg", np.zeros((4, 4, 3), np.uint8))[1].tobytes(), "no EXIF data"),
        (jpeg({WIDTH: 10, HEIGHT: 10}), "do not say the focal length, the focal length on 35 mm film"),
        (jpeg({**FULL, FOCAL: (1, 0)}), "do not say the focal length$"),
        (jpeg(FULL)[:60], "damaged"),
    ],
)
def test_what_cannot_be_read(file: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_properties(file)


@pytest.mark.parametrize("damaged", range(2, 200, 3))
def test_damage_is_an_error_and_nothing_else(damaged: int) -> None:
    file = bytearray(jpeg(FULL))
    file[damaged] ^= 0xFF
    with contextlib.suppress(ValueError):
        read_properties(bytes(file))


STREAMED = """
    input_stream: "files"
    output_stream: "properties"
    node { calculator: "ImageFilePropertiesCalculator" input_stream: "files" output_stream: "properties" }
"""
PROVIDED = """
    input_stream: "files"
    output_stream: "properties"
    node { calculator: "ImageFilePropertiesCalculator" input_stream: "files" output_side_packet: "found" }
    node {
      calculator: "SidePacketToStreamCalculator"
      input_stream: "TICK:files"
      input_side_packet: "found"
      output_stream: "AT_TICK:properties"
    }
"""


@pytest.mark.parametrize(("text", "focal_lengths"), [(STREAMED, [26.0, 52.0]), (PROVIDED, [26.0, 26.0])])
def test_stream_and_side_packet(text: str, focal_lengths: list[float]) -> None:
    found = []
    graph = graphflow.load(text)
    graph.observe("properties", lambda packet: found.append(packet.value.focal_length_35mm))
    graph.start()
    for timestamp, focal_length in enumerate((26, 52)):
        graph.add_packet("files", jpeg({**FULL, FOCAL_35MM: focal_length}), timestamp)
    graph.close_all_inputs()
    graph.wait_until_done()
    assert found == focal_lengths


@pytest.mark.parametrize(
    ("image", "ending"),
    [
        (np.arange(24, dtype=np.uint8).reshape(2, 4, 3), ".png"),
        (np.arange(32, dtype=np.uint8).reshape(2, 4, 4), ".png"),
        (np.arange(8, dtype=np.uint8).reshape(2, 4), ".png"),
    ],
)
def test_decoding(image: np.ndarray, ending: str) -> None:
    stored = image if image.ndim == 2 else image[:, :, [2, 1, 0, 3][: image.shape[2]]]
    encoded = cv2.imencode(ending, stored)[1].tobytes()
    [(_, decoded)] = run_calculator(OpenCvEncodedImageToImageFrame, {"": [(0, encoded)]})[""]
    np.testing.assert_array_equal(decoded, image)


@pytest.mark.parametrize(("turned", "shape"), [(False, (8, 12, 3)), (True, (12, 8, 3))])
def test_orientation(turned: bool, shape: tuple[int, ...]) -> None:
    file = jpeg({**FULL, ORIENTATION: 6})
    options = {"apply_orientation_from_exif_data": turned}
    [(_, decoded)] = run_calculator(OpenCvEncodedImageToImageFrame, {"": [(0, file)]}, options)[""]
    assert decoded.shape == shape


@pytest.mark.parametrize("file", [b"", b"no image"])
def test_no_image(file: bytes) -> None:
    with pytest.raises(ValueError, match="no image"):
        run_calculator(OpenCvEncodedImageToImageFrame, {"": [(0, file)]})
