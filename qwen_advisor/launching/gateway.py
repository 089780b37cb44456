"""What stands before a server that others use: LiteLLM with a key, a rate and a budget for each user, Caddy with TLS.

Both are configured, not written: https://docs.litellm.ai/docs/proxy/virtual_keys, https://caddyserver.com/docs.
"""

from __future__ import annotations

from typing import Any

from qwen_advisor.launching.compose import comments, compose
from qwen_advisor.launching.recipe import LaunchFile, Recipe
from qwen_advisor.launching.wish import LOOPBACK

LITELLM_IMAGE = "ghcr.io/berriai/litellm-database:main-stable"
POSTGRES_IMAGE = "postgres:17-alpine"
CADDY_IMAGE = "caddy:2-alpine"
LITELLM_PORT = 4000
_BODY = "10MB"  # a request with several images; a text of 262,144 tokens is about 1 MB
_REQUESTS_PER_MINUTE = 60
_TOKENS_PER_MINUTE = 200_000
_BUDGET = 10.0  # in the currency that prices are counted in; without prices nothing is spent
_REQUEST_SECONDS = 600
_MASTER, _SALT, _DATABASE = "LITELLM_MASTER_KEY", "LITELLM_SALT_KEY", "DATABASE_URL"
_PASSWORD, _SITE = "POSTGRES_PASSWORD", "SITE_ADDRESS"


def composed(recipe: Recipe) -> tuple[LaunchFile, ...]:
    """One Compose file with the server, LiteLLM, its database and Caddy; only Caddy has ports."""
    document = compose(recipe, behind_gateway=True)
    needed = {name: _required(name) for name in (*recipe.secrets, _MASTER, _SALT)}
    document["services"] |= {
        "gateway": {
            "image": LITELLM_IMAGE,
            "command": ["--config", "/etc/litellm.yaml", "--port", str(LITELLM_PORT)],
            "environment": {
                **needed,
                _DATABASE: f"postgresql://litellm:{_required(_PASSWORD)}@database:5432/litellm",
            },
            "volumes": [{"type": "bind", "source": "./litellm.yaml", "target": "/etc/litellm.yaml", "read_only": True}],
            "depends_on": {"model": {"condition": "service_healthy"}, "database": {"condition": "service_healthy"}},
            "restart": "unless-stopped",
        },
        "database": {
            "image": POSTGRES_IMAGE,
            "environment": {"POSTGRES_USER": "litellm", "POSTGRES_DB": "litellm", _PASSWORD: _required(_PASSWORD)},
            "volumes": [{"type": "volume", "source": "keys", "target": "/var/lib/postgresql/data"}],
            "healthcheck": {"test": ["CMD", "pg_isready", "-U", "litellm"], "interval": "5s", "retries": 10},
            "restart": "unless-stopped",
        },
        "proxy": {
            "image": CADDY_IMAGE,
            "ports": ["80:80", "443:443"],
            "environment": {_SITE: _required(_SITE)},
            "volumes": [
                {"type": "bind", "source": "./Caddyfile", "target": "/etc/caddy/Caddyfile", "read_only": True},
                {"type": "volume", "source": "certificates", "target": "/data"},
            ],
            "depends_on": ["gateway"],
            "restart": "unless-stopped",
        },
    }
    document["volumes"] |= {"keys": {}, "certificates": {}}
    names = (_SITE, _MASTER, _SALT, _PASSWORD, *recipe.secrets)
    return (
        LaunchFile(name="compose.yaml", documents=(document,), comments=comments(recipe)),
        litellm(recipe, f"http://model:{recipe.port}"),
        caddyfile(f"gateway:{LITELLM_PORT}"),
        _example(names),
    )


def beside(recipe: Recipe) -> tuple[LaunchFile, ...]:
    """LiteLLM's and Caddy's files for a server that runs on the host."""
    return (
        litellm(recipe, f"http://{LOOPBACK}:{recipe.port}"),
        caddyfile(f"{LOOPBACK}:{LITELLM_PORT}"),
        _example((_SITE, _MASTER, _SALT, _DATABASE, *recipe.secrets)),
    )


