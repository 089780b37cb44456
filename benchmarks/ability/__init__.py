"""Abilities of checkpoints from published scores, and what quantization takes from them."""
