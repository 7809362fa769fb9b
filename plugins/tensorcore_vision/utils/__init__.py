"""Grids of images, and drawing on them."""

from tensorcore_vision.utils.drawing import draw_bounding_boxes, draw_keypoints, draw_segmentation_masks
from tensorcore_vision.utils.grids import make_grid, save_image

__all__ = ["draw_bounding_boxes", "draw_keypoints", "draw_segmentation_masks", "make_grid", "save_image"]
