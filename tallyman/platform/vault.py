"""Secrets: an encrypted file in TALLYMAN_HOME. The key comes from TALLYMAN_VAULT_KEY or a key file only we can read.

Without the right key it fails closed: no secret, no login, no posting.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from tallyman.errors import ConfigurationError, SecretMissing


class Vault:
    """`file` holds the encrypted secrets; the key file lies beside it, mode 0600, unless the environment has one."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._key_file = file.with_suffix(".key")

    def get(self, name: str) -> str:
        """Raises SecretMissing or ConfigurationError (wrong key)."""
        secrets = self._load()
        if name not in secrets:
            raise SecretMissing(f"The vault holds no secret {name!r}.", advice=f"Run `tallyman secret set {name}`.")
        return secrets[name]

    def document_password(self, sha256: str) -> str | None:
        """What a person gave to open a protected document; None where nobody did."""
        return self._load().get(_of_document(sha256))

    def set_document_password(self, sha256: str, value: str) -> None:
        self.set(_of_document(sha256), value)

    def set(self, name: str, value: str) -> None:
        with self._alone():
            secrets = self._load() | {name: value}
            sealed = self._fernet().encrypt(json.dumps(secrets).encode())
            temporary = self._file.with_suffix(".new")
            temporary.touch(mode=0o600)
            temporary.write_bytes(sealed)
            temporary.replace(self._file)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two processes that store at the same time must not lose each other's secret."""
        lock = os.open(self._file.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def names(self) -> list[str]:
        return sorted(self._load())

    def _load(self) -> dict[str, str]:
        if not self._file.exists():
            return {}
        try:
            secrets: dict[str, str] = json.loads(self._fernet().decrypt(self._file.read_bytes()))
        except InvalidToken as error:
            raise ConfigurationError("The vault can't be opened with this key.") from error
        return secrets

    def _fernet(self) -> Fernet:
        key = os.environ.get("TALLYMAN_VAULT_KEY", "").encode()
        if not key:
            if not self._key_file.exists():
                self._key_file.touch(mode=0o600)
                self._key_file.write_bytes(Fernet.generate_key())
            key = self._key_file.read_bytes()
        try:
            return Fernet(key)
        except ValueError as error:
            raise ConfigurationError("TALLYMAN_VAULT_KEY is no key.") from error


def _of_document(sha256: str) -> str:
    """The name of a document's password: by its content, so it opens the same file wherever it comes from."""
    return f"document.{sha256}"
