"""Where does VGG16 look when it tells fractured femurs from others: at the bone, or at the letters burnt in?

    python studies/task8_grad_cam.py

Time: 2 variants x 2 data sets x 3 seeds x 80 epochs: about an hour and a half on two cores (an estimate). Each run has
heat_maps.png (right, wrong, certain, uncertain), heat_methods.png (six side by side), heat_trust.png and overlays.

Task 8 of the laboratory assignment: VGG16 of base 8, three dense layers of 64 with dropout 0.4 after each, two softmax
units (304,474 parameters), categorical cross-entropy, task 4's augmentation, batches of 8, Adam at 1e-5, or at 1e-3 as
in a later lab; Grad-CAM at its last convolution. Two course solutions found the saliency on the letters. The phantom's
letters give the class away in 85% of its pictures, and their position is known, so the study measures the saliency on
them, and repeats it on the same femurs without letters. Real images need masks beside them for that (docs/runs.md).
With one seed, at 1e-5: accuracy .74; .51 with the letters filled in, .74 with the bone filled in, .50 trained without
letters: it reads the letters, though its saliency lies on the bone. At 1e-3 it learnt nothing without batch norm.

Why: a network takes the easiest cue (Geirhos et al. 2020, arXiv:2004.07780). A saliency map that stays the same under
random weights shows edges (Adebayo et al. 2018, arXiv:1810.03292). Another method: --set explain.method=hires_cam
"""

from functools import partial

from medcls import Study, Variant, augmentation, data, explain, grid, main, models, training
from medcls.evaluation.answers import compare, final
from medcls.evaluation.saliency_answers import believable, where_it_looks
from medcls.tasks import MULTICLASS

MOVED = partial(augmentation.standard, rotation=10.0, width_shift=0.1, height_shift=0.1, horizontal_flip=True)
BASE = Variant(
    data=partial(data.bone, size=128, channels=1),
    learner=partial(
        training.gradient,
        model=partial(models.vgg, depth=16, base=8, dense=(64, 64, 64), dropout=0.4, dropped=3),
        augment=MOVED,
        optimizer=partial(training.adam, learning_rate=1e-5),
        batch_size=8,
        epochs=80,
    ),
    task=MULTICLASS,
)
STUDY = Study(
    name="task8_grad_cam",
    question="Where does VGG16 look: at the bone, or at the letters burnt in?",
    variants=grid(BASE, learner__optimizer__learning_rate={"1e-5": 1e-5, "1e-3": 1e-3}),
    data=(BASE.data, partial(data.bone_unlettered)),
    seeds=(0, 1, 2),
    metric="accuracy",
    explain=partial(explain.heat_maps, method=explain.grad_cam),
    smoke={"learner.epochs": 1, "explain.shown": 4, "explain.checked": 2, "explain.stages": 3, "explain.steps": 4},
    answers=(
        where_it_looks("Does each network look at the bone or at the letters, and does it need them?"),
        believable(),
        compare("1e-5", "1e-3", "val_accuracy", "Is the higher learning rate more accurate?"),
        final("accuracy", "val_accuracy", "gap", question="How accurate is each, with letters and without?"),
    ),
)

if __name__ == "__main__":
    main(STUDY)
