"""What a workspace of Azure ML keeps under a name and a version, and where their content lies."""

from core.emulator.assets.tables import open_data
from core.emulator.assets.uris import Location, folder_of, located

__all__ = ["Location", "folder_of", "located", "open_data"]
