"""Frozen dataclasses as JSON: written, read with every value checked, and described by a JSON schema."""

import dataclasses
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeVar

from medcls.utils.files import parsed_json
from medcls.utils.lazy import pydantic

T = TypeVar("T")

OMITTED_IF_NONE = MappingProxyType({"omitted_if_none": True})
"""Metadata of a field that is left out of the JSON object where it is None."""


def nothing() -> Mapping[str, Any]:
    """Return an empty mapping that cannot be changed: the default of a field."""
    return MappingProxyType({})


def as_plain(value: Any) -> Any:
    """Return a value of dataclasses, enums, mappings and sequences as what a JSON file holds."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        plain = {}
        for field in dataclasses.fields(value):
            content = getattr(value, field.name)
            if content is not None or "omitted_if_none" not in field.metadata:
                plain[field.name] = as_plain(content)
        return plain
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: as_plain(content) for key, content in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    return value


def from_json(kind: type[T], content: bytes) -> T:
    """Return a frozen dataclass from the text of a JSON file.

    Every value is checked against its field's type; nothing is converted but whole numbers to floats and texts to
    enums. Fields that the dataclass does not have are ignored, as a later version may have written them.

    Raises:
        ValueError: the text is no JSON, a field is missing, or a value has another type; the message is a short phrase.
    """
    parsed_json(content)  # refuses numbers that no computer can work with
    try:
        value: T = _adapter(kind).validate_json(content, strict=True)
    except pydantic.ValidationError as error:
        raise ValueError(_phrase(error.errors(include_url=False, include_context=False)[0])) from error
    return value


def json_schema(kind: type[Any]) -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a dataclass as `as_plain` writes it."""
    schema: dict[str, Any] = _adapter(kind).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _adapter(kind: type[T]) -> "pydantic.TypeAdapter[T]":
    return pydantic.TypeAdapter(kind)


def _phrase(error: Mapping[str, Any]) -> str:
    """Return the first fault of a JSON value in a few words: its place and what is wrong."""
    place = ".".join(str(step) for step in error["loc"])
    if error["type"] == "missing":
        return f"it lacks {place}"
    if not place:
        return "it holds no JSON object"
    shown = repr(error["input"])
    return f"its {place} is {shown if len(shown) <= 30 else shown[:30] + '...'}"
