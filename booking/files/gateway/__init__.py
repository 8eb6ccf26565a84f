"""Where files lie, and what is done to pictures before they do."""

from booking.files.gateway.pictures import Shrunk, shrink
from booking.files.gateway.stores import FolderStore, Store, folder, init_files, store

__all__ = ["FolderStore", "Shrunk", "Store", "folder", "init_files", "shrink", "store"]
