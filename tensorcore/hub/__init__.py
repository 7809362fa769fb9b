"""Models and files from elsewhere: repositories with a ``hubconf.py``, weights by URL, and downloads that end well."""

from tensorcore.hub.download import download_url_to_file
from tensorcore.hub.entry_points import help, list, load
from tensorcore.hub.folders import get_dir, set_dir
from tensorcore.hub.repositories import UntrustedRepositoryError
from tensorcore.hub.weights import load_state_dict_from_url

__all__ = [
    "UntrustedRepositoryError",
    "download_url_to_file",
    "get_dir",
    "help",
    "list",
    "load",
    "load_state_dict_from_url",
    "set_dir",
]
