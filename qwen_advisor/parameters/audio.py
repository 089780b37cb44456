"""Audio encoders: Whisper's, its descendants, and the convolutional front of Qwen3-Omni."""

from __future__ import annotations

from typing import assert_never

from qwen_advisor.model import AudioEncoder
from qwen_advisor.parameters.tensors import Tensor, linear, norm, placed

_WHISPER_POSITIONS = 1500  # 30 seconds of 10 ms frames, halved by the second convolution


def audio_encoder(audio: AudioEncoder, prefix: str) -> list[Tensor]:
    """Every weight of the encoder and of the projector that follows it."""
    width, out = audio.d_model, audio.output_dim
    layers = placed(_layer(audio), _layer_name(audio), "audio", layers=audio.encoder_layers)
    match audio.kind:
        case "whisper":
            positions = (_WHISPER_POSITIONS, width)
            encoder = [
                *_whisper_front(audio),
                Tensor(name="embed_positions.weight", shape=positions, group="position_embedding"),
                *layers,
                *norm("layer_norm", width, bias=True),
            ]
            projector = linear("multi_modal_projector.linear", out, width, "projector", bias=True)
            return [*placed(encoder, prefix, "audio"), *placed(projector, "", "audio")]
        case "qwen_audio" | "qwen2_5_omni":
            encoder = [
                *_whisper_front(audio),
                Tensor(name="audio_bos_eos_token.weight", shape=(2, out), group="projector"),
                *layers,
                *norm("ln_post", width, bias=True),
                *linear("proj", out, width, "projector", bias=True),
            ]
            return placed(encoder, prefix, "audio")
        case "qwen3_omni":
            encoder = [
                *_convolutions(audio),
                *layers,
                *norm("ln_post", width, bias=True),
                *linear("proj1", width, width, "projector", bias=True),
                *linear("proj2", out, width, "projector", bias=True),
            ]
            return placed(encoder, prefix, "audio")
    assert_never(audio.kind)


def _layer_name(audio: AudioEncoder) -> str:
    return "blocks.{layer}." if audio.kind == "qwen_audio" else "layers.{layer}."


def _layer(audio: AudioEncoder) -> list[Tensor]:
    """Whisper's keys have no bias; those of Qwen3-Omni do.

    Source: ``audio.py`` of Qwen-Audio, transformers ``Qwen2AudioEncoderLayer``, ``Qwen2_5OmniAudioEncoderLayer``,
    ``Qwen3OmniMoeAudioEncoderLayer``.
    """
    width, intermediate = audio.d_model, audio.encoder_ffn_dim
    if audio.kind == "qwen_audio":
        query, key, value, out, up, down = "attn.query", "attn.key", "attn.value", "attn.out", "mlp.0", "mlp.2"
        before, between = "attn_ln", "mlp_ln"
    else:
        query, key, value, out = (f"self_attn.{name}" for name in ("q_proj", "k_proj", "v_proj", "out_proj"))
        up, down, before, between = "fc1", "fc2", "self_attn_layer_norm", "final_layer_norm"
    return [
        *linear(query, width, width, "attention", bias=True),
        *linear(key, width, width, "attention", bias=audio.kind == "qwen3_omni"),
        *linear(value, width, width, "attention", bias=True),
        *linear(out, width, width, "attention", bias=True),
        *norm(before, width, bias=True),
        *linear(up, intermediate, width, "feed_forward", bias=True),
        *linear(down, width, intermediate, "feed_forward", bias=True),
        *norm(between, width, bias=True),
    ]


def _whisper_front(audio: AudioEncoder) -> list[Tensor]:
    width = audio.d_model
    return [
        *_convolution("conv1", (width, audio.num_mel_bins, 3)),
        *_convolution("conv2", (width, width, 3)),
    ]


def _convolutions(audio: AudioEncoder) -> list[Tensor]:
    """Three convolutions of stride two over time and mel bins, then one projection of what is left of the bins."""
    channels, bins = audio.downsample_hidden_size, audio.num_mel_bins
    for _ in range(3):
        bins = (bins + 1) // 2
    return [
        *_convolution("conv2d1", (channels, 1, 3, 3)),
        *_convolution("conv2d2", (channels, channels, 3, 3)),
        *_convolution("conv2d3", (channels, channels, 3, 3)),
        *linear("conv_out", audio.d_model, channels * bins, "convolution"),
    ]


def _convolution(name: str, shape: tuple[int, ...]) -> list[Tensor]:
    return [
        Tensor(name=f"{name}.weight", shape=shape, group="convolution"),
        Tensor(name=f"{name}.bias", shape=shape[:1], group="convolution"),
    ]
