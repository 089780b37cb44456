"""A request as something to run: curl, or Python with OpenAI's client."""

from __future__ import annotations

import json
import shlex

from qwen_advisor.prompting.wish import Prompt

_CHAT = "/v1/chat/completions"


def curl(prompt: Prompt) -> str:
    """The request as one command, quoted for a POSIX shell."""
    body = json.dumps(prompt.body, ensure_ascii=False, indent=2)
    return (
        f"curl -s {shlex.quote(prompt.url + prompt.path)} \\\n  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(body)}\n"
    )


def python(prompt: Prompt) -> str:
    """The request on OpenAI's client; on the standard library where the path is none of that protocol."""
    if prompt.path != _CHAT:
        return (
            "import json\nimport urllib.request\n\n"
            f"body = {_literal(prompt.body)}\n"
            f"request = urllib.request.Request(\n    {_literal(prompt.url + prompt.path)},\n"
            '    json.dumps(body).encode(),\n    {"Content-Type": "application/json"},\n)\n'
            "print(urllib.request.urlopen(request).read().decode())\n"
        )
    known = {name: value for name, value in prompt.body.items() if name not in prompt.extra}
    extra = {name: prompt.body[name] for name in prompt.extra}
    lines = [f"    {name}={_literal(value, 4)}," for name, value in known.items()]
    if extra:
        lines.append(f"    extra_body={_literal(extra, 4)},")
    return (
        "from openai import OpenAI\n\n"
        f'client = OpenAI(base_url={_literal(prompt.url + "/v1")}, api_key="none")\n'
        "answer = client.chat.completions.create(\n" + "\n".join(lines) + "\n)\n"
        "print(answer.choices[0].message.content)\n"
    )


def _literal(value: object, indent: int = 0) -> str:
    """A value as Python has it."""
    pad = " " * indent
    if isinstance(value, dict) and value:
        inner = "".join(f"{pad}    {_literal(key)}: {_literal(item, indent + 4)},\n" for key, item in value.items())
        return "{\n" + inner + pad + "}"
    if isinstance(value, list) and value:
        inner = "".join(f"{pad}    {_literal(item, indent + 4)},\n" for item in value)
        return "[\n" + inner + pad + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
