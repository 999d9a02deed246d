"""MODEL_CARD.md: what a model is, what it was trained on, how good it is, and what it must not be used for.

The sentences are in the template `model_card.md` beside this file.
"""

from medcls.export.card_facts import card_facts
from medcls.export.metadata import Facts
from medcls.utils.lazy import jinja2
from medcls.utils.texts import printable


def card(facts: Facts) -> str:
    """Return the model card, in Markdown."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("medcls.export", ""),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        finalize=_visible,
    )
    return str(environment.get_template("model_card.md").render(card=card_facts(facts)))


def _visible(value: object) -> object:
    """Return a value as the card shows it: texts come from outside, so line breaks and the like are escaped."""
    return printable(value) if isinstance(value, str) else value
