"""Python scripts: one answer from the model, inside the process where the engine is a library, else from its server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qwen_advisor.errors import UsageError
from qwen_advisor.launching import sampling
from qwen_advisor.launching.recipe import LaunchFile, Recipe

_QUESTION = "Give three primes above 100."


def script(recipe: Recipe) -> LaunchFile:
    """The script.

    Raises:
        UsageError: the model gives vectors or scores, of which no script is written.
    """
    if recipe.plan.checkpoint.kind in ("embedding", "reranker", "reward"):
        raise UsageError(
            f"no Python script is written for {recipe.plan.checkpoint.id}, which does not chat",
            hint="use --format command, and ask the server",
        )
    write = _WRITERS.get(recipe.spec.id, _client)
    head = f'"""{recipe.plan.checkpoint.id}, {recipe.plan.format}, by {recipe.spec.title} {recipe.version}."""\n\n'
    return LaunchFile(name=f"{recipe.name.replace('-', '_')}.py", text=head + write(recipe))


def _transformers(recipe: Recipe) -> str:
    plan = recipe.plan
    load: dict[str, str] = {"dtype": "torch.bfloat16", "device_map": repr("cpu" if _on_cpu(recipe) else "auto")}
    imports = "from transformers import AutoModelForCausalLM, AutoTokenizer"
    if "image" in plan.checkpoint.modalities_in:
        imports = "from transformers import AutoModelForImageTextToText, AutoTokenizer"
    quantize = ""
    if plan.format == "NF4":
        quantize = (
            "quantization = BitsAndBytesConfig(\n"
            "    load_in_4bit=True,\n"
            '    bnb_4bit_quant_type="nf4",\n'
            "    bnb_4bit_use_double_quant=True,\n"
            "    bnb_4bit_compute_dtype=torch.bfloat16,\n"
            ")\n"
        )
    elif plan.format == "INT8":
        quantize = "quantization = BitsAndBytesConfig(load_in_8bit=True)\n"
    if quantize:
        load["quantization_config"] = "quantization"
        names = imports.removeprefix("from transformers import ").split(", ")
        imports = f"from transformers import {', '.join(sorted([*names, 'BitsAndBytesConfig']))}"
    rope = ""
    if recipe.rope is not None:
        imports = imports.replace("import ", "import AutoConfig, ", 1)
        rope = _rope(recipe.rope)
        load["config"] = "config"
    options = ", ".join(f"{name}={value}" for name, value in load.items())
    kind = "AutoModelForImageTextToText" if "ImageTextToText" in imports else "AutoModelForCausalLM"
    return (
        f"import torch\n{imports}\n\n"
        f"MODEL = {recipe.model!r}\n"
        f"{rope}{quantize}"
        "tokenizer = AutoTokenizer.from_pretrained(MODEL)\n"
        f"model = {kind}.from_pretrained(MODEL, {options})\n\n"
        f"messages = [{{'role': 'user', 'content': {_QUESTION!r}}}]\n"
        "prompt = tokenizer.apply_chat_template(\n"
        "    messages, tokenize=False, add_generation_prompt=True"
        f"{_keywords(recipe.template, ', ')}\n)\n"
        'inputs = tokenizer(prompt, return_tensors="pt").to(model.device)\n'
        f"output = model.generate(**inputs, max_new_tokens={plan.settings.output_tokens}{_generation(recipe)})\n"
        'print(tokenizer.decode(output[0][inputs["input_ids"].shape[1] :], skip_special_tokens=True))\n'
    )


def _rope(rope: Mapping[str, Any]) -> str:
    within, changed = next(iter(rope.items()))
    if within == "rope_parameters":
        return f"config = AutoConfig.from_pretrained(MODEL)\nconfig.rope_parameters = {changed!r}\n"
    inner = changed["rope_parameters"]
    return f"config = AutoConfig.from_pretrained(MODEL)\nconfig.{within}.rope_parameters = {inner!r}\n"


def _generation(recipe: Recipe) -> str:
    """Sampling as `generate` takes it, which has no presence penalty."""
    values = {name: value for name, value in recipe.sampling.items() if name != "presence_penalty"}
    return _keywords({"do_sample": True, **values} if values else {}, ", ")


def _vllm(recipe: Recipe) -> str:
    argv = recipe.servers[0].argv
    load: dict[str, Any] = {"model": recipe.source, "max_model_len": recipe.plan.settings.context}
    place = recipe.plan.placement
    if place.tensor_parallel > 1:
        load["tensor_parallel_size"] = place.tensor_parallel
    if place.pipeline_parallel > 1:
        load["pipeline_parallel_size"] = place.pipeline_parallel
    for option, name in (("--gpu-memory-utilization", "gpu_memory_utilization"), ("--quantization", "quantization")):
        if option in argv:
            value = argv[argv.index(option) + 1]
            load[name] = float(value) if name == "gpu_memory_utilization" else value
    if "--kv-cache-dtype" in argv:
        load["kv_cache_dtype"] = argv[argv.index("--kv-cache-dtype") + 1]
    if recipe.rope is not None:
        load["hf_overrides"] = dict(recipe.rope)
    values = {**recipe.sampling, "max_tokens": recipe.plan.settings.output_tokens}
    template = f", chat_template_kwargs={dict(recipe.template)!r}" if recipe.template else ""
    return (
        "from vllm import LLM, SamplingParams\n\n"
        'if __name__ == "__main__":\n'
        f"    llm = LLM({_arguments(load)})\n"
        f"    sampling = SamplingParams({_arguments(values)})\n"
        f"    messages = [{{'role': 'user', 'content': {_QUESTION!r}}}]\n"
        f"    print(llm.chat(messages, sampling{template})[0].outputs[0].text)\n"
    )


def _mlx(recipe: Recipe) -> str:
    values = {name: value for name, value in recipe.sampling.items() if name in ("top_p", "top_k", "min_p")}
    if "temperature" in recipe.sampling:
        values = {"temp": recipe.sampling["temperature"], **values}
    kv = {"q8_0": 8, "q4_0": 4}.get(recipe.plan.settings.kv_type)
    cache = f", kv_bits={kv}" if kv else ""
    return (
        "from mlx_lm import generate, load\nfrom mlx_lm.sample_utils import make_sampler\n\n"
        f"model, tokenizer = load({recipe.model!r})\n"
        f"messages = [{{'role': 'user', 'content': {_QUESTION!r}}}]\n"
        "prompt = tokenizer.apply_chat_template(\n"
        f"    messages, add_generation_prompt=True{_keywords(recipe.template, ', ')}\n)\n"
        f"sampler = make_sampler({_arguments(values)})\n"
        f"length = {recipe.plan.settings.output_tokens}\n"
        f"print(generate(model, tokenizer, prompt, max_tokens=length, sampler=sampler{cache}))\n"
    )


def _onnxruntime(recipe: Recipe) -> str:
    search: dict[str, Any] = {"max_length": recipe.plan.settings.context}
    values = {name: value for name, value in recipe.sampling.items() if name not in ("presence_penalty", "min_p")}
    if values:
        search |= {"do_sample": True, **values}
    return (
        "import json\n\nimport onnxruntime_genai as og\n\n"
        f"model = og.Model({recipe.model!r})\n"
        "tokenizer = og.Tokenizer(model)\n"
        f"messages = json.dumps([{{'role': 'user', 'content': {_QUESTION!r}}}])\n"
        "prompt = tokenizer.apply_chat_template(messages=messages, add_generation_prompt=True)\n"
        "params = og.GeneratorParams(model)\n"
        f"params.set_search_options({_arguments(search)})\n"
        "generator = og.Generator(model, params)\n"
        "generator.append_tokens(tokenizer.encode(prompt))\n"
        "stream = tokenizer.create_stream()\n"
        f"for _ in range({recipe.plan.settings.output_tokens}):\n"
        "    if generator.is_done():\n        break\n"
        "    generator.generate_next_token()\n"
        '    print(stream.decode(generator.get_next_tokens()[0]), end="", flush=True)\n'
        "print()\n"
    )


def _openvino(recipe: Recipe) -> str:
    device = "CPU" if _on_cpu(recipe) else "GPU"
    settings = ["config = pipeline.get_generation_config()"]
    settings.append(f"config.max_new_tokens = {recipe.plan.settings.output_tokens}")
    if recipe.sampling:
        settings.append("config.do_sample = True")
    known = ("temperature", "top_p", "top_k", "repetition_penalty", "presence_penalty")
    settings += [f"config.{name} = {value!r}" for name, value in recipe.sampling.items() if name in known]
    chat = "history = openvino_genai.ChatHistory()\n"
    chat += f"history.append({{'role': 'user', 'content': {_QUESTION!r}}})\n"
    if recipe.template:
        chat += f"history.set_extra_context({dict(recipe.template)!r})\n"
    return (
        "import openvino_genai\n\n"
        f"pipeline = openvino_genai.LLMPipeline({recipe.model!r}, {device!r})\n"
        + "\n".join(settings)
        + f"\n{chat}print(pipeline.generate(history, config).texts[0])\n"
    )


def _client(recipe: Recipe) -> str:
    own, beside = sampling.request_fields(recipe.sampling)
    extra: dict[str, Any] = dict(beside)
    if recipe.template:
        extra["chat_template_kwargs"] = dict(recipe.template)
    if "repetition_penalty" in extra and recipe.spec.id in ("llama.cpp", "ollama", "lmstudio"):
        extra["repeat_penalty"] = extra.pop("repetition_penalty")
    key = f'os.environ["{recipe.secrets[0]}"]' if recipe.secrets else '"none"'
    return (
        f"{'import os' + chr(10) * 2 if recipe.secrets else ''}from openai import OpenAI\n\n"
        f"client = OpenAI(base_url={recipe.url!r}, api_key={key})\n"
        "answer = client.chat.completions.create(\n"
        f"    model={recipe.model!r},\n"
        f"    messages=[{{'role': 'user', 'content': {_QUESTION!r}}}],\n"
        f"    max_tokens={recipe.plan.settings.output_tokens},\n"
        + "".join(f"    {name}={value!r},\n" for name, value in own.items())
        + (f"    extra_body={extra!r},\n" if extra else "")
        + ")\nprint(answer.choices[0].message.content)\n"
    )


def _on_cpu(recipe: Recipe) -> bool:
    return recipe.plan.placement.mode == "cpu"


def _arguments(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items())


def _keywords(values: Mapping[str, Any], before: str) -> str:
    return before + _arguments(values) if values else ""


_WRITERS: dict[str, Callable[[Recipe], str]] = {
    "transformers": _transformers,
    "vllm": _vllm,
    "mlx": _mlx,
    "onnxruntime": _onnxruntime,
    "openvino": _openvino,
}
