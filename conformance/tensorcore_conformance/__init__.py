"""The judge of backends: cases from the op records, an independent oracle, reports."""
