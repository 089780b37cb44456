"""What a model is: its architecture under the names of ``config.json``, and its checkpoints.

Counts are plain integers. Fields that ``config.json`` has keep its names, so that an entry can be held
against upstream mechanically; fields of our own say so in a comment.
"""

from __future__ import annotations

from typing import Literal

from qwen_advisor.values import dataclass, field

LayerKind = Literal["full_attention", "linear_attention", "sparse_attention"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moe:
    """Mixture of experts in the feed-forward part."""

    num_experts: int
    num_experts_per_tok: int
    moe_intermediate_size: int
    shared_expert_intermediate_size: int = 0
    decoder_sparse_step: int = 1
    mlp_only_layers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearAttention:
    """Gated DeltaNet layers; one layer in ``full_attention_interval`` keeps softmax attention."""

    full_attention_interval: int
    linear_num_key_heads: int
    linear_num_value_heads: int
    linear_key_head_dim: int
    linear_value_head_dim: int
    linear_conv_kernel_dim: int
    attn_output_gate: bool = True
    fused_projections: bool = False  # ours: Qwen3-Next stores in_proj_qkvz/ba, Qwen3.5 stores qkv, z, b, a apart


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseAttention:
    """The indexer of Qwen sparse attention (``qwen4_exp``)."""

    indexer_n_heads: int
    indexer_kv_heads: int
    indexer_head_dim: int
    indexer_budget: int
    indexer_compress_ratio: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HyperConnections:
    """Parallel residual streams (``qwen4_exp``)."""

    hc_count: int
    hc_lowrank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NgramEmbedding:
    """Hashed n-gram embedding table (``qwen4_exp``)."""

    ple_layer_ids: tuple[int, ...]
    ngram_size: int
    heads_per_ngram: int
    ngram_vocab_size_base: int
    split_ngram_parts: int
    rows_per_part: int
    head_dim: int
    ple_embed_dim: int
    ple_conv_kernel_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDecoder:
    """The language model: a stack of decoder layers, embeddings and head."""

    num_hidden_layers: int
    hidden_size: int
    intermediate_size: int  # of one projection; unused, or 0, where every feed-forward part is a mixture of experts
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    vocab_size: int
    tie_word_embeddings: bool
    attention_bias: bool = False
    qk_norm: bool = False
    sliding_window: int | None = None
    moe: Moe | None = None
    linear_attention: LinearAttention | None = None
    sparse_attention: SparseAttention | None = None
    hyper_connections: HyperConnections | None = None
    ngram_embedding: NgramEmbedding | None = None
    mtp_num_hidden_layers: int = 0
    lm_head: bool = True  # ours: False for embedding models, which ship no head

    @property
    def layer_types(self) -> tuple[LayerKind, ...]:
        """The kind of each decoder layer, first to last; MTP layers are not in it."""
        softmax: LayerKind = "sparse_attention" if self.sparse_attention else "full_attention"
        if self.linear_attention is None:
            return (softmax,) * self.num_hidden_layers
        interval = self.linear_attention.full_attention_interval
        return tuple(softmax if (i + 1) % interval == 0 else "linear_attention" for i in range(self.num_hidden_layers))

    def is_moe_layer(self, index: int) -> bool:
        """Whether layer ``index`` has experts, by transformers' rule for ``decoder_sparse_step``."""
        moe = self.moe
        if moe is None or index in moe.mlp_only_layers:
            return False
        return (index + 1) % moe.decoder_sparse_step == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionTower:
    """The image and video encoder."""

    kind: Literal["qwen_vl", "qwen2_vl", "qwen2_5_vl", "qwen3_vl"]  # ours: which of the four designs
    depth: int
    hidden_size: int
    intermediate_size: int
    num_heads: int
    patch_size: int
    out_hidden_size: int
    spatial_merge_size: int = 2
    temporal_patch_size: int = 2
    in_channels: int = 3
    num_position_embeddings: int = 0
    deepstack_visual_indexes: tuple[int, ...] = ()
    window_size: int | None = None
    fullatt_block_indexes: tuple[int, ...] = ()
    image_size: int | None = None
    n_queries: int | None = None
    min_pixels: int | None = None  # of preprocessor_config.json: images are scaled into this range
    max_pixels: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioEncoder:
    """A Whisper-like audio encoder."""

    # ours: Whisper with stored positions (Qwen2-Audio), the two without them, or convolutions over mel frames
    kind: Literal["whisper", "qwen_audio", "qwen2_5_omni", "qwen3_omni"]
    num_mel_bins: int
    d_model: int
    encoder_layers: int
    encoder_attention_heads: int
    encoder_ffn_dim: int
    output_dim: int = 0
    downsample_hidden_size: int = 0
    tokens_per_second: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightShape:
    """A tensor of a component, by its name in the repository, where both are known."""

    name: str
    shape: tuple[int, ...]
    count: int = 1  # how many tensors share name pattern and shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A part that is counted by its published size alone: ours, for what no ``config.json`` field describes.

    Where ``weights`` are given their products sum to ``parameters``.
    """

    name: str  # "talker", "transformer", "text_encoder", "vae", "planner", "score_head", ...
    parameters: int
    weights: tuple[WeightShape, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """What ``config.json`` says, shared by all checkpoints of that shape."""

    id: str
    model_type: str
    text: TextDecoder | None  # None only for models that are no language model (diffusion, codec)
    vision: VisionTower | None = None
    audio: AudioEncoder | None = None
    components: tuple[Component, ...] = ()
    sources: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    note: str = ""


CheckpointKind = Literal[
    "base",
    "instruct",
    "thinking",
    "hybrid",
    "embedding",
    "reranker",
    "guard",
    "reward",
    "speech-to-text",
    "text-to-speech",
    "captioner",
    "aligner",
    "codec",
    "image-generation",
    "image-editing",
    "prompt-rewriter",
    "judge",
    "planner",
]
Thinking = Literal["none", "always", "hybrid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Context lengths in tokens: native needs no rope scaling; extended says by what it is reached."""

    native: int | None
    extended: int | None = None
    extension: str | None = None  # "yarn factor 4", "dual chunk attention", ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RepoFile:
    """The files of one quantization in a repository: all parts of a split file, and their exact size where known."""

    names: tuple[str, ...]
    bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizedRepo:
    """A repository with ready quantized weights of the checkpoint.

    ``official`` repositories belong to the model's own makers; others are named only where a source shows them.
    """

    repo: str
    format: str  # catalogue name of the format, or "GGUF" for a repository of many GGUF quantizations
    official: bool = True
    variant: tuple[
        str, ...
    ] = ()  # how GGUF files differ from a plain llama-quantize run: "imatrix", "stored-head", ...
    files: dict[str, RepoFile] = field(default_factory=dict)  # quantization -> files, where known
    bytes: int | None = None  # whole repository, where known and not GGUF
    projector: dict[str, RepoFile] = field(default_factory=dict)  # "F16" -> the mmproj file
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaTag:
    """A tag of the Ollama library that really is this checkpoint."""

    tag: str
    quantization: str | None = None  # what the tag downloads, where known
    note: str = ""
    verified: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One official open-weight repository."""

    id: str  # the Hugging Face repository, "Qwen/Qwen3-8B"
    architecture: str
    family: str
    line: str  # "general", "coder", "math", "reasoning", "vision", "omni", "embedding", ...
    kind: CheckpointKind
    released: str | None  # ISO date
    license: str | None  # id in licenses.yaml
    modalities_in: tuple[str, ...]
    modalities_out: tuple[str, ...]
    parameters_total: int | None  # unique weights, as published
    parameters_active: int | None = None  # per token, embeddings and head included; None means dense
    parameters_active_nominal: str | None = None  # the vendor's own figure
    context: Context
    thinking: Thinking | None = None
    thinking_default: Literal["on", "off"] | None = None
    tool_calling: bool | None = None
    languages: int | None = None  # how many the vendor names; None where no source says
    specialties: tuple[str, ...] = ()
    special_purpose: str | None = None  # why it is no general assistant
    embedding_dimensions: int | None = None
    superseded_by: str | None = None
    engines: tuple[str, ...] = ()
    engine_versions: dict[str, str] = field(
        default_factory=dict
    )  # engine -> first version, where later than its type's
    other_engines: tuple[str, ...] = ()  # that run it too, but are no engine of the catalogue: "diffusers", ...
    quantized: tuple[QuantizedRepo, ...] = ()
    ollama: tuple[OllamaTag, ...] = ()
    extra_weights: int = 0  # weights that the repository stores twice (a tied head written out)
    sources: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    note: str = ""
