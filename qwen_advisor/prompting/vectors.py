"""Requests that are no conversation: embeddings and ranking, in the formats that their cards give."""

from __future__ import annotations

from typing import Any

from qwen_advisor.model import Checkpoint
from qwen_advisor.prompting.wish import Wish
from qwen_advisor.values import dataclass

_SEARCH = "Given a web search query, retrieve relevant passages that answer the query"
_REPRESENT = "Represent the user's input."
_JUDGE = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct provided."
    ' Note that the answer can only be "yes" or "no".'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """Path and body of such a request, with what has to be known of it."""

    path: str
    body: dict[str, Any]
    notes: tuple[str, ...]


def embedding(checkpoint: Checkpoint, wish: Wish, served_as: str) -> Vectors:
    """The request for the embedding of a query, or of documents, which take no instruction."""
    if checkpoint.family == "Qwen3-VL-Embedding" or wish.images:
        parts: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": url}} for url in wish.images]
        if wish.text or not parts:
            parts.append({"type": "text", "text": wish.text or "{your query}"})
        system = {"role": "system", "content": [{"type": "text", "text": wish.instruction or _REPRESENT}]}
        messages = [system, {"role": "user", "content": parts}]
        note = "one instruction for queries and documents alike, in the system message"
        return Vectors(path="/v1/embeddings", body={"model": served_as, "messages": messages}, notes=(note,))
    if wish.documents:
        note = "documents are embedded as they are; the instruction stands before queries only"
        return Vectors(path="/v1/embeddings", body={"model": served_as, "input": list(wish.documents)}, notes=(note,))
    query = wish.text or "{your query}"
    if checkpoint.family in ("Qwen3-Embedding", "gte-Qwen"):
        gap = "" if checkpoint.family == "Qwen3-Embedding" else " "
        query = f"Instruct: {wish.instruction or _SEARCH}\nQuery:{gap}{query}"
        note = "write the instruction in English; the card counts 1 to 5 % lost without one"
        if checkpoint.family == "gte-Qwen":
            note = "documents are embedded without an instruction"
        return Vectors(path="/v1/embeddings", body={"model": served_as, "input": [query]}, notes=(note,))
    note = "no source gives a form for queries of this model: the text is sent as it is"
    return Vectors(path="/v1/embeddings", body={"model": served_as, "input": [query]}, notes=(note,))


def ranking(wish: Wish, served_as: str) -> Vectors:
    """The request that scores documents for a query.

    The prompt is part of the texts, as the card and vLLM's example of Qwen3-Reranker write it; the score is the
    probability of "yes".
    """
    query = wish.text or "{your query}"
    documents = wish.documents or ("{the first passage}", "{the second passage}")
    asked = (
        f"<|im_start|>system\n{_JUDGE}<|im_end|>\n<|im_start|>user\n"
        f"<Instruct>: {wish.instruction or _SEARCH}\n\n<Query>: {query}\n"
    )
    ending = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    body = {
        "model": served_as,
        "text_1": asked,
        "text_2": [f"<Document>: {document}{ending}" for document in documents],
    }
    note = (
        'vLLM serves it as a classifier of "no" and "yes": --hf-overrides \'{"architectures":'
        ' ["Qwen3ForSequenceClassification"], "classifier_from_token": ["no", "yes"],'
        ' "is_original_qwen3_reranker": true}\''
    )
    return Vectors(path="/v1/score", body=body, notes=(note,))
