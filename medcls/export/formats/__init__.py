"""Export formats. A new one is one more module, one more line here, and one in `FILES` of `export/format_names.py`."""

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
