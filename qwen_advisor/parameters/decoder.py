"""The language model: embedding, decoder layers, head, and the MTP block that drafts tokens."""

from __future__ import annotations

from qwen_advisor.errors import CatalogError
from qwen_advisor.model import Architecture, TextDecoder
from qwen_advisor.parameters import feed_forward, mixers
from qwen_advisor.parameters.naming import Naming
from qwen_advisor.parameters.residual import hyper_connection, mixer, ngram_mixer, ngram_table
from qwen_advisor.parameters.tensors import Tensor, linear, norm, placed


def language_model(architecture: Architecture, text: TextDecoder, naming: Naming) -> list[Tensor]:
    """Every weight of the decoder itself, and the n-gram table as a part of its own.

    Raises:
        CatalogError: there is an n-gram embedding, but no residual streams for it to enter.
    """
    hidden, prefix = text.hidden_size, naming.decoder + naming.layers
    first_generation = architecture.model_type == "qwen"
    softmax = mixers.first_generation_attention(text) if first_generation else mixers.attention(text)
    kinds = text.layer_types
    recurrent_layers = kinds.count("linear_attention")
    experts = sum(text.is_moe_layer(index) for index in range(text.num_hidden_layers))
    tensors = [
        Tensor(name=naming.embedding, shape=(text.vocab_size, hidden), group="token_embedding"),
        *placed(softmax, prefix, "language_model", layers=len(kinds) - recurrent_layers),
    ]
    if text.linear_attention:
        recurrent = mixers.linear_attention(text.linear_attention, hidden)
        tensors += placed(recurrent, prefix, "language_model", layers=recurrent_layers)
    feed = feed_forward.first_generation(text) if first_generation else feed_forward.dense(text)
    tensors += placed(feed, prefix, "language_model", layers=text.num_hidden_layers - experts)
    if text.moe:
        mixture = feed_forward.mixture(text.moe, hidden, naming.experts)
        tensors += placed(mixture, prefix, "language_model", layers=experts)
    tensors += placed(_around_layer(text, naming), prefix, "language_model", layers=text.num_hidden_layers)
    tensors += placed(_end(text, naming), naming.decoder, "language_model")
    if ngram := text.ngram_embedding:
        if text.hyper_connections is None:
            raise CatalogError(f"{architecture.id}: an n-gram embedding needs hyper_connections to be mixed into")
        at = len(ngram.ple_layer_ids)
        tensors += placed(ngram_mixer(ngram, text.hyper_connections, hidden), prefix, "language_model", layers=at)
        tensors += placed(ngram_table(ngram), prefix, "ngram_embedding", layers=at)
    if text.lm_head and not text.tie_word_embeddings:
        tensors.append(Tensor(name=naming.head, shape=(text.vocab_size, hidden), group="head"))
    return tensors


def mtp(text: TextDecoder, naming: Naming) -> list[Tensor]:
    """The MTP block: a full-attention layer behind a projection of token and hidden state; embedding and head shared.

    Source: tensor lists of Qwen3-Next, Qwen3.5 (vLLM ``qwen3_next_mtp``) and Qwen3.8-Flash-Next.
    """
    layers, hidden = text.mtp_num_hidden_layers, text.hidden_size
    if layers == 0:
        return []
    feed = feed_forward.mixture(text.moe, hidden, naming.experts) if text.moe else feed_forward.dense(text)
    layer = [*mixers.attention(text), *feed, *_around_layer(text, naming)]
    if text.hyper_connections:
        streams = text.hyper_connections.hc_count * hidden
        entry = [
            *linear("fc_embedding", hidden, hidden, "mtp_projection"),
            *linear("fc_hidden", hidden, hidden, "mtp_projection"),
            *norm("pre_fc_norm_embedding", hidden),
            *norm("pre_fc_norm_hidden", streams),
        ]
    else:
        entry = [
            *linear("fc", hidden, 2 * hidden, "mtp_projection"),
            *norm("pre_fc_norm_embedding", hidden),
            *norm("pre_fc_norm_hidden", hidden),
        ]
    return [
        *placed(entry, "mtp.", "mtp"),
        *placed(layer, "mtp.layers.{layer}.", "mtp", layers=layers),
        *placed(_end(text, naming), "mtp.", "mtp"),
    ]


def _around_layer(text: TextDecoder, naming: Naming) -> list[Tensor]:
    """What stands before attention and feed-forward part: a norm each, or a gated residual each."""
    if text.hyper_connections:
        return [
            *hyper_connection("attn_hyper_connection", text.hyper_connections, text.hidden_size),
            *hyper_connection("mlp_hyper_connection", text.hyper_connections, text.hidden_size),
        ]
    before, between = naming.layer_norms
    return norm(before, text.hidden_size) + norm(between, text.hidden_size)


def _end(text: TextDecoder, naming: Naming) -> list[Tensor]:
    if text.hyper_connections:
        return mixer("hyper_connection_mixer", text.hyper_connections, text.hidden_size)
    return norm(naming.final_norm, text.hidden_size)
