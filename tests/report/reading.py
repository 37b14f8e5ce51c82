"""Reads a page as a browser's parser would, for the tests."""

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any


@dataclass
class Page:
    """The tags of a page with their attributes, and what stands inside its scripts."""

    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    scripts: list[tuple[dict[str, str], str]] = field(default_factory=list)
    style: str = ""
    text: str = ""

    @property
    def data(self) -> dict[str, Any]:
        (body,) = [body for given, body in self.scripts if given.get("type") == "application/json"]
        read: dict[str, Any] = json.loads(body)
        return read

    @property
    def policy(self) -> str:
        (content,) = [
            given["content"]
            for tag, given in self.tags
            if tag == "meta" and given.get("http-equiv") == "Content-Security-Policy"
        ]
        return content

    @property
    def skeleton(self) -> list[tuple[str, tuple[str, ...]]]:
        """Tags and the names of their attributes: all of a page that is not text."""
        return [(tag, tuple(sorted(given))) for tag, given in self.tags]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.page.tags.append((tag, given))
        self._inside = tag
        if tag == "script":
            self.page.scripts.append((given, ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            given, body = self.page.scripts[-1]
            self.page.scripts[-1] = (given, body + data)
        elif self._inside == "style":
            self.page.style += data
        else:
            self.page.text += data


def read(html: str) -> Page:
    """The page that a text of HTML stands for."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page
