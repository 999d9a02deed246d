"""The lines of Python that load a model from a file of its folder and ask it about `images`, where medcls is not."""

from types import MappingProxyType

from medcls.export.metadata import FILES

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
        **{
            name: (
                "import tensorflow",
                f'signature = tensorflow.lite.Interpreter("{FILES[name]}").get_signature_runner()',
                "given = next(iter(signature.get_input_details()))",
                "answers = next(iter(signature(**{given: images}).values()))",
            )
            for name in ("litert", "litert_int8")
        },
    }
)

TITLES = MappingProxyType(
    {
        "keras": "With Keras",
        "savedmodel": "With TensorFlow alone",
        "onnx": "With ONNX Runtime",
        "litert": "With LiteRT (TensorFlow Lite), as on a telephone",
        "litert_int8": "With LiteRT, in 8-bit integers: smaller, with other answers (parity.json has what that costs)",
    }
)
