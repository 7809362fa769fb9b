"""The command ``tensorcore``: train, predict, and show what is installed. Needs the extra ``[cli]``."""
