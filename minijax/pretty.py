"""A small pretty-printer after Wadler ("A prettier printer", 2003), for jaxprs.

A document is a string, a list of documents (printed one after the other), a `Break`, a
`Nest` or a `Group`. A group is printed on one line if it fits, else all of its own
breaks become line breaks. Nothing here recurses over the document.
"""

from __future__ import annotations

from typing import NamedTuple, Union

Doc = Union[str, list["Doc"], "Break", "Nest", "Group"]


class Break(NamedTuple):
    """A place where a line may end; printed as `text` where it does not."""

    text: str = " "


class Nest(NamedTuple):
    """`doc` with its line breaks indented by `by` more columns."""

    by: int
    doc: Doc


class Group(NamedTuple):
    """`doc` on one line if that fits."""

    doc: Doc


def join(separator: Doc, docs: list[Doc]) -> list[Doc]:
    """The documents with `separator` in between."""
    out: list[Doc] = []
    for i, doc in enumerate(docs):
        out += [separator, doc] if i else [doc]
    return out


def format_doc(doc: Doc, width: int = 80) -> str:
    """Lay the document out for lines of `width` columns."""
    out: list[str] = []
    column = 0
    agenda: list[tuple[int, bool, Doc]] = [(0, False, doc)]
    while agenda:
        indent, flat, doc = agenda.pop()
        if isinstance(doc, str):
            out.append(doc)
            column += len(doc)
        elif isinstance(doc, list):
            agenda.extend((indent, flat, d) for d in reversed(doc))
        elif isinstance(doc, Nest):
            agenda.append((indent + doc.by, flat, doc.doc))
        elif isinstance(doc, Group):
            agenda.append((indent, flat or _fits(doc.doc, width - column), doc.doc))
        elif flat:
            out.append(doc.text)
            column += len(doc.text)
        else:
            out.append("\n" + " " * indent)
            column = indent
    return "".join(out)


def _fits(doc: Doc, room: int) -> bool:
    agenda = [doc]
    while agenda and room >= 0:
        doc = agenda.pop()
        if isinstance(doc, list):
            agenda.extend(reversed(doc))
        elif isinstance(doc, Nest | Group):
            agenda.append(doc.doc)
        else:
            room -= len(doc if isinstance(doc, str) else doc.text)
    return room >= 0
