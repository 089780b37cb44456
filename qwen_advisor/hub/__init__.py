"""What talks to the places that models are downloaded from: Hugging Face's Hub, ModelScope, Ollama.

Nothing here runs unless a verb was called that says it uses the network (``pull``, ``catalog refresh``), but for
`installed`, which looks at this disk alone. huggingface_hub is imported where it is used.
"""
