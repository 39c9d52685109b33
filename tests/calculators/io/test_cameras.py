from pathlib import Path

import pytest
from graphflow.calculators.io import cameras
from graphflow.calculators.io.cameras import Camera
from graphflow.calculators.io.sources import SourceError, open_source

NODES = {"video0": ("HD Webcam", 0), "video1": ("HD Webcam", 1), "video10": ("Grabber", 0), "video2": ("HD Door", 0)}


@pytest.fixture
def sysfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Linux says of three cameras, one of which has a second node for its metadata."""
    for node, (name, index) in NODES.items():
        (tmp_path / node).mkdir()
        (tmp_path / node / "name").write_text(f"{name}\n")
        (tmp_path / node / "index").write_text(f"{index}\n")
    (tmp_path / "v4l-subdev0").mkdir()
    monkeypatch.setattr(cameras, "_SYSFS", tmp_path)
    monkeypatch.setattr("sys.platform", "linux")


@pytest.mark.usefixtures("sysfs")
def test_cameras_of_linux() -> None:
    expected = [Camera(0, "HD Webcam"), Camera(2, "HD Door"), Camera(10, "Grabber")]
    assert cameras.list_cameras() == expected


def test_cameras_of_macos() -> None:
    listed = b'{"SPCameraDataType": [{"_name": "FaceTime HD Camera"}, {"_name": "Desk View"}]}'
    assert cameras._of_system_profiler(listed) == [Camera(0, "FaceTime HD Camera"), Camera(1, "Desk View")]
    assert cameras._of_system_profiler(b"") == []


@pytest.mark.usefixtures("sysfs")
@pytest.mark.parametrize(("name", "index"), [("HD Webcam", 0), ("hd webcam", 0), ("grab", 10), ("7", 7)])
def test_a_camera_by_name(name: str, index: int) -> None:
    assert open_source(f"camera:{name}").options == {"index": index}


@pytest.mark.usefixtures("sysfs")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("HD", r"may be any of: camera:0 \(HD Webcam\), camera:2 \(HD Door\); name one by its number"),
        ("front", r"names no camera: there is: camera:0 \(HD Webcam\), camera:2 \(HD Door\), camera:10 \(Grabber\)"),
    ],
)
def test_no_camera_by_that_name(name: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        open_source(f"camera:{name}")
