"""The window pane: values of the house as text. One module per answer, one per kind of text."""
