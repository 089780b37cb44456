"""A model over several machines: Ray, Ray Serve LLM, LeaderWorkerSet, KServe, llama.cpp's RPC."""

from __future__ import annotations

from typing import Any

from qwen_advisor.engines import Step
from qwen_advisor.facts import Catalog
from qwen_advisor.launching.container import container
from qwen_advisor.launching.given import put, without
from qwen_advisor.launching.kubernetes import Variable, literal, pod, secret_variables, service
from qwen_advisor.launching.recipe import LaunchFile, Recipe
from qwen_advisor.machine import Machine
from qwen_advisor.values import replace

RAY_SERVE = "ray-serve.yaml"
RAY_PORT = 6379
RPC_PORT = 50052
WORKER = "WORKER_IP"
# Ray 2.60 asks for a token on its own accord; older ones from 2.52 on where they are told to.
RAY_AUTH = ("RAY_AUTH_MODE", "token")
RAY_SECRET = "RAY_AUTH_TOKEN"  # noqa: S105  a variable's name, the same value on every machine


def ray_steps(head: str, serve: Step) -> tuple[Step, ...]:
    """A Ray cluster for vLLM: the cluster first, then the server on its head (docs/serving of vLLM)."""
    start = ("ray", "start", "--head", f"--node-ip-address={head}", f"--port={RAY_PORT}")
    join = ("ray", "start", f"--address={head}:{RAY_PORT}", f"--node-ip-address={WORKER}")
    where = f"on every other machine, with its own address for {WORKER}"
    spread = (*serve.argv, "--distributed-executor-backend", "ray")
    return (
        Step(argv=start, environment=(("VLLM_HOST_IP", head), RAY_AUTH), where="on the first machine"),
        Step(argv=join, environment=(("VLLM_HOST_IP", WORKER), RAY_AUTH), where=where),
        Step(argv=("ray", "status"), environment=(RAY_AUTH,), where="on the first machine: all GPUs have to be there"),
        replace(serve, argv=spread, environment=(*serve.environment, RAY_AUTH), where="on the first machine"),
    )


def rpc_steps(head_serves: Step, nodes: int) -> tuple[Step, ...]:
    """llama.cpp over RPC: every other machine lends its devices to the first (tools/rpc of llama.cpp)."""
    workers = [f"WORKER_{index}_IP" for index in range(1, nodes)]
    lend = [
        Step(argv=("ggml-rpc-server", "-H", worker, "-p", str(RPC_PORT), "-c"), where=f"on machine {index + 2}")
        for index, worker in enumerate(workers)
    ]
    servers = ",".join(f"{worker}:{RPC_PORT}" for worker in workers)
    return (*lend, replace(head_serves, argv=(*head_serves.argv, "--rpc", servers), where="on the first machine"))


def lent(catalog: Catalog, machine: Machine) -> Machine:
    """The machines as llama.cpp's RPC makes them look to the first: all devices its own, behind the network.

    Args:
        catalog: how fast a network is.
        machine: one of them, with how many there are.
    """
    if machine.nodes == 1 or not machine.accelerators:
        return machine
    hardware = catalog.efficiency["hardware"]
    network = hardware["interconnects"][machine.interconnect or hardware["assumed"]["interconnect"]]
    reached = tuple(replace(item, pcie_bandwidth=network["bandwidth"]) for item in machine.accelerators)
    return replace(machine, accelerators=reached * machine.nodes, nodes=1)


def leader_worker_set(recipe: Recipe) -> LaunchFile:
    """One group of pods, a pod for each machine; the first serves (https://lws.sigs.k8s.io)."""
    nodes = recipe.wish.nodes
    leader, worker = (pod(_grouped(recipe, index), claim=None, index=index, serves=index == 0) for index in (0, 1))
    group = {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "metadata": {"name": recipe.name, "labels": {"app": recipe.name}},
        "spec": {
            "replicas": 1,
            "leaderWorkerTemplate": {
                "size": nodes,
                "restartPolicy": "RecreateGroupOnPodRestart",
                "leaderTemplate": {"metadata": {"labels": {"app": recipe.name, "role": "leader"}}, "spec": leader},
                "workerTemplate": {"spec": worker},
            },
        },
    }
    selector = {"leaderworkerset.sigs.k8s.io/name": recipe.name, "role": "leader"}
    comment = "kubectl apply -f kubernetes.yaml, in a cluster that has LeaderWorkerSet"
    return LaunchFile(name="kubernetes.yaml", documents=(group, service(recipe, selector)), comments=(comment,))


