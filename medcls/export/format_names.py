"""The names of the export formats and of their files, which the command line knows without loading anything."""

from types import MappingProxyType

FILES = MappingProxyType(
    {
        "keras": "model.keras",
        "weights": "model.weights.h5",
        "savedmodel": "savedmodel",
        "onnx": "model.onnx",
        "litert": "model.tflite",
        "litert_int8": "model.int8.tflite",
    }
)
"""Export format -> the name of its file or directory."""

BY_DEFAULT = ("keras", "weights")
