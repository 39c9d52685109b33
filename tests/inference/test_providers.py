"""Providers by name: what each is given, and what is said where one is missing."""

import pytest

from graphflow.errors import ModelError
from graphflow.inference.providers import (
    PROVIDERS,
    check_in_use,
    default_providers,
    is_cpu_only,
    provider_mistake,
    provider_setups,
)

ALL = [provider.onnx_name for provider in PROVIDERS.values()]

SETUPS = [
    # names, threads, precision, what ONNX Runtime is given
    (["cpu"], 2, "float32", [("CPUExecutionProvider", {})]),
    (["cuda", "cpu"], 1, "float32", [("CUDAExecutionProvider", {"use_tf32": "0"}), ("CPUExecutionProvider", {})]),
    (["cuda"], 1, "reduced", [("CUDAExecutionProvider", {"use_tf32": "1"})]),
    (
        ["openvino"],
        3,
        "float32",
        [("OpenVINOExecutionProvider", {"device_type": "CPU", "num_of_threads": "3", "precision": "FP32"})],
    ),
    (["DmlExecutionProvider"], 1, "float32", [("DmlExecutionProvider", {})]),
    (["OwnExecutionProvider"], 1, "float32", [("OwnExecutionProvider", {})]),
]


@pytest.mark.parametrize(("names", "threads", "precision", "wanted"), SETUPS)
def test_setups(names: list[str], threads: int, precision: str, wanted: list[tuple[str, dict[str, str]]]) -> None:
    assert provider_setups(names, [*ALL, "OwnExecutionProvider"], threads, precision) == wanted


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("cuda", "pip uninstall -y onnxruntime && pip install 'onnxruntime-gpu[cuda,cudnn]'"),
        ("openvino", "pip uninstall -y onnxruntime && pip install onnxruntime-openvino"),
        ("directml", "pip uninstall -y onnxruntime && pip install onnxruntime-directml (on Windows)"),
        ("coreml", "pip install onnxruntime (on macOS)"),
    ],
)
def test_missing_provider_is_told_with_the_line_that_installs_it(name: str, remedy: str) -> None:
    with pytest.raises(ModelError) as error:
        provider_setups([name, "cpu"], ["CPUExecutionProvider"])
    assert str(error.value).endswith(f"here; it has CPUExecutionProvider; install it with: {remedy}")


def test_unknown_name() -> None:
    assert provider_mistake(["cpu", "gpu"]) == "no provider is called 'gpu'; there are: " + ", ".join(PROVIDERS)
    with pytest.raises(ModelError, match="no provider is called 'gpu'"):
        provider_setups(["gpu"], ALL)


def test_provider_that_did_not_start() -> None:
    setups = provider_setups(["cuda", "cpu"], ALL)
    check_in_use(setups, ["CUDAExecutionProvider", "CPUExecutionProvider"])
    with pytest.raises(ModelError, match="CUDAExecutionProvider is part of this ONNX Runtime but did not start"):
        check_in_use(setups, ["CPUExecutionProvider"])


def test_environment_names_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHFLOW_PROVIDERS", " openvino, cpu,")
    assert default_providers() == ("openvino", "cpu")
    monkeypatch.delenv("GRAPHFLOW_PROVIDERS")
    assert default_providers() == ("cpu",)


def test_the_cpu_under_both_names() -> None:
    assert is_cpu_only(["cpu", "CPUExecutionProvider"])
    assert not is_cpu_only(["cuda", "cpu"])