def _grouped(recipe: Recipe, index: int) -> Recipe:
    """The recipe with the variables of LeaderWorkerSet in place of numbers and addresses, which Kubernetes puts in."""
    step = recipe.servers[index]
    argv = put(step.argv, "--nnodes", Variable("$(LWS_GROUP_SIZE)"))
    argv = put(argv, "--node-rank", Variable("$(LWS_WORKER_INDEX)"))
    if recipe.spec.id == "vllm":
        argv = put(argv, "--master-addr", Variable("$(LWS_LEADER_ADDRESS)"))
    else:
        argv = put(argv, "--dist-init-addr", Variable("$(LWS_LEADER_ADDRESS):20000"))
    servers = tuple(replace(step, argv=argv) if at == index else other for at, other in enumerate(recipe.servers))
    return replace(recipe, servers=servers)


def kserve(recipe: Recipe) -> LaunchFile:
    """KServe's LLMInferenceService: its controller makes the group, the router and the scheduler."""
    box = container(recipe)
    place = recipe.plan.placement
    main: dict[str, Any] = {
        "name": "main",
        "image": box.image,
        "args": [literal(word) for word in _engine_arguments(box.arguments)],
        "resources": {"limits": {"nvidia.com/gpu": str(place.tensor_parallel)}},
    }
    if recipe.secrets:
        main["env"] = secret_variables(recipe)
    specification: dict[str, Any] = {
        "model": {"uri": f"hf://{recipe.source}", "name": recipe.plan.checkpoint.id},
        "replicas": 1,
        "parallelism": {"tensor": place.tensor_parallel, "pipeline": place.pipeline_parallel},
        "router": {"route": {}, "gateway": {}, "scheduler": {}},
        "template": {"containers": [main]},
    }
    if recipe.wish.nodes > 1:
        specification["worker"] = {"containers": [main]}
    document = {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "LLMInferenceService",
        "metadata": {"name": recipe.name},
        "spec": specification,
    }
    comment = "kubectl apply -f kserve.yaml, in a cluster that has KServe with LLMInferenceService"
    return LaunchFile(name="kserve.yaml", documents=(document,), comments=(comment,))


_CONTROLLER = (  # what KServe's controller says to the engine itself
    *("--tensor-parallel-size", "--pipeline-parallel-size", "--port", "--host", "--served-model-name"),
    *("--nnodes", "--master-addr", "--node-rank", "--headless", "--distributed-executor-backend"),
)


def _engine_arguments(arguments: tuple[str, ...]) -> tuple[str, ...]:
    return without(arguments[1:], *_CONTROLLER)


def ray_serve(recipe: Recipe) -> LaunchFile:
    """The configuration of Ray Serve LLM: ``serve run ray-serve.yaml`` on a Ray cluster."""
    plan = recipe.plan
    place = plan.placement
    engine: dict[str, Any] = {
        "tensor_parallel_size": place.tensor_parallel,
        "pipeline_parallel_size": place.pipeline_parallel,
        "max_model_len": plan.settings.context,
        "max_num_seqs": plan.settings.parallel,
    }
    argv = recipe.servers[0].argv
    for option, read in _ENGINE_VALUES.items():
        if option in argv:
            engine[option.removeprefix("--").replace("-", "_")] = read(argv[argv.index(option) + 1])
    if recipe.rope is not None:
        engine["hf_overrides"] = dict(recipe.rope)
    document = {
        "applications": [
            {
                "name": recipe.name,
                "route_prefix": "/",
                "import_path": "ray.serve.llm:build_openai_app",
                "args": {
                    "llm_configs": [
                        {
                            "model_loading_config": {
                                "model_id": plan.checkpoint.id,
                                "model_source": recipe.source,
                            },
                            "engine_kwargs": engine,
                            "deployment_config": {"autoscaling_config": {"min_replicas": 1, "max_replicas": 1}},
                        }
                    ]
                },
            }
        ]
    }
    lines = ('pip install "ray[serve,llm]"', f"serve run {RAY_SERVE}, on the head of a Ray cluster")
    return LaunchFile(name=RAY_SERVE, documents=(document,), comments=lines)


_ENGINE_VALUES: dict[str, Any] = {
    "--gpu-memory-utilization": float,
    "--quantization": str,
    "--kv-cache-dtype": str,
    "--reasoning-parser": str,
    "--tool-call-parser": str,
}
