"""What the ports of a family of calculators carry, until an alias binds the type of the items."""

from __future__ import annotations

from typing import Any, TypeVar

Item = TypeVar("Item")
"""One item; an alias such as `"SplitFloatVector": float` puts its type in the place of this."""

Items: Any = list[Item]  # type: ignore[valid-type]
"""A list of items."""

ItemOrItems: Any = Item | list[Item]  # type: ignore[valid-type]
"""One item, or a list of them."""
