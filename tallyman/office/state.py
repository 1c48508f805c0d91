"""What every page needs: the desk, the engine's client, the templates, and the user's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from tallyman.domain.document import Document
from tallyman.domain.stack import written
from tallyman.errors import ConfigurationError
from tallyman.office import look, titles
from tallyman.office.language import Language, chosen
from tallyman.office.security import remembered_name
from tallyman.platform.clock import now
from tallyman.runtime.desk import Desk
from tallyman.runtime.engine import EngineClient

_TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True, kw_only=True)
class Office:
    """One office process."""

    desk: Desk
    client: EngineClient
    token: str
    templates: Environment

    @classmethod
    def over(cls, desk: Desk, token: str) -> "Office":
        templates = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        templates.globals["title_of"] = titles.title_of
        templates.globals["icon_of"] = titles.icon_of
        templates.globals["written"] = written
        templates.globals["m"] = templates.get_template("macros.html").module
        return cls(desk=desk, client=desk.client(), token=token, templates=templates)

    def language(self, request: Request) -> Language:
        return chosen(request.headers.get("accept-language", ""), self.desk.settings.office.zone)

    def page(self, request: Request, template: str, values: Mapping[str, Any], *, status: int = 200) -> HTMLResponse:
        """A page in the user's language."""
        language = self.language(request)
        with self.desk.database.transaction() as connection:
            waiting = look.waiting(connection)
        common = {
            "say": language,
            "t": language.t,
            "now": now(),
            "waiting": waiting,
            "token": self.token,
            "name": remembered_name(request),
            "path": request.url.path,
        }
        html = self.templates.get_template(template).render({**common, **values})
        return HTMLResponse(html, status, {"Content-Language": language.code, "Vary": "Accept-Language"})

    def erp_of(self, bot: str) -> str:
        """What people call the target of a bot; its name where the settings are broken."""
        try:
            return self.system_title(self.desk.bot(bot).erp)
        except ConfigurationError:
            return bot

    def system_title(self, system: str) -> str:
        found = self.desk.registry.systems.get(system)
        return found.capabilities.title if found else system

    def bot_title(self, bot: str) -> str:
        try:
            return self.desk.bot(bot).title or bot
        except ConfigurationError:
            return bot


def office_of(request: Request) -> Office:
    """The office that answers this request; a dependency of all routes."""
    found: Office = request.app.state.office
    return found


def document_of(data: Any) -> Document | None:
    """The document of a case's row, if it was read."""
    return Document.from_json(data) if data else None
