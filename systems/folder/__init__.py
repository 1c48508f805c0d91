"""A directory that documents are put into."""

from systems.folder.system import Folder

SYSTEM = Folder()

__all__ = ["SYSTEM"]
