"""A person at the admin: opens pages, fills in their forms as they stand, and presses buttons."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


@dataclass
class Form:
    """One form of a page. fields: what it would send as it stands."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    label: str = ""


@dataclass
class Page:
    url: str
    status: int
    text: str

    def forms(self) -> list[Form]:
        parser = _FormParser()
        parser.feed(self.text)
        return parser.forms

    def form_with(self, name: str) -> Form:
        """The form that has a field of that name."""
        return next(form for form in self.forms() if name in form.fields)

    def button(self, label: str) -> Form:
        found = next((form for form in self.forms() if form.label.strip() == label), None)
        assert found, f"no button “{label}” on {self.url}: {[form.label.strip() for form in self.forms()]}"
        return found


class Browser:
    """Keeps its session; every page that it ever saw is kept, to be searched for secrets."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._session = requests.Session()
        self._session.trust_env = False
        self.seen: list[Page] = []

    def close(self) -> None:
        self._session.close()

    def open(self, path: str) -> Page:
        return self._keep(self._session.get(urljoin(self._base_url, path), timeout=60))

    def send(self, page: Page, form: Form, **filled: str) -> Page:
        """Posts the form with these fields filled in, follows redirects, and answers the page reached."""
        url = urljoin(page.url, form.action)
        answer = self._session.post(url, data=form.fields | filled, headers={"Referer": page.url}, timeout=60)
        return self._keep(answer)

    def press(self, page: Page, label: str) -> Page:
        return self.send(page, page.button(label))

    def _keep(self, answer: requests.Response) -> Page:
        page = Page(url=answer.url, status=answer.status_code, text=answer.text)
        self.seen.append(page)
        return page


class _FormParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._select = ""
        self._area = ""
        self._in_button = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(action=attributes.get("action", ""))
            self.forms.append(self._form)
        elif self._form is None:
            return
        elif tag == "input":
            self._input(self._form, attributes)
        elif tag == "select":
            self._select = attributes.get("name", "")
        elif tag == "option" and self._select:
            if "selected" in attributes or self._select not in self._form.fields:
                self._form.fields[self._select] = attributes.get("value", "")
        elif tag == "textarea":
            self._area = attributes.get("name", "")
            self._form.fields[self._area] = ""
        elif tag == "button":
            self._in_button = True

    def _input(self, form: Form, attributes: dict[str, str]) -> None:
        kind = attributes.get("type", "text")
        name = attributes.get("name", "")
        is_off = kind in ("checkbox", "radio") and "checked" not in attributes
        if name and kind not in ("submit", "button") and not is_off:
            form.fields[name] = attributes.get("value", "on" if kind == "checkbox" else "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""
        elif tag == "button":
            self._in_button = False

    def handle_data(self, data: str) -> None:
        if self._form is None:
            return
        if self._area:
            self._form.fields[self._area] += (
                data.lstrip("\r\n") if not self._form.fields[self._area] else data
            )
        elif self._in_button:
            self._form.label += data
