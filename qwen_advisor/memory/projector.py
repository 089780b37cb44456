"""Vision and audio towers: their weights where they lie in a file of their own, and the room to run them."""

from __future__ import annotations

from qwen_advisor.footprint import Footprint
from qwen_advisor.model import Architecture, AudioEncoder, VisionTower
from qwen_advisor.plan import MemoryPart, Pool, Settings

# An image of about a megapixel: 1,024 tokens of 2 x 2 patches, which is where makers' own examples put the upper end.
_PATCHES = 4096
# Whisper reads windows of 30 seconds: 3,000 frames, halved by the first convolution.
_FRAMES = 1500


def image_tokens(vision: VisionTower, width: int, height: int) -> int:
    """Tokens that an image of this many pixels becomes in the prompt.

    Sides are rounded to whole merged patches; the first generation resizes to a fixed number of queries.
    """
    if vision.n_queries:
        return vision.n_queries
    side = vision.patch_size * vision.spatial_merge_size
    return max(1, round(width / side)) * max(1, round(height / side))


def audio_tokens(audio: AudioEncoder, seconds: float) -> int:
    """Tokens that a recording becomes in the prompt: 25 a second in Qwen2-Audio and 2.5-Omni, 12.5 in Qwen3."""
    rate = audio.tokens_per_second or (12.5 if audio.kind == "qwen3_omni" else 25.0)
    return max(1, round(seconds * rate))


def vision_activations(vision: VisionTower, patches: int, value_bytes: int) -> int:
    """Bytes of activations while a tower reads ``patches``: a block's widened layer beside residual, Q, K and V."""
    return value_bytes * patches * (2 * vision.intermediate_size + 5 * vision.hidden_size)


def audio_activations(audio: AudioEncoder, frames: int, value_bytes: int) -> int:
    """Bytes of activations while an encoder reads ``frames`` positions."""
    return value_bytes * frames * (2 * audio.encoder_ffn_dim + 5 * audio.d_model)


def projector_parts(
    architecture: Architecture, footprint: Footprint, settings: Settings, device: int | None
) -> tuple[MemoryPart, ...]:
    """What loading llama.cpp's projector file adds; nothing where there is none or it is not asked for."""
    if not settings.vision or not footprint.projector_bytes:
        return ()
    size = 0
    if architecture.vision:
        size = vision_activations(architecture.vision, _PATCHES, 4)
    if architecture.audio:
        size = max(size, audio_activations(architecture.audio, _FRAMES, 4))
    pool: Pool = "host" if device is None else "device"
    return (
        MemoryPart(
            name="projector", group="weights", bytes=footprint.projector_bytes, pool=pool, basis="exact", device=device
        ),
        MemoryPart(
            name="projector_compute_buffer",
            group="compute_buffer",
            bytes=size,
            pool=pool,
            basis="assumed",
            device=device,
        ),
    )
