"""Kubernetes objects: a Deployment with a Service and a claim; over several machines a LeaderWorkerSet."""

from __future__ import annotations

import shlex
from typing import Any

from qwen_advisor.launching.container import SHARED_MEMORY_GIB, WEIGHTS, Container, container
from qwen_advisor.launching.recipe import LaunchFile, Recipe
from qwen_advisor.units import GIB

NAME = "kubernetes.yaml"
_RESOURCES = {"nvidia": "nvidia.com/gpu", "amd": "amd.com/gpu", "intel": "gpu.intel.com/xe"}
_START_CHECKS = 240  # of 15 seconds: the first start downloads the weights


def single(recipe: Recipe) -> LaunchFile:
    """A Deployment of one replica, a Service inside the cluster, and a claim for the downloads."""
    name, labels = recipe.name, {"app": recipe.name}
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": f"{name}-downloads", "labels": labels},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": f"{_disk_gib(recipe)}Gi"}},
        },
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": 1,
            # A second pod would need a second set of GPUs, so the old one goes first.
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod(recipe, claim=f"{name}-downloads")},
        },
    }
    return LaunchFile(name=NAME, documents=(claim, deployment, service(recipe)), comments=_comments(recipe))


def service(recipe: Recipe, selector: dict[str, str] | None = None) -> dict[str, Any]:
    """The Service, reachable inside the cluster only."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": recipe.name, "labels": {"app": recipe.name}},
        "spec": {
            "type": "ClusterIP",
            "selector": selector or {"app": recipe.name},
            "ports": [{"name": "http", "port": recipe.port, "targetPort": "http"}],
        },
    }


def pod(recipe: Recipe, *, claim: str | None, index: int = 0, serves: bool = True) -> dict[str, Any]:
    """The specification of a pod that runs one of the servers.

    Args:
        recipe: what is run.
        claim: name of the claim for downloads; a folder that goes with the pod if None.
        index: which of the servers.
        serves: whether it listens for requests; workers of a group do not.
    """
    box = container(recipe, index)
    main: dict[str, Any] = {"name": "model", "image": box.image}
    if box.command:
        main["command"] = [literal(word) for word in box.command]
    if box.arguments:
        main["args"] = [literal(word) for word in box.arguments]
    environment: list[dict[str, Any]] = [{"name": name, "value": literal(value)} for name, value in box.environment]
    environment += secret_variables(recipe)
    if environment:
        main["env"] = environment
    if serves:
        main["ports"] = [{"name": "http", "containerPort": recipe.port}]
        main |= _probes(recipe)
    main["resources"] = _resources(recipe, box)
    main["volumeMounts"] = [{"name": "downloads", "mountPath": box.cache}]
    volumes: list[dict[str, Any]] = [
        {"name": "downloads", "persistentVolumeClaim": {"claimName": claim}}
        if claim
        else {"name": "downloads", "emptyDir": {}}
    ]
    if box.weights:
        main["volumeMounts"].append({"name": "weights", "mountPath": WEIGHTS, "readOnly": True})
        volumes.append({"name": "weights", "hostPath": {"path": box.weights, "type": "Directory"}})
    if box.gpus > 1:
        main["volumeMounts"].append({"name": "shared-memory", "mountPath": "/dev/shm"})  # noqa: S108
        volumes.append(
            {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": f"{SHARED_MEMORY_GIB}Gi"}}
        )
    if recipe.spec.id == "ollama" and recipe.prepare:
        main["lifecycle"] = {"postStart": {"exec": {"command": ["sh", "-c", literal(_pull(recipe))]}}}
    return {"automountServiceAccountToken": False, "containers": [main], "volumes": volumes}


def secret_variables(recipe: Recipe) -> list[dict[str, Any]]:
    """The variables that hold a secret, by reference to the Secret that holds it."""
    keys = f"{recipe.name}-keys"
    return [{"name": name, "valueFrom": {"secretKeyRef": {"name": keys, "key": name}}} for name in recipe.secrets]


class Variable(str):
    """A word in which Kubernetes is to put the value of a variable."""

    __slots__ = ()


def literal(text: str) -> str:
    """The text as Kubernetes reads it back: ``$(NAME)`` is replaced there, and two dollar signs are one."""
    return str(text) if isinstance(text, Variable) else text.replace("$", "$$")


def _pull(recipe: Recipe) -> str:
    wait = "until ollama list >/dev/null 2>&1; do sleep 1; done"
    return "; ".join([wait, *(shlex.join(step.argv) for step in recipe.prepare)])


def _probes(recipe: Recipe) -> dict[str, Any]:
    check = {"httpGet": {"path": recipe.health, "port": "http"}, "timeoutSeconds": 5}
    return {
        "startupProbe": {**check, "periodSeconds": 15, "failureThreshold": _START_CHECKS},
        "readinessProbe": {**check, "periodSeconds": 10},
        "livenessProbe": {**check, "periodSeconds": 30, "failureThreshold": 5},
    }


def _resources(recipe: Recipe, box: Container) -> dict[str, Any]:
    memory = recipe.plan.memory
    # Page cache of a mapped file counts as the pod's, so what the weights take is asked for too.
    host = -(-(memory.host + memory.untouched) // GIB) + 2
    requests: dict[str, str] = {"memory": f"{max(4, host)}Gi"}
    resources: dict[str, Any] = {"requests": requests}
    if box.gpus and box.vendor in _RESOURCES:
        resources["limits"] = {_RESOURCES[box.vendor]: str(box.gpus)}
    return resources


def _disk_gib(recipe: Recipe) -> int:
    """Room for the download, half of it more for what comes beside, in tens of GiB."""
    return max(10, -(-recipe.plan.artifact.bytes * 3 // (2 * 10 * GIB)) * 10)


def _comments(recipe: Recipe) -> tuple[str, ...]:
    lines = [f"kubectl apply -f {NAME}"]
    if recipe.secrets:
        literals = " ".join(f'--from-literal={name}="${name}"' for name in recipe.secrets)
        lines.insert(0, f"kubectl create secret generic {recipe.name}-keys {literals}")
    if recipe.prepare and recipe.spec.id != "ollama":
        lines += ["before:", *(step.shell for step in recipe.prepare)]
    return tuple(lines)
