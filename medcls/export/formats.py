"""The formats that a model is exported in; another is one more module and one more line here and in `facts.FILES`."""

from types import MappingProxyType

from medcls.export import keras_files, litert, onnx, savedmodel

FORMATS = MappingProxyType(
    {
        "keras": keras_files.WHOLE,
        "weights": keras_files.WEIGHTS,
        "savedmodel": savedmodel.SAVEDMODEL,
        "onnx": onnx.ONNX,
        "litert": litert.LITERT,
        "litert_int8": litert.INTEGERS,
    }
)
