"""Image data sets (`tensorcore_vision.datasets`), files (`tensorcore_vision.io`) and `tensorcore_vision.transforms`."""
