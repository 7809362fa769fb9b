"""The device ``reference``: pure Python, the living specification of every primitive."""
