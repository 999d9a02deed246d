"""The answers of a study that declares none: every variant against the first, and the best model of a search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medcls.evaluation import run_scores
from medcls.evaluation.comparison_record import Comparison
from medcls.evaluation.comparisons import Compare, compare
from medcls.evaluation.metrics import ANY, metric
from medcls.evaluation.run_record import RunRecord, Scalar
from medcls.evaluation.run_scores import Score
from medcls.evaluation.spread import spread_of
from medcls.evaluation.summary import AnswerRecord, BestRecord, StudySummary
from medcls.evaluation.verdict import Verdict
from medcls.evaluation.wording import asked, data_names, joined, number, on, spread_in_words
from medcls.utils.statuses import TrialState
from medcls.utils.typed_json import as_plain

__all__ = ["FEWEST_TRIALS", "START", "BestTrial", "CompareEach", "best_trial", "compare_each", "deciding_score"]

FEWEST_TRIALS = 20
"""From so many completed trials on a search says which parameters mattered."""
START = "trial 0"
"""The trial of a search with the parameters that the study itself declares."""
SPELT_OUT = 4  # comparisons that are said in a sentence each; of more, verdicts are said together
OWNERS = ("learner", "model", "optimizer")  # parts of a parameter's path that its name in words leaves out


def deciding_score(name: str) -> Score:
    """Return the score on the validation set by which a study chooses its best variant; higher is better.

    A score of this name in the history would be that on the training set.
    """
    row = metric(name)
    is_curve = row is not None and row.curve

    def of(run: RunRecord) -> float | None:
        return run.metrics.get(name)

    return Score(f"val_{name}" if is_curve else name, of, True, ANY if row is None else row.ends)


@dataclass(frozen=True)
class CompareEach:
    """Are the other variants better than the first?

    Attributes:
        pairs: the first variant with each other one.
        question: as the study asks it.
    """

    pairs: tuple[Compare, ...]
    question: str

    def questions(self, summary: StudySummary | None) -> Sequence[Compare]:  # noqa: ARG002
        """Return the comparisons with the first variant."""
        return self.pairs

    def __call__(self, summary: StudySummary) -> AnswerRecord:
        """Return the verdicts: a sentence each, or one for all variants with one verdict where there are many."""
        together = []
        values = {}
        for data in data_names(summary):
            rows = [row for row in summary.comparisons if row.data == data and self._is_mine(row)]
            values[data] = {row.b: as_plain(row) for row in rows}
            if rows:
                together.append(on(summary, data, self._together(rows)))
        if len(self.pairs) <= SPELT_OUT:
            return AnswerRecord(self.question, joined([pair(summary).answer for pair in self.pairs]), values)
        return AnswerRecord(self.question, joined(together), values)

    def _is_mine(self, row: Comparison) -> bool:
        return any(pair.is_mine(row) for pair in self.pairs)

    def _together(self, rows: Sequence[Comparison]) -> str:
        """Return how many variants have each verdict, and of the decided ones their names and differences."""
        first = self.pairs[0]
        phrases = []
        for verdict in (Verdict.BETTER, Verdict.WORSE):
            names = []
            for row in sorted(rows, key=lambda row: -abs(row.difference)):
                if row.verdict == verdict:
                    difference = number(row.difference, run_scores.digits(row.metric), signed=True)
                    names.append(f"{row.b} ({difference})")
            phrases.append(f"{len(names)} {verdict}{': ' if names else ''}{', '.join(names)}")
        compared = [row for row in rows if row.n]
        for verdict in Verdict:
            count = sum(row.verdict == verdict for row in compared)
            if count and verdict not in (Verdict.BETTER, Verdict.WORSE):
                phrases.append(f"{count} {verdict}")
        if len(compared) < len(rows):
            phrases.append(f"{len(rows) - len(compared)} without a finished pair of runs")
        return f"Of {len(rows)} variants against {first.a}, by {first.score.words}: {'; '.join(phrases)}."


def compare_each(first: str, others: Sequence[str], score: Score) -> CompareEach:
    """Return the answer that compares every other variant with the first.

    Args:
        first: the name of the variant that all others are compared with.
        others: their names, at least one.
        score: what is compared.
    """
    pairs = tuple(compare(first, other, score) for other in others)
    if len(pairs) == 1:
        return CompareEach(pairs, pairs[0].question)
    return CompareEach(pairs, f"Which variants are better than {first} by {score.words}?")


@dataclass(frozen=True)
class BestTrial:
    """Which trial of a search is the best, how good is it, what is it better than, and which parameters mattered?

    Attributes:
        score: by which the search chooses.
        metric: the name of that score among the scores of the test set.
        question: as the study asks it.
    """

    score: Score
    metric: str
    question: str

    def questions(self, summary: StudySummary | None) -> Sequence[Compare]:
        """Return the comparison of the best trial with the search's starting point, once both are known."""
        if summary is None:
            return ()
        completed = [trial for trial in summary.trials or () if trial.value is not None]
        asked: dict[str, Compare] = {}
        for best in summary.best.values():
            if best.variant != START:
                pair = Compare(START, best.variant, self.score, self.question, candidates=max(len(completed) - 1, 1))
                asked[best.variant] = pair
        return tuple(asked.values())

    def __call__(self, summary: StudySummary) -> AnswerRecord:
        """Return the best trial on every data set in words."""
        sentences, values = [], {}
        for data, best in summary.best.items():
            text = [self._found(summary, data, best), self._against_start(summary, data, best)]
            sentences.append(on(summary, data, joined(text)))
            test = None if best.test is None else best.test.get(self.metric)
            values[data] = {
                "variant": best.variant,
                "folds": best.mean_sd.get(self.metric),
                "test": as_plain(test),
                "importances": dict(summary.importances or {}),
            }
        question = asked(summary) if self.question == summary.question else self.question
        if not sentences:
            return AnswerRecord(question, "No trial was completed.")
        return AnswerRecord(question, joined([*sentences, _what_mattered(summary)]), values)

    def _found(self, summary: StudySummary, data: str, best: BestRecord) -> str:
        """Return the best trial with its parameters, its score on the folds and that on the test set."""
        trials = summary.trials or ()
        proposed = next((trial.params for trial in trials if f"trial {trial.number}" == best.variant), {})
        pruned = sum(trial.state == TrialState.PRUNED for trial in trials)
        runs = run_scores.finished(summary, data, best.variant).values()
        digits = run_scores.digits(self.score.name)
        spread = spread_of(run_scores.values(runs, self.score), self.score.ends)
        sentence = (
            f"The best of {len(trials)} trials ({pruned} pruned) is {best.variant}, with {in_words(proposed)}: "
            f"{self.score.words} {spread_in_words(spread, digits)} over {len(spread.values)} folds"
        )
        test = None if best.test is None else best.test.get(self.metric)
        if test is None:
            return f"{sentence}; there is no test set."
        low, high = test.ci95
        images = summary.data_set(data).n.get("test")
        over = f" over {images} images" if images else ""
        return (
            f"{sentence}; refitted, {test.value:.{digits}f} on the test set, which had no part in choosing it "
            f"(95% interval {low:.{digits}f} to {high:.{digits}f}{over})."
        )

    def _against_start(self, summary: StudySummary, data: str, best: BestRecord) -> str:
        """Return the verdict on the best trial against the search's starting point."""
        if best.variant == START:
            return f"It is the starting point ({START}): no proposal scored higher."
        for pair in self.questions(summary):
            for row in summary.comparisons:
                if row.data == data and row.b == best.variant and pair.is_mine(row):
                    chosen = f"p is multiplied by {pair.candidates} because it was chosen by this score"
                    against = f"Against the starting point ({START}; {chosen})" if pair.candidates > 1 else ""
                    return f"{against or f'Against the starting point ({START})'}: {pair.sentence(summary, row)}"
        return ""


