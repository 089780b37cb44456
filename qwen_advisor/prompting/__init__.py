"""Well-made requests: the messages, the switches and the sampling values of a task on a model."""
