"""Lines of Python that load an exported model without medcls, for the model card."""

from types import MappingProxyType

from medcls.export.format_names import FILES


def _litert(file: str) -> tuple[str, ...]:
    """Return the lines for a LiteRT file."""
    return (
        "import tensorflow",
        f'signature = tensorflow.lite.Interpreter("{file}").get_signature_runner()',
        "given = next(iter(signature.get_input_details()))",
        "answers = next(iter(signature(**{given: images}).values()))",
    )


LINES = MappingProxyType(
    {
        "keras": (
            "import keras",
            f'answers = keras.saving.load_model("{FILES["keras"]}").predict(images)',
        ),
        "savedmodel": (
            "import tensorflow",
            f'model = tensorflow.saved_model.load("{FILES["savedmodel"]}")',
            "answers = model.serve(images).numpy()",
        ),
        "onnx": (
            "import onnxruntime",
            f'session = onnxruntime.InferenceSession("{FILES["onnx"]}")',
            "answers = session.run(None, {session.get_inputs()[0].name: images})[0]",
        ),
        "litert": _litert(FILES["litert"]),
        "litert_int8": _litert(FILES["litert_int8"]),
    }
)
"""Format -> lines that load its file, and compute `answers` for the array `images`."""

TITLES = MappingProxyType(
    {
        "keras": "With Keras",
        "savedmodel": "With TensorFlow alone",
        "onnx": "With ONNX Runtime",
        "litert": "With LiteRT (TensorFlow Lite), for example on a phone",
        "litert_int8": "With LiteRT in 8-bit integers: smaller, but less exact (parity.json says by how much)",
    }
)
"""Format -> the heading above its lines."""

PRINT_ANSWERS = ("print(answers)",)
"""The lines after these for a classifier."""

MARK_PIXELS = (
    "probabilities = Image.fromarray(np.asarray(answers)[0, ..., 0])",
    "probabilities = np.asarray(probabilities.resize(own_size, Image.Resampling.BILINEAR))",
    'Image.fromarray(np.where(probabilities > 0.5, 255, 0).astype("uint8")).save("mask.png")',
)
"""The lines after these for a segmentation model: they write the mask at the image's own size, `own_size`."""
