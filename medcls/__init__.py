"""medcls: experiment-tracking studies for deep learning on medical images."""

import os

__version__ = "0.1.0"

# TensorFlow's faster kernels, which by itself it uses only where the processor has AVX-512: on one with AVX2 they made
# a step of AlexNet and of ResNet 1.4 to 2 times as fast, with the same bits from run to run. It must be said before the
# first import of TensorFlow; whoever sets it to 0 has the last word.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
