"""The formats that a model is exported in; another is one more module and one more line here and in `facts.FILES`."""

from types import MappingProxyType

from medcls.export.formats import keras, litert, onnx, savedmodel

FORMATS = MappingProxyType(
    {
        "keras": keras.WHOLE,
        "weights": keras.WEIGHTS,
        "savedmodel": savedmodel.SAVEDMODEL,
        "onnx": onnx.ONNX,
        "litert": litert.LITERT,
        "litert_int8": litert.INTEGERS,
    }
)
