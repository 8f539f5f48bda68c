"""The registry of views. A view is a file that ends in `VIEW = View(...)`, a row here, and golden cases."""

from __future__ import annotations

from functools import partial

from sera_swezero import schemas
from sera_swezero.schemas.columns import row_schema
from sera_swezero.sources import SOURCES
from sera_swezero.views import atif, hermes, native, openai, rectified, sharegpt, steps
from sera_swezero.views.view import LINEAGE, Columns, Rendered, Row, View, ViewInput, text_row

__all__ = [
    "LINEAGE",
    "VIEWS",
    "Columns",
    "Rendered",
    "Row",
    "View",
    "ViewInput",
    "declare_schemas",
    "text_row",
]

VIEWS: dict[str, View] = {
    view.name: view
    for view in (rectified.VIEW, native.VIEW, openai.VIEW, steps.VIEW, hermes.VIEW, sharegpt.VIEW, atif.VIEW)
}
"""Every view by name."""


def declare_schemas() -> None:
    """Declare the schema of every kind of row. It is called again after a source or a view was added."""
    for view in VIEWS.values():
        for source in SOURCES.values():
            for shape in source.native_columns:
                name, title = view.schema(source, shape), f"A row in the view {view.name}"
                make = partial(row_schema, name, title, view.columns(source, shape), view.optional)
                schemas.declare(name, make)


declare_schemas()
schemas.declare("lineage", partial(row_schema, "lineage", "The columns that lineage=True adds to a row", LINEAGE))
