"""A small pretty-printer after Wadler ("A prettier printer", 2003), for jaxprs.

A document is a string, a list of documents (printed one after the other), a `Break`, a
`Nest` or a `Group`. A group is printed on one line if it fits, else all of its own
breaks become line breaks. Nothing here recurses over the document.
"""

from __future__ import annotations

from typing import NamedTuple, Union

Doc = Union[str, list["Doc"], "Break", "Nest", "Group", "Comment"]


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


class Comment(NamedTuple):
    """What stands to the right of the line that it falls on; all of them begin in one column."""

    comment: str


def join(separator: Doc, docs: list[Doc]) -> list[Doc]:
    """The documents with `separator` in between."""
    out: list[Doc] = []
    for i, doc in enumerate(docs):
        out += [separator, doc] if i else [doc]
    return out


def format_doc(doc: Doc, width: int = 80) -> str:
    """Lay the document out for lines of `width` columns."""
    out: list[str] = []
    comments: dict[int, list[str]] = {}  # by line
    column = line = 0
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
        elif isinstance(doc, Comment):
            comments.setdefault(line, []).append(doc.comment)
        elif flat:
            out.append(doc.text)
            column += len(doc.text)
        else:
            out.append("\n" + " " * indent)
            column, line = indent, line + 1
    return _with_comments("".join(out), comments) if comments else "".join(out)


def _with_comments(text: str, comments: dict[int, list[str]]) -> str:
    """The text with comments beside its lines; where there are several, they go on below."""
    lines = text.split("\n")
    column = max(len(lines[i]) for i in comments)
    out = []
    for i, line in enumerate(lines):
        beside = comments.get(i)
        out += [f"{line:{column}} # {beside[0]}", *[f"{'':{column}} # {c}" for c in beside[1:]]] if beside else [line]
    return "\n".join(out)


def _fits(doc: Doc, room: int) -> bool:
    agenda = [doc]
    while agenda and room >= 0:
        doc = agenda.pop()
        if isinstance(doc, list):
            agenda.extend(reversed(doc))
        elif isinstance(doc, Nest | Group):
            agenda.append(doc.doc)
        elif not isinstance(doc, Comment):
            room -= len(doc if isinstance(doc, str) else doc.text)
    return room >= 0
