"""What do rescaling, rotation, flips and intensity rescaling do to an image, and what does a generator make of it?

    python studies/task3_transforms.py
    python studies/task3_transforms.py --image my.jpg --scale 0.1,0.5,2 --angle 90,180 --percentiles 1,99

Time: seconds. Nothing is trained.

Tasks 3a and 3b of the laboratory assignment: figures of an X-ray before and after each transform of scikit-image, with
the parameters of a course solution (scale 0.2 and 0.8; 30, -30 and -70 degrees; percentiles 5 and 95), and a strip of
five random augmentations (rotation 20, width shift 0.2, horizontal flip). Each picture has its measurements beside it:
rescaling changes the shape, so images of several sizes can be made to fit one network; rotation keeps the frame and
moves corners out of it; flips move values and change none; intensity rescaling changes values, moves none, and cuts off
what lies beyond the percentiles.

Which of them can serve as augmentation depends on what real images look like: a flip reverses letters and swaps the
side of the heart; a rotation by 70 degrees makes an X-ray that nobody takes (Shorten and Khoshgoftaar 2019).
"""

from functools import partial

from medcls import augmentation, data
from medcls.cli.demonstration import main
from medcls.spec.demonstration import Demonstration

STUDY = Demonstration(
    name="task3_transforms",
    question="What do the usual transforms do to an image's shape and intensities?",
    data=partial(data.xray, size=128, channels=1),
    scales=(0.2, 0.8),
    angles=(30.0, -30.0, -70.0),
    percentiles=(5.0, 95.0),
    augment=partial(augmentation.standard, rotation=20.0, width_shift=0.2, horizontal_flip=True),
    count=5,
)

if __name__ == "__main__":
    main(STUDY)
