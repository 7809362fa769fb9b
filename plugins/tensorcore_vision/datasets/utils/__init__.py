"""Downloads and archives of data sets, under torchvision's path."""

from tensorcore_vision.datasets.archives import (
    calculate_md5,
    check_integrity,
    download_and_extract_archive,
    download_url,
    extract_archive,
    list_dir,
    list_files,
    verify_str_arg,
)

__all__ = [
    "calculate_md5",
    "check_integrity",
    "download_and_extract_archive",
    "download_url",
    "extract_archive",
    "list_dir",
    "list_files",
    "verify_str_arg",
]