def litellm(recipe: Recipe, address: str) -> LaunchFile:
    """LiteLLM's configuration: keys are made by its API, each with these limits unless others are given."""
    parameters: dict[str, Any] = {
        "model": f"hosted_vllm/{recipe.model}" if recipe.spec.id in ("vllm", "sglang") else f"openai/{recipe.model}",
        "api_base": f"{address}/v1",
        "api_key": f"os.environ/{recipe.secrets[0]}" if recipe.secrets else "none",
        "timeout": _REQUEST_SECONDS,
        "max_parallel_requests": recipe.plan.settings.parallel * 4,
    }
    beside_protocol = {name: value for name, value in recipe.sampling.items() if name not in ("temperature", "top_p")}
    parameters |= {name: recipe.sampling[name] for name in ("temperature", "top_p") if name in recipe.sampling}
    if beside_protocol or recipe.template:
        extra: dict[str, Any] = dict(beside_protocol)
        if recipe.template:
            extra["chat_template_kwargs"] = dict(recipe.template)
        parameters["extra_body"] = extra
    limits = {
        "rpm_limit": _REQUESTS_PER_MINUTE,
        "tpm_limit": _TOKENS_PER_MINUTE,
        "max_parallel_requests": max(1, recipe.plan.settings.parallel // 2),
        "max_budget": _BUDGET,
        "budget_duration": "30d",
        "duration": "90d",
    }
    document = {
        "model_list": [{"model_name": recipe.plan.checkpoint.id, "litellm_params": parameters}],
        "litellm_settings": {
            "default_key_generate_params": limits,
            "upperbound_key_generate_params": {**limits, "duration": "365d"},
            "request_timeout": _REQUEST_SECONDS,
            "turn_off_message_logging": True,
            "redact_user_api_key_info": True,
            "drop_params": False,
        },
        "general_settings": {
            "master_key": f"os.environ/{_MASTER}",
            "database_url": f"os.environ/{_DATABASE}",
            "store_prompts_in_spend_logs": False,
            "disable_error_logs": False,
        },
    }
    make = (
        "a key for one user: curl http://ADDRESS/key/generate"
        f' -H "Authorization: Bearer ${_MASTER}" -H "Content-Type: application/json"'
        """ -d '{"key_alias": "NAME", "rpm_limit": 20}'"""
    )
    return LaunchFile(name="litellm.yaml", documents=(document,), comments=(make,))


def caddyfile(upstream: str) -> LaunchFile:
    """Caddy's configuration: a certificate of its own making or Let's Encrypt's, a limit of bodies, a sparse log."""
    text = f"""{{$SITE_ADDRESS}} {{
	request_body {{
		max_size {_BODY}
	}}
	@api path /v1/* /health/liveliness
	handle @api {{
		reverse_proxy {upstream} {{
			flush_interval -1
			transport http {{
				response_header_timeout {_REQUEST_SECONDS}s
			}}
		}}
	}}
	# Keys are made on the machine itself, not from outside.
	handle {{
		respond 404
	}}
	header {{
		Strict-Transport-Security "max-age=31536000"
		-Server
	}}
	log {{
		output stdout
		format filter {{
			wrap json
			fields {{
				request>headers delete
				request>uri regexp \\?.* ""
				request>remote_ip ip_mask {{
					ipv4 24
					ipv6 56
				}}
				request>client_ip ip_mask {{
					ipv4 24
					ipv6 56
				}}
			}}
		}}
	}}
}}
"""
    return LaunchFile(name="Caddyfile", text=text)


def _example(names: tuple[str, ...]) -> LaunchFile:
    """Which variables are needed; their values stand in ``.env``, which is in no repository."""
    lines = ["# cp env.example .env && chmod 600 .env, then fill it: openssl rand -hex 32 makes a secret"]
    said = {_SITE: f"{_SITE}=localhost", _MASTER: f"{_MASTER}="}
    lines += [said.get(name, f"{name}=") for name in names]
    return LaunchFile(name="env.example", text="\n".join(lines) + "\n")


def _required(name: str) -> str:
    return f"${{{name}:?put it into the file .env}}"
