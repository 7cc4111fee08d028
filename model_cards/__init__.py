"""Templates of the cards of models and datasets, and the filled cards of what this project made itself."""

from __future__ import annotations

from typing import Any


def fill_card(template: str, **fields: Any) -> str:
    """The text of a card.

    Args:
        template: name of a template in this folder, such as ``"assessor"``.
        fields: everything that it asks for; a missing one is an error of the caller, never a blank.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("model_cards", ""), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    return environment.get_template(f"{template}.md.jinja").render(**fields)
