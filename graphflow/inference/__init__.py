"""Models: where they come from, their import to ONNX, and the sessions that run them."""

from .catalog import Catalog, ModelCard, Wheel
from .fetch import FetchProgress, Progress
from .prepared import Preparation, PreparedModels
from .providers import PROVIDERS, Precision, provider_mistake
from .sessions import InferenceSession, close_sessions, open_session
from .store import ModelInfo, ModelStore, model_mistake

__all__ = [
    "PROVIDERS",
    "Catalog",
    "FetchProgress",
    "InferenceSession",
    "ModelCard",
    "ModelInfo",
    "ModelStore",
    "Precision",
    "Preparation",
    "PreparedModels",
    "Progress",
    "Wheel",
    "close_sessions",
    "model_mistake",
    "open_session",
    "provider_mistake",
]