def best_trial(metric: str, question: str) -> BestTrial:
    """Return the answer of a search: its best trial by a metric, how good that is, and which parameters mattered."""
    return BestTrial(deciding_score(metric), metric, question)


def _what_mattered(summary: StudySummary) -> str:
    """Return which parameters mattered in a search, or that its trials are too few to tell."""
    completed = sum(trial.value is not None for trial in summary.trials or ())
    if not summary.importances:
        if completed >= FEWEST_TRIALS:
            return "All completed trials scored the same, so no parameter mattered."
        return f"Which parameters mattered cannot be told from {completed} completed trials (it takes {FEWEST_TRIALS})."
    ranked = sorted(summary.importances.items(), key=lambda item: -item[1])
    names = [f"{path_in_words(path)} {share:.2f}" for path, share in ranked]
    return f"What mattered, as shares of the score's variance over {completed} completed trials: {', '.join(names)}."


def in_words(params: Mapping[str, Scalar]) -> str:
    """Return proposed parameters in words: "depth 20, learning rate 0.00213"."""
    return ", ".join(f"{path_in_words(path)} {_short(value)}" for path, value in params.items())


def path_in_words(path: str) -> str:
    """Return what a parameter is called in a sentence: "learner.augment.strength" is "augment strength"."""
    parts = [part for part in path.split(".") if part not in OWNERS]
    return " ".join(parts or path.split(".")).replace("_", " ")


def _short(value: Scalar) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
