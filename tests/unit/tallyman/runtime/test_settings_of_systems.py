"""What an installation may say of a system, beside the system's own settings."""

from pathlib import Path

import pytest

from tallyman.errors import ConfigurationError
from tallyman.platform.config import Home
from tallyman.runtime.desk import Desk


def configured(folder: Path, delay: str) -> Home:
    home = Home(folder)
    (folder / "tallyman.toml").write_text(
        f'[systems.sql_ledger]\nuser = "u"\nmax_visibility_delay_s = {delay}\n', "utf-8"
    )
    return home


def test_an_installation_knows_its_servers_time_outs_better_than_the_connector(home: Path) -> None:
    desk = Desk.open(configured(home, '"20"'))
    try:
        declared = desk.registry.system("sql_ledger").capabilities
        assert desk.capabilities("sql_ledger") == declared.model_copy(update={"max_visibility_delay_s": 20.0})
        assert declared.max_visibility_delay_s != 20.0
        assert desk.settings.of_system("sql_ledger") == {"user": "u"}
    finally:
        desk.close()


@pytest.mark.parametrize("delay", ['"soon"', '"-1"', '"nan"', '""'])
def test_a_delay_that_is_no_number_is_refused(home: Path, delay: str) -> None:
    with pytest.raises(ConfigurationError, match="max_visibility_delay_s"):
        configured(home, delay).settings()


def test_a_bot_waits_for_its_systems_to_be_set_up(home: Path) -> None:
    desk = Desk.open(configured(home, '"20"'))
    try:
        assert desk.not_set_up("deliveries") == ["practice_carrier", "practice_erp"]
    finally:
        desk.close()


def test_the_settings_of_the_reference_page_are_taken(home: Path) -> None:
    page = (Path(__file__).parents[4] / "docs" / "reference" / "settings.md").read_text("utf-8")
    (home / "tallyman.toml").write_text(page.split("```toml")[1].split("```")[0], "utf-8")
    desk = Desk.open(Home(home))
    try:
        assert desk.not_set_up("invoices") == ["folder"]
        assert desk.capabilities("sql_ledger").max_visibility_delay_s == 330
    finally:
        desk.close()
