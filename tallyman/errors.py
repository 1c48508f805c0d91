"""What can go wrong, and who looks at it.

    TallymanError                      exit  1   a defect of ours: please report it
    ├── UsageError                     exit  2   the command or its input is wrong: correct it
    ├── ConfigurationError             exit  3   tallyman.toml, a secret or the machine: mend it
    │   ├── ExtensionBroken                      a folder under bots/, systems/, ocr/ or models/ can't be loaded
    │   ├── SecretMissing                        the vault has no such secret
    │   └── WorkerRunning                        another worker holds this home
    ├── BusinessError                  exit  4   a person decides; never retried
    │   ├── Unreadable                           the file gives no pages
    │   │   ├── PasswordNeeded                   encrypted
    │   │   └── Quarantined                      a file that may do harm
    │   ├── ReadBackDiffers                      the screen shows other values than the payload; nothing was clicked
    │   ├── Rejected                             the target refused the record and said why
    │   ├── PageChanged                          an element was not found, or found at two places
    │   └── LoginFailed                          the target refused user or password; never tried again and again
    └── TechnicalError                 exit  5   retry later; nothing was lost
        ├── SystemDown                           the target can't be reached or answers with an error
        ├── SystemPaused                         it failed too often: left alone for a while, not touched
        ├── SessionLost                          the target threw us out in mid-work
        ├── AccountsInUse                        other workers keep all accounts of the system
        ├── PlaceLost                            a worker was cut off from the database; it ends at once
        ├── BrowserDied                          Chromium or its driver ended, or hung and was killed
        ├── StorageFull                          no space: stopped before anything was armed
        └── NotArmed                             the right to click was lost to another epoch or a cancel

Business or technical is decided where the error is raised, never from its message. The docstring of a class is its
message, its `advice` says what to do, its `reason` is the code under which a person finds it in the review queue.
"""

from collections.abc import Mapping

from tallyman.domain.reasons import Reason


class TallymanError(Exception):
    """Something happened that Tallyman does not know."""

    exit_code = 1
    advice = "Report it with the output of `tallyman doctor`."
    reason: Reason | None = None

    def __init__(self, message: str = "", *, advice: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())
        if advice is not None:
            self.advice = advice


class UsageError(TallymanError):
    """The command can't be carried out as it was given."""

    exit_code = 2
    advice = "See --help."


class ConfigurationError(TallymanError):
    """The configuration is wrong."""

    exit_code = 3
    advice = "Mend tallyman.toml; `tallyman doctor` names what is missing."


class ExtensionBroken(ConfigurationError):
    """An extension can't be loaded."""

    advice = "Mend or remove the folder that is named; nothing else was skipped."


class SecretMissing(ConfigurationError):
    """The vault holds no such secret."""

    advice = "Store it with `tallyman secret set NAME`."


class WorkerRunning(ConfigurationError):
    """Another worker already works in this home."""

    advice = "Stop it first, or hand the work to it: `tallyman run` does so by itself."


class BusinessError(TallymanError):
    """A person has to decide."""

    exit_code = 4
    advice = "Open the review queue."
    reason: Reason | None = Reason.UNREADABLE


class Unreadable(BusinessError):
    """The file can't be read."""

    advice = "Open the file yourself; ask the sender for a new copy."
    reason = Reason.UNREADABLE


class PasswordNeeded(Unreadable):
    """The file is protected with a password."""

    advice = "Type its password in the review item, or ask the sender for an open copy."
    reason = Reason.PASSWORD_NEEDED


class Quarantined(Unreadable):
    """The file was set aside, because reading it would do harm."""

    advice = "Do not open it; ask the sender what it is."
    reason = Reason.QUARANTINED


class ReadBackDiffers(BusinessError):
    """The screen shows other values than those that were keyed; nothing was posted."""

    advice = "Compare the values in the review item; mend the document or the target's master data."
    reason = Reason.READBACK_DIFFERS

    def __init__(self, differences: Mapping[str, tuple[str, str]]) -> None:
        self.differences = dict(differences)
        told = "; ".join(f"{name}: keyed {keyed!r}, shown {shown!r}" for name, (keyed, shown) in differences.items())
        super().__init__(f"The screen shows other values than those that were keyed ({told}); nothing was posted.")


class Rejected(BusinessError):
    """The target system refused the record."""

    advice = "Read the target's message in the review item, mend the cause, then accept the item."
    reason = Reason.RECORD_LOCKED

    def __init__(self, message: str = "", *, reason: Reason = Reason.RECORD_LOCKED) -> None:
        super().__init__(message)
        self.reason = reason


class PageChanged(BusinessError):
    """A screen no longer looks as its element map says."""

    advice = "Compare the screen with its map in selectors/SYSTEM/ and mend the map, then accept the item."
    reason = Reason.PAGE_CHANGED


class LoginFailed(BusinessError):
    """The system refused the user or the password."""

    advice = "Store the right password with `tallyman secret set SYSTEM.password`, then accept the item."
    reason = Reason.LOGIN_FAILED


class TechnicalError(TallymanError):
    """A technical fault; the work is kept and tried again."""

    exit_code = 5
    advice = "Nothing was lost. It is tried again by itself; look at `tallyman doctor` if it lasts."
    reason: Reason | None = Reason.SYSTEM_DOWN


class SystemDown(TechnicalError):
    """The system can't be reached."""


class SystemPaused(TechnicalError):
    """The system failed several times in a row and is left alone for a while; it was not touched."""

    advice = "Nothing was lost. It is tried again by itself; `tallyman doctor` shows since which failure it waits."

    def __init__(self, message: str = "", *, wait_s: float = 30.0) -> None:
        self.wait_s = wait_s
        """When it is worth another try."""
        super().__init__(message)


class SessionLost(TechnicalError):
    """The system ended our session."""


class BrowserDied(TechnicalError):
    """The browser ended or hung, and was stopped."""


class AccountsInUse(TechnicalError):
    """All accounts of the system are in use by other workers."""

    advice = "Start fewer workers, or name more logins under `accounts` of the system in tallyman.toml."

    def __init__(self, system: str) -> None:
        super().__init__(f"All accounts of {system} are in use by other workers.")


class PlaceLost(TechnicalError):
    """The worker lost its connection to the database, so another may take its work over."""

    advice = "It has stopped; start it again, or let systemd do so."


class StorageFull(TechnicalError):
    """There is no space left on the disk; nothing was posted."""

    advice = "Free some space; the work goes on by itself."


class NotArmed(TechnicalError):
    """The right to click was withdrawn before the click; nothing was posted."""
