"""What stands in deploy/: read, and checked with the programs that would read it.

Containers and Kubernetes cannot be started here. Their files are read as data, and what must be
true of them is asserted; `test_deploy_run.py` runs what is inside them as plain processes.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from typer.core import TyperGroup

from gateway.cli.root import app
from gateway.settings_file import load_settings
from tests.support.deployment import (
    COMPOSE,
    DEPLOY,
    ROOT,
    Tree,
    environment_of,
    example,
    read_compose,
)

MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
UNITS = sorted((DEPLOY / "systemd").iterdir())


@pytest.fixture(scope="module")
def compose() -> Tree:
    """The compose file."""
    return read_compose()


def documents() -> Iterator[Tree]:
    """Yield every Kubernetes object."""
    for path in MANIFESTS:
        yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


def of_kind(kind: str) -> list[Tree]:
    """Return the objects of a kind."""
    return [each for each in documents() if each["kind"] == kind]


def pod_of(workload: Tree) -> Tree:
    """Return the pod of a workload."""
    pod: Tree = workload["spec"]["template"]["spec"]
    return pod


def workloads() -> list[Tree]:
    """Return what has pods."""
    return [*of_kind("StatefulSet"), *of_kind("Job")]


# --- the image ------------------------------------------------------------------------------------


def test_the_image_is_built_in_two_stages_and_runs_without_rights() -> None:
    """Pinned packages with hashes; a user that is nobody else; a signal that drains."""
    text = (DEPLOY / "container/Dockerfile").read_text(encoding="utf-8")
    stages = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert stages == ["python:3.11-slim", "python:3.11-slim"]
    last = text[text.rindex("FROM") :]
    assert "pip install --no-deps --require-hashes -r requirements.lock" in text
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert "STOPSIGNAL SIGTERM" in last
    assert "pip install" not in last
    healthcheck = re.search(r'CMD (\["python".+\])', last)
    assert healthcheck is not None
    compile(json.loads(healthcheck[1])[2], "healthcheck", "exec")


def test_the_builder_gets_what_it_copies_and_nothing_else() -> None:
    """No database, no settings, no history; `.dockerignore` lets through what COPY names."""
    text = (DEPLOY / "container/Dockerfile").read_text(encoding="utf-8")
    copied = {
        word.rstrip("/")
        for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE)
        for word in line.split()[:-1]
    }
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_through = {line[1:].rstrip("/") for line in lines if line.startswith("!")}
    assert "*" in lines
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)


# --- compose --------------------------------------------------------------------------------------


def test_compose_has_everything_around_two_gateways(compose: Tree) -> None:
    """Two nodes with names of their own; a database that is waited for."""
    services = compose["services"]
    assert {"postgres", "migrate", "gateway1", "gateway2", "asterisk1", "asterisk2"} <= set(
        services
    )
    assert {"kannel-bearerbox", "kannel-smsbox", "prometheus", "grafana"} <= set(services)
    nodes = [services[name]["environment"]["CALLGATE_NODE"] for name in ("gateway1", "gateway2")]
    assert nodes == ["gateway1", "gateway2"]
    for name in ("migrate", "gateway1", "gateway2"):
        service = services[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["depends_on"]["postgres"]["condition"] == "service_healthy"
    ports = [port for name in ("gateway1", "gateway2") for port in services[name]["ports"]]
    published = [port.split(":")[-2] for port in ports]
    assert len(set(published)) == len(published)


def test_compose_names_only_what_there_is(compose: Tree) -> None:
    """Files, volumes, other services, variables of the example."""
    names = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text(encoding="utf-8")))
    assert names == set(example())
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if not source.startswith("."):
                assert source in compose["volumes"]
            elif source != "../asterisk" or (DEPLOY / "asterisk").exists():
                assert (COMPOSE.parent / source).exists(), source
        build = service.get("build")
        if build:
            assert (COMPOSE.parent / build["context"] / build["dockerfile"]).is_file()
        assert set(service.get("depends_on", ())) <= set(compose["services"])


def test_kannel_gets_a_configuration_without_a_gap(compose: Tree, tmp_path: Path) -> None:
    """The shipped one, with secrets and addresses put in as they are; nothing is left to change."""
    service = compose["services"]["kannel-bearerbox"]
    given = {name: f"of-{name.lower()}" for name in service["environment"]}
    given |= {"KANNEL_PASSWORD": r"a&b|c\d/e", "CALLGATE_URL": "http://gateway:8080"}
    (tmp_path / "from").mkdir()
    for volume in service["volumes"][:2]:
        source, target, _ = volume.split(":")
        shutil.copy(COMPOSE.parent / source, tmp_path / "from" / Path(target).name)
    places = {"KANNEL_CONFIGURATION": str(tmp_path / "from"), "KANNEL_RUN": str(tmp_path)}
    script = COMPOSE.parent / "kannel-entrypoint"
    # `true` stands in for the box: what is read is what would be run.
    found = subprocess.run(  # noqa: S603  (our own script)
        ["/bin/sh", str(script), "../bin/true"],
        env={"PATH": os.environ["PATH"], **given, **places},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    lines = (tmp_path / "kannel.conf").read_text(encoding="utf-8").splitlines()
    assert r"password = a&b|c\d/e" in lines
    assert f'include = "{tmp_path}/smsc.conf"' in lines
    assert "sendsms-interface = 0.0.0.0" in lines
    (asked,) = [line for line in lines if line.startswith("get-url")]
    assert asked.startswith('get-url = "http://gateway:8080/sms/kannel/of-kannel_secret?')
    gateways = [compose["services"][name] for name in ("gateway1", "gateway2")]
    assert all(each["networks"]["default"]["aliases"] == ["gateway"] for each in gateways)
    smsc = (tmp_path / "smsc.conf").read_text(encoding="utf-8").splitlines()
    assert "host = of-smpp_host" in smsc
    assert [line for line in (*lines, *smsc) if "CHANGE-" in line and line[0] != "#"] == []


def test_asterisk_gets_a_configuration_with_its_password(compose: Tree, tmp_path: Path) -> None:
    """The shipped one, open to the other containers, closed without a password."""
    service = compose["services"]["asterisk1"]
    assert service["volumes"] == ["../asterisk:/mnt/asterisk:ro"]
    assert "ports" not in service
    script = COMPOSE.parent / "asterisk-entrypoint"
    places = {
        "ASTERISK_CONFIGURATION": str(DEPLOY / "asterisk"),
        "ASTERISK_ETC": str(tmp_path),
        "ASTERISK_PROGRAM": "true",
    }
    for given, status in (({}, 2), ({"ASTERISK_PASSWORD": "abc123"}, 0)):
        found = subprocess.run(  # noqa: S603  (our own script)
            ["/bin/sh", str(script)],
            env={"PATH": os.environ["PATH"], **places, **given},
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.returncode == status, found.stderr
    shipped = {file.name for file in (DEPLOY / "asterisk").glob("*.conf")}
    assert {file.name for file in tmp_path.iterdir()} == shipped | {"ari_password.conf"}
    assert "bindaddr = 0.0.0.0" in (tmp_path / "http.conf").read_text(encoding="utf-8")
    password = tmp_path / "ari_password.conf"
    assert password.read_text(encoding="utf-8") == "password = abc123\n"
    assert password.stat().st_mode & 0o077 == 0
    environment = compose["services"]["gateway1"]["environment"]
    assert environment["CALLGATE_ASTERISK__PASSWORD"] == "${ASTERISK_PASSWORD:-}"


@pytest.mark.parametrize("name", ["gateway1", "gateway2", "migrate"])
def test_every_variable_of_compose_is_a_setting(compose: Tree, name: str, tmp_path: Path) -> None:
    """With a value that it takes; an unknown one would stop the start."""
    environment = environment_of(compose["services"][name])
    file = tmp_path / "callgate.toml"
    file.touch()
    settings = load_settings(file, environment)
    assert settings.node == name
    assert settings.database.url.startswith("postgresql://callgate:")
    assert settings.http.host == "0.0.0.0"  # noqa: S104  (inside a container)


# --- Kubernetes -----------------------------------------------------------------------------------


def test_manifests_are_of_kinds_and_versions_that_there_are() -> None:
    """Each object has a name, and each selector finds the pods that it means."""
    kinds = {
        "ConfigMap": "v1",
        "ServiceAccount": "v1",
        "Service": "v1",
        "StatefulSet": "apps/v1",
        "Job": "batch/v1",
        "PodDisruptionBudget": "policy/v1",
        "NetworkPolicy": "networking.k8s.io/v1",
    }
    for each in documents():
        assert each["apiVersion"] == kinds[each["kind"]]
        assert re.fullmatch(r"[a-z0-9-]{1,63}", each["metadata"]["name"])
    (workload,) = of_kind("StatefulSet")
    labels = workload["spec"]["template"]["metadata"]["labels"]
    selectors = [workload["spec"]["selector"]["matchLabels"]]
    selectors += [each["spec"]["selector"] for each in of_kind("Service")]
    selectors += [
        each["spec"]["selector"]["matchLabels"] for each in of_kind("PodDisruptionBudget")
    ]
    selectors += [each["spec"]["podSelector"]["matchLabels"] for each in of_kind("NetworkPolicy")]
    assert all(selector.items() <= labels.items() for selector in selectors)
    assert workload["spec"]["serviceName"] in {
        each["metadata"]["name"] for each in of_kind("Service")
    }


def test_pods_have_no_rights() -> None:
    """No root, no writable root, no capability, no token, a bound of memory."""
    for workload in workloads():
        pod = pod_of(workload)
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        # Kubernetes' own CALLGATE_PORT and the like would be unknown settings.
        assert pod["enableServiceLinks"] is False
        (container,) = pod["containers"]
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]


def test_probes_and_disruptions_keep_a_node_up() -> None:
    """A database that is away makes no node restart; one node stays through a drain."""
    (workload,) = of_kind("StatefulSet")
    (container,) = pod_of(workload)["containers"]
    named = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert "startupProbe" in container
    (budget,) = of_kind("PodDisruptionBudget")
    assert budget["spec"]["minAvailable"] < workload["spec"]["replicas"]
    assert pod_of(workload)["terminationGracePeriodSeconds"] >= 30
    for service in of_kind("Service"):
        assert all(port["targetPort"] in named for port in service["spec"]["ports"])


def test_every_variable_of_the_manifests_is_a_setting(tmp_path: Path) -> None:
    """Secrets come by reference; no manifest holds one."""
    maps = {each["metadata"]["name"]: each["data"] for each in of_kind("ConfigMap")}
    secrets = {"database-url": "postgresql://u:p@db/callgate", "twilio-auth-tokens": '["t"]'}
    for workload in workloads():
        (container,) = pod_of(workload)["containers"]
        environment: dict[str, str] = {}
        for source in container.get("envFrom", ()):
            environment |= maps[source["configMapRef"]["name"]]
        for each in container["env"]:
            origin = each.get("valueFrom", {})
            if "secretKeyRef" in origin:
                environment[each["name"]] = secrets[origin["secretKeyRef"]["key"]]
            else:
                environment[each["name"]] = each.get("value", "callgate-0")
        file = tmp_path / "callgate.toml"
        file.touch()
        settings = load_settings(file, environment)
        assert settings.database.url == secrets["database-url"]
    text = "".join(path.read_text(encoding="utf-8") for path in MANIFESTS)
    assert not re.search(r"kind: Secret\b", text)


# --- figures and alarms ---------------------------------------------------------------------------


def test_alarms_lead_to_their_page() -> None:
    """Whoever is woken finds what to do."""
    rules = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text(encoding="utf-8"))
    runbook = (DEPLOY / "runbook.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", runbook, re.MULTILINE)
    anchors = {f"runbook.md#{heading.lower().replace(' ', '-')}" for heading in headings}
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"]["runbook"] in anchors, rule["alert"]
            assert rule["labels"]["severity"] in ("page", "warn")


def test_the_dashboard_is_where_grafana_looks() -> None:
    """One source, one folder, panels that do not overlap."""
    folder = DEPLOY / "grafana/provisioning"
    (source,) = yaml.safe_load((folder / "datasources/prometheus.yaml").read_text())["datasources"]
    (provider,) = yaml.safe_load((folder / "dashboards/callgate.yaml").read_text())["providers"]
    dashboard = json.loads(
        (DEPLOY / "grafana/dashboards/callgate.json").read_text(encoding="utf-8")
    )
    assert provider["options"]["path"] in COMPOSE.read_text(encoding="utf-8")
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {source["uid"]}
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]}
    assert len(places) == len(dashboard["panels"])


# --- the programs that would read it --------------------------------------------------------------


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program, or skip when it is not there."""
    program = shutil.which(command[0])
    if program is None:
        pytest.skip(f"needs {command[0]} (deploy/peers/install)")
    return subprocess.run(  # noqa: S603  (a peer of ours)
        [program, *command[1:]], capture_output=True, text=True, check=False, timeout=60
    )


