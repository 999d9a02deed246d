"""What does a small network learn from the features that VGG16 has learnt on ImageNet?

    python studies/task6_transfer_vgg16.py

Time: VGG16 processes each image twice, 10 minutes on two cores; then 4 heads x 3 seeds x 150 epochs on skin and on
bone, 2 hours; 10 epochs through VGG16 for "last block tuned", most of a day (estimates). --only selects variants.

Task 6 of the laboratory assignment: VGG16 without its top (14,714,688 frozen parameters) at 224x224, its last maps
into Dense 128, dropout of 0.5 and the output (3,211,521 parameters), Adam at 1e-5, batches of 8. A course solution
reported .984/.845 (training / validation accuracy) on skin and 1.000/.990 on bone, from one run. Without a network
connection use --weights FILE or --weights random.

Why: early layers of networks for photographs detect edges and textures, which other images have too (Yosinski et al.
2014). The course feeds 0..1, but VGG16 was trained on BGR values of 0..255 less their means: "own preprocessing"
corrects that. Averages of the maps leave the head 49 times fewer weights to overfit with (Lin et al. 2013). Tuning the
last block adapts the features to these images, at a low rate to avoid forgetting (Howard and Ruder 2018).
"""

from functools import partial

from medcls import Study, Variant, data, main, models, training
from medcls.evaluation.answers import compare, final, overfitting
from medcls.tasks import BINARY

HEAD = partial(models.pretrained, backbone="vgg16", dense=(128,), dropout=0.5)
ADAM = partial(training.adam, learning_rate=1e-5)
SEED = Variant(
    data=partial(data.skin, size=224, channels=3),
    learner=partial(training.transfer, model=HEAD, optimizer=ADAM, batch_size=8, epochs=150),
    task=BINARY,
)
OWN = SEED.with_("learner.model.preprocessing", "own")
TUNED = OWN.with_("learner.tuned_blocks", 1).with_("learner.tuned_after", 150).with_("learner.epochs", 160)
STUDY = Study(
    name="task6_transfer_vgg16",
    question="What does a small network learn from the features that VGG16 has learnt on ImageNet?",
    variants={
        "features": SEED,
        "own preprocessing": OWN,
        "average pooling": OWN.with_("learner.model.pooling", "average"),
        "last block tuned": TUNED.with_("learner.tuned_rate", 1e-6),
    },
    data=(data.skin, data.bone),
    seeds=(0, 1, 2),
    metric="accuracy",
    smoke={"learner.epochs": 2, "learner.tuned_after": 1},
    answers=(
        compare("features", "own preprocessing", "val_accuracy", "Does it help to feed VGG16 as it was trained?"),
        compare("own preprocessing", "average pooling", "gap", "Do averages of the maps overfit less?"),
        compare("own preprocessing", "last block tuned", "val_accuracy", "Does tuning the last block help?"),
        final("accuracy", "val_accuracy", question="What are the values of training and validation accuracy?"),
        overfitting(),
    ),
)

if __name__ == "__main__":
    main(STUDY)
