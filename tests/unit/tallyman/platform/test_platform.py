"""Settings, vault, blobs, log."""

import errno
import os
from pathlib import Path

import pytest

from tallyman.errors import ConfigurationError, SecretMissing, StorageFull, UsageError
from tallyman.platform.blobs import Blobs
from tallyman.platform.config import Home, bot_settings
from tallyman.platform.log import redact
from tallyman.platform.vault import Vault


def test_a_key_that_is_not_known_is_named(home: Path) -> None:
    (home / "tallyman.toml").write_text("[office]\nprot = 1\n")
    with pytest.raises(ConfigurationError, match=r"office\.prot"):
        Home().settings()


def test_a_file_that_is_no_toml_is_told_and_not_traced(home: Path) -> None:
    (home / "tallyman.toml").write_text("office = [")
    with pytest.raises(ConfigurationError, match=r"tallyman\.toml"):
        Home().settings()


def test_the_settings_of_an_installation_lie_over_those_of_the_bot(home: Path, tmp_path: Path) -> None:
    (home / "tallyman.toml").write_text('[bots.invoices]\nerp = "sql_ledger"\n')
    (tmp_path / "bot.yaml").write_text("erp: practice_erp\nsources: [folder]\n")
    found = bot_settings(Home().settings(), tmp_path, "invoices")
    assert (found.erp, found.sources) == ("sql_ledger", ("folder",))


def test_a_time_zone_that_does_not_exist_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "bot.yaml").write_text("erp: e\nschedule: {cron: '0 2 * * *', time_zone: Europe/Berlim}\n")
    with pytest.raises(ConfigurationError, match="Europe/Berlim"):
        bot_settings(Home().settings(), tmp_path, "invoices")


def test_a_secret_comes_back_and_does_not_stand_in_the_file(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault.json")
    vault.set("erp.password", "häßlich")
    assert Vault(tmp_path / "vault.json").get("erp.password") == "häßlich"
    assert "häßlich".encode() not in (tmp_path / "vault.json").read_bytes()
    assert (tmp_path / "vault.json").stat().st_mode & 0o077 == 0
    assert (tmp_path / "vault.key").stat().st_mode & 0o077 == 0


def test_a_vault_with_the_wrong_key_fails_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Vault(tmp_path / "vault.json").set("a", "b")
    monkeypatch.setenv("TALLYMAN_VAULT_KEY", "A" * 43 + "=")
    with pytest.raises(ConfigurationError, match="this key"):
        Vault(tmp_path / "vault.json").get("a")


def test_a_secret_that_is_not_there_is_named_with_the_command_that_mends_it(tmp_path: Path) -> None:
    with pytest.raises(SecretMissing, match="erp") as caught:
        Vault(tmp_path / "vault.json").get("erp.password")
    assert "tallyman secret set erp.password" in caught.value.advice


def test_a_file_is_stored_once_under_the_hash_of_its_content(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    assert blobs.put(b"one") == blobs.put(b"one")
    assert blobs.get(blobs.put(b"one")) == b"one"
    assert sum(1 for path in tmp_path.rglob("*") if path.is_file()) == 1


@pytest.mark.parametrize("name", ["../../etc/passwd", "A" * 64, "a" * 63, ""])
def test_a_name_that_is_no_hash_reaches_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        Blobs(tmp_path).path(name)


def test_a_full_disk_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull):
        Blobs(tmp_path).put(b"one")


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("GET https://erp.example/login.pl?login=a&password=b", "GET https://erp.example/login.pl?***"),
        ("https://user:pass@erp.example/x", "https://***@erp.example/x"),
        ("paid to DE89 3704 0044 0532 0130 00.", "paid to DE***."),
        ("from eva.müller@example.com", "from ***"),
    ],
)
def test_secrets_and_personal_data_are_taken_out_of_logs(told: str, kept: str) -> None:
    assert redact(told) == kept
