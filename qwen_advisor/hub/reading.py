"""Reading a repository on the Hub without its weights: small files whole, weight files by their headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from qwen_advisor.errors import NetworkError
from qwen_advisor.hub import huggingface
from qwen_advisor.hub.headers import FILE_TYPES, Read, TensorHead, gguf, safetensors
from qwen_advisor.hub.http import TIMEOUT, opened
from qwen_advisor.hub.remote import Remote, RemoteFile
from qwen_advisor.hub.selection import kind_of, whole_repository

MOST_CONFIG = 1 << 20  # bytes of a small file; configs have some thousand, chat templates some ten thousand
_MOST_SHARDS = 400


class Reader:
    """Reads files of one repository at one revision."""

    def __init__(self, remote: Remote) -> None:
        """Take the repository."""
        self.remote = remote
        self._files = {file.path: file for file in remote.files}
        self._headers = huggingface.headers()

    def document(self, path: str) -> dict[str, Any] | None:
        """A JSON object; None where the repository has no such file.

        Raises:
            NetworkError: it is no JSON object, or too long for one.
        """
        text = self.text(path)
        if text is None:
            return None
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise NetworkError(f"{self.remote.repo}: {path} is no JSON object")
        return value

    def text(self, path: str) -> str | None:
        """A small text; None where the repository has no such file.

        Raises:
            NetworkError: it is too long for one.
        """
        file = self._files.get(path)
        if file is None:
            return None
        if file.size > MOST_CONFIG:
            raise NetworkError(f"{self.remote.repo}: {path} has {file.size:,} bytes, which no such file has")
        return self.ranges(file)(0, MOST_CONFIG).decode("utf-8", "replace")

    def ranges(self, file: RemoteFile) -> Read:
        """What reads pieces of a file: never more than was asked for, whatever the host sends."""
        url = huggingface.file_url(self.remote, file)

        def read(start: int, end: int) -> bytes:
            end = min(end, file.size)
            if start >= end:
                return b""
            with opened(url, self._headers, start=start, end=end, timeout=TIMEOUT) as answer:
                skipped = start - answer.begins_at
                if skipped < 0 or (skipped and len(answer.body.read(min(skipped, MOST_CONFIG))) < skipped):
                    raise NetworkError(f"{self.remote.repo}: {file.path} cannot be read in parts")
                return answer.body.read(end - start)

        return read

    def tensors(self) -> tuple[TensorHead, ...]:
        """The tensors of all safetensors files; none where the weights are of another kind.

        Raises:
            NetworkError: a header is none.
        """
        if not any(kind_of(file.path) == "safetensors" for file in self.remote.files):
            return ()
        files = [f for f in whole_repository(self.remote, "safetensors") if f.path.endswith(".safetensors")]
        if len(files) > _MOST_SHARDS:
            raise NetworkError(f"{self.remote.repo} has its weights in {len(files)} files, which no model has")
        found = [each for file in files for each in safetensors(self.ranges(file), f"{self.remote.repo}/{file.path}")]
        return tuple(found)

    def gguf_type(self, file: RemoteFile) -> str | None:
        """The quantization that a GGUF file says it has, under the catalogue's name.

        Raises:
            NetworkError: it is no GGUF file.
        """
        said = gguf(self.ranges(file), f"{self.remote.repo}/{file.path}").get("general.file_type")
        return FILE_TYPES.get(said) if isinstance(said, int) else None

    def template(self) -> str:
        """The chat template, empty where there is none."""
        text = self.text("chat_template.jinja")
        if text is not None:
            return text
        document: Mapping[str, Any] = self.document("tokenizer_config.json") or {}
        said = document.get("chat_template")
        return said if isinstance(said, str) else json.dumps(said) if isinstance(said, list) else ""
