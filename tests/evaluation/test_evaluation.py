"""Scores and their intervals, against scikit-learn, scipy, hand-worked cases and simulation."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from medcls import TrainingError
from medcls.evaluation import calibration, classification, intervals

Array = np.ndarray[Any, Any]
ALWAYS = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "brier", "ece")
NAMES = tuple("abcdefghijklmnopqrst")


def case(n: int, classes: int, seed: int = 0, skill: float = 0.4, decimals: int = 8) -> tuple[Array, Array]:
    """Labels, every class among them, and probabilities somewhat better than chance; few decimals make ties."""
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.arange(n) % classes)
    raw = generator.dirichlet(np.ones(classes), n) + skill * np.eye(classes)[labels]
    return labels, np.round(raw / raw.sum(axis=1, keepdims=True), decimals)


def scored(labels: Array, probabilities: Array) -> dict[str, float]:
    return classification.scores(labels, probabilities, NAMES[: probabilities.shape[1]])


def interval(labels: Array, probabilities: Array, name: str, **how: Any) -> list[float]:
    return intervals.test_scores(labels, probabilities, NAMES[: probabilities.shape[1]], **how)[name].ci95


@pytest.mark.parametrize("decimals", [1, 8])
@pytest.mark.parametrize(("n", "classes"), [(7, 2), (200, 2), (90, 3), (500, 9)])
def test_scores_equal_scikit_learns(n: int, classes: int, decimals: int) -> None:
    labels, probabilities = case(n, classes, decimals=decimals)
    predicted = probabilities.argmax(axis=1)
    auc = (
        metrics.roc_auc_score(labels, probabilities[:, 1])
        if classes == 2
        else np.mean([metrics.roc_auc_score(labels == k, probabilities[:, k]) for k in range(classes)])
    )
    recalls = metrics.recall_score(labels, predicted, average=None)
    expected = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
        "macro_f1": metrics.f1_score(labels, predicted, average="macro"),
        "log_loss": -np.mean(np.log(np.maximum(probabilities[np.arange(n), labels], 1e-7))),
        "brier": np.mean(((probabilities - np.eye(classes)[labels]) ** 2).sum(axis=1)) / (2 if classes == 2 else 1),
        "ece": calibration.expected_error(labels, probabilities),  # tested with the curves
        "auc": auc,
        **{f"recall/{NAMES[k]}": recalls[k] for k in range(classes)},
    }

    assert scored(labels, probabilities) == pytest.approx(expected, abs=1e-12)


def test_a_case_worked_by_hand() -> None:
    labels = np.array([0, 0, 0, 1, 1])
    ones = np.array([0.1, 0.4, 0.8, 0.4, 0.9])

    answer = scored(labels, np.stack([1 - ones, ones], axis=1))

    assert answer == pytest.approx(
        {
            "accuracy": 3 / 5,
            "balanced_accuracy": (2 / 3 + 1 / 2) / 2,
            "macro_f1": (4 / 6 + 2 / 4) / 2,
            "log_loss": -np.log(0.9 * 0.6 * 0.2 * 0.4 * 0.9) / 5,
            "brier": (0.01 + 0.16 + 0.64 + 0.36 + 0.01) / 5,
            "ece": (abs(2 * 0.9 - 2) + abs(2 * 0.6 - 1) + abs(0.8 - 0)) / 5,
            "auc": (1 + 0.5 + 0 + 3) / 6,  # of six pairs; 0.4 against 0.4 counts half
            "recall/a": 2 / 3,
            "recall/b": 1 / 2,
        }
    )


def test_absent_classes_leave_out_what_is_undefined() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.6, 0.4, 0.0], [0.1, 0.1, 0.8], [0.3, 0.7, 0.0]])

    answer = scored(np.array([0, 0, 2, 2]), probabilities)

    assert set(answer) == {*ALWAYS, "auc", "recall/a", "recall/c"}
    assert answer["balanced_accuracy"] == (1 + 0.5) / 2
    # Class b has no images, but one prediction, and so an F1 of 0.
    assert answer["macro_f1"] == pytest.approx((1 + 0 + 2 / 3) / 3)
    # Class a: all four pairs are right; class c: 0.8 wins twice, 0.0 loses to 0.1 and ties with 0.0.
    assert answer["auc"] == pytest.approx((1 + 2.5 / 4) / 2)


def test_one_class_alone_has_no_auc() -> None:
    answer = scored(np.zeros(3, int), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]))

    assert set(answer) == {*ALWAYS, "recall/a"}


def test_an_impossible_label_costs_no_infinity() -> None:
    probabilities = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)

    assert scored(np.array([1, 1]), probabilities)["log_loss"] == pytest.approx(-np.log(1e-7) / 2)


def test_diverged_probabilities_are_refused() -> None:
    with pytest.raises(TrainingError, match="not numbers"):
        scored(np.array([0, 1]), np.array([[0.5, 0.5], [np.nan, np.nan]]))


@settings(deadline=None)
@given(seed=st.integers(0, 999), classes=st.integers(2, 6), n=st.integers(6, 40), decimals=st.sampled_from([1, 8]))
def test_the_order_of_the_images_is_nothing_to_the_scores(seed: int, classes: int, n: int, decimals: int) -> None:
    labels, probabilities = case(n, classes, seed, decimals=decimals)
    order = np.random.default_rng(seed).permutation(n)

    assert scored(labels[order], probabilities[order]) == pytest.approx(scored(labels, probabilities))


@settings(deadline=None)
@given(seed=st.integers(0, 999), classes=st.integers(3, 6), n=st.integers(6, 40))
def test_renaming_the_classes_permutes_the_recalls_alone(seed: int, classes: int, n: int) -> None:
    labels, probabilities = case(n, classes, seed)
    new = np.random.default_rng(seed).permutation(classes)

    before = scored(labels, probabilities)
    after = scored(new[labels], probabilities[:, np.argsort(new)])

    renamed = {f"recall/{NAMES[k]}": f"recall/{NAMES[new[k]]}" for k in range(classes)}
    assert after == pytest.approx({renamed.get(name, name): value for name, value in before.items()})


@settings(deadline=None)
@given(seed=st.integers(0, 999), n=st.integers(4, 40))
def test_a_weight_of_two_is_the_image_twice(seed: int, n: int) -> None:
    labels, probabilities = case(n, 3, seed, decimals=1)
    weights = np.random.default_rng(seed).integers(0, 4, (5, n))

    answer = classification.weighted_scores(labels, probabilities, NAMES[:3], weights)

    for row, counts in enumerate(weights):
        rows = np.repeat(np.arange(n), counts)
        repeated = scored(labels[rows], probabilities[rows])
        defined = {name: value[row] for name, value in answer.items() if np.isfinite(value[row])}
        assert defined == pytest.approx(repeated)


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
def test_the_confusion_matrix_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    labels, predicted = np.array(pairs).T

    matrix = classification.confusion_matrix(labels, predicted, 5)

    np.testing.assert_array_equal(matrix, metrics.confusion_matrix(labels, predicted, labels=range(5)))


def test_intervals_of_accuracy_are_nearly_the_binomials() -> None:
    labels, probabilities = case(1000, 2)
    accuracy = scored(labels, probabilities)["accuracy"]

    low, high = interval(labels, probabilities, "accuracy", resamples=20_000)

    # A resample's number of right images is binomial exactly.
    assert [low, high] == pytest.approx(stats.binom(1000, accuracy).ppf([0.025, 0.975]) / 1000, abs=0.0015)


def test_intervals_of_auc_are_nearly_delongs() -> None:
    labels, probabilities = case(600, 2)
    ones, noughts = probabilities[labels == 1, 1], probabilities[labels == 0, 1]
    wins = ones[:, None] > noughts
    deviation = np.sqrt(wins.mean(axis=1).var(ddof=1) / len(ones) + wins.mean(axis=0).var(ddof=1) / len(noughts))

    low, high = interval(labels, probabilities, "auc", resamples=5000)

    assert high - low == pytest.approx(2 * 1.96 * deviation, rel=0.05)
    assert (low + high) / 2 == pytest.approx(wins.mean(), abs=0.005)


def test_intervals_equal_those_of_scipys_bootstrap() -> None:
    labels, probabilities = case(150, 3)
    right = probabilities.argmax(axis=1) == labels

    def balanced(rows: Array) -> float:
        return float(np.mean([right[rows][labels[rows] == k].mean() for k in range(3)]))

    expected = stats.bootstrap(
        (np.arange(150),), balanced, vectorized=False, method="percentile", n_resamples=2000, rng=1
    ).confidence_interval

    assert scored(labels, probabilities)["balanced_accuracy"] == pytest.approx(balanced(np.arange(150)))
    assert interval(labels, probabilities, "balanced_accuracy") == pytest.approx(expected, abs=0.012)


def test_intervals_are_repeatable_and_depend_on_the_seed() -> None:
    labels, probabilities = case(80, 3)

    first = intervals.test_scores(labels, probabilities, NAMES[:3], seed=1)

    assert first == intervals.test_scores(labels, probabilities, NAMES[:3], seed=1)
    assert first != intervals.test_scores(labels, probabilities, NAMES[:3], seed=2)
    assert set(first) == set(scored(labels, probabilities)) - {"log_loss", "brier", "ece"}
    assert all(one.ci95[0] <= one.value <= one.ci95[1] for one in first.values())


def test_copies_of_a_patients_image_make_nothing_surer() -> None:
    labels, probabilities = case(60, 2)
    copies = np.repeat(np.arange(60), 5)
    patients = np.char.add("patient", copies.astype(str))

    once = interval(labels, probabilities, "auc")
    grouped = interval(labels[copies], probabilities[copies], "auc", patients=patients)
    naive = interval(labels[copies], probabilities[copies], "auc")

    assert grouped == pytest.approx(once, abs=0.02)
    assert naive[1] - naive[0] < 0.6 * (once[1] - once[0])


@pytest.mark.parametrize("right", [0, 30])
def test_a_perfect_score_is_not_perfectly_sure(right: int) -> None:
    ones = np.full(30, right / 30)
    answer = intervals.test_scores(np.ones(30, int), np.stack([1 - ones, ones], axis=1), NAMES[:2])

    expected = stats.binomtest(right, 30).proportion_ci(0.95, "exact")

    for name in ("accuracy", "recall/b"):
        assert answer[name].value == right / 30
        assert answer[name].ci95 == pytest.approx((expected.low, expected.high))


def test_a_single_patient_tells_next_to_nothing() -> None:
    labels, probabilities = case(40, 2)

    low, high = interval(labels, probabilities, "accuracy", patients=np.array(["p"] * 40))

    assert (low, high) == pytest.approx((0.025, 0.975))


def test_undefined_scores_have_no_interval() -> None:
    answer = intervals.test_scores(np.zeros(4, int), np.array([[0.9, 0.1]] * 4), NAMES[:2])

    assert set(answer) == {"accuracy", "balanced_accuracy", "macro_f1", "recall/a"}


def test_a_rare_class_leaves_no_hole() -> None:
    labels, probabilities = np.array([0] * 20 + [1]), case(21, 2)[1]

    answer = intervals.test_scores(labels, probabilities, NAMES[:2])

    assert all(np.isfinite([one.value, *one.ci95]).all() for one in answer.values())
    assert "recall/b" in answer


def coverage(n: int, repeats: int, name: str, truth: float, resamples: int) -> float:
    """How often the interval holds the truth; two classes, a normal feature, 2 standard deviations apart."""
    hits = 0
    for repeat in range(repeats):
        generator = np.random.default_rng([n, repeat])
        labels = generator.integers(2, size=n)
        ones = stats.norm.cdf(generator.normal(2.0 * labels - 1.0, 1.0))
        low, high = interval(labels, np.stack([1 - ones, ones], axis=1), name, resamples=resamples)
        hits += low <= truth <= high
    return hits / repeats


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "truth"),
    [("accuracy", stats.norm.cdf(1)), ("macro_f1", stats.norm.cdf(1)), ("auc", stats.norm.cdf(2**0.5))],
)
def test_intervals_hold_the_truth_as_often_as_they_say(name: str, truth: float) -> None:
    assert 0.92 <= coverage(150, 500, name, truth, 1000) <= 0.98  # three standard deviations of 500 repeats


def test_bootstrap_intervals_of_any_weighted_statistic() -> None:
    values = np.random.default_rng(0).normal(5.0, 2.0, 400)

    def mean(weights: Array) -> dict[str, Array]:
        return {"mean": weights @ values / weights.sum(axis=1)}

    low, high = intervals.bootstrap_intervals(mean, 400)["mean"]

    half = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)


def test_an_ensemble_is_the_mean() -> None:
    models = [case(5, 3, seed)[1] for seed in range(3)]

    np.testing.assert_allclose(intervals.ensemble(models), (models[0] + models[1] + models[2]) / 3)


def test_mean_and_standard_deviation_over_runs() -> None:
    assert intervals.mean_sd([0.7, 0.8, 0.9]) == pytest.approx((0.8, 0.1))
    assert intervals.mean_sd([0.7]) == (0.7, 0.0)
