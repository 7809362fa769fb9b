"""Models and files from elsewhere: repositories with a ``hubconf.py``, weights by URL, and downloads that end well."""

from tensorcore.hub.download import download_url_to_file

__all__ = ["download_url_to_file"]