def test_prometheus_takes_rules_and_configuration() -> None:
    """By its own tool; it reads the rules through the configuration too."""
    for command in (("rules", "alerts.yml"), ("config", "prometheus.yml")):
        kind, name = command
        found = run("promtool", "check", kind, str(DEPLOY / "prometheus" / name))
        assert found.returncode == 0, found.stderr


def test_kamailio_takes_its_configuration() -> None:
    """Every module, parameter and route."""
    names = f'DISPATCHERS="{DEPLOY / "kamailio/dispatcher.list"}"'
    found = run("kamailio", "-c", "-f", str(DEPLOY / "kamailio/kamailio.cfg"), "-A", names)
    assert "config file ok" in found.stdout + found.stderr
    assert found.returncode == 0


def test_kamailio_shares_calls_among_several_asterisks() -> None:
    """One set, at least two of them, each with a weight."""
    lines = (DEPLOY / "kamailio/dispatcher.list").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    assert len(rows) > 1
    assert {row[0] for row in rows} == {"1"}
    assert all(re.fullmatch(r"sip:[\d.]+:\d+", row[1]) and "weight=" in row[4] for row in rows)


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_takes_the_units(unit: Path) -> None:
    """Only that the program is not installed here may be said."""
    found = run("systemd-analyze", "verify", "--man=no", str(unit))
    said = [line for line in found.stderr.splitlines() if "is not executable" not in line]
    # What other units of this machine are said to be is not about ours.
    assert [line for line in said if "callgate" in line] == []


@pytest.mark.parametrize("name", ["callgate.service", "callgate-backup.service"])
def test_systemd_finds_little_to_attack(name: str) -> None:
    """Below two of ten."""
    found = run("systemd-analyze", "security", "--offline=true", str(DEPLOY / "systemd" / name))
    if "Unknown" in found.stderr or found.returncode:
        pytest.skip(f"needs systemd-analyze security --offline: {found.stderr.strip()}")
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", found.stdout)
    assert level is not None
    assert float(level[1]) < 2


# --- the runbook ----------------------------------------------------------------------------------


def shown() -> list[tuple[str, str]]:
    """Return every command of the pages in deploy/, with the page."""
    found = []
    for page in sorted(DEPLOY.rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        blocks = re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        lines = [line for block in blocks for line in block.splitlines()]
        lines += re.findall(r"`(callgate [a-z][^`]+)`", text)
        for line in lines:
            words = re.search(r"(?:^|&& |/bin/)(callgate [^#|]+)", line)
            if words is not None and "=" not in words[1].split()[1]:
                found.append((page.name, words[1].strip()))
    return found


@pytest.mark.parametrize(("page", "line"), sorted(set(shown())))
def test_every_command_that_is_shown_exists(page: str, line: str) -> None:
    """With these options, so that nobody has to guess at night."""
    assert page
    words = shlex.split(line)[1:]
    command: Any = typer.main.get_command(app)
    while words and isinstance(command, TyperGroup):
        assert words[0] in command.commands, line
        command = command.commands[words.pop(0)]
    options = {option for parameter in command.params for option in parameter.opts}
    assert [word for word in words if word.startswith("--") and word not in options] == []


def test_the_runbook_has_a_page_for_every_bad_night() -> None:
    """Each says what to see, what to run, what to expect."""
    text = (DEPLOY / "runbook.md").read_text(encoding="utf-8")
    pages = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    wanted = {
        "A call is stuck",
        "A site is down",
        "The ledger does not verify",
        "Money alarm",
        "Disk full",
        "The database is away",
    }
    assert wanted <= set(pages)
    for name in wanted:
        assert all(part in pages[name] for part in ("**You see**", "```", "**Expect**")), name
