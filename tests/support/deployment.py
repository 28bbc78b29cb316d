"""What stands in deploy/, as data: compose's environments, the queries of dashboard and alarms."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "container/compose.yaml"
EXAMPLE = DEPLOY / "container/env.example"
Tree = dict[str, Any]


def example() -> dict[str, str]:
    """Return the variables of the example, as compose reads them."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """Return a value with `${NAME}`, `${NAME:-default}` and `${NAME:?}` put in."""

    def value(found: re.Match[str]) -> str:
        name, sign, default = found.groups()
        given = variables.get(name, "")
        assert given or sign != ":?", f"{name} has no value"
        return given or (default if sign == ":-" else "")

    return re.sub(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}", value, text)


def read_compose() -> Tree:
    """Return the compose file."""
    found: Tree = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return found


def environment_of(service: Tree) -> dict[str, str]:
    """Return a service's environment with the example's values."""
    variables = example()
    return {
        name: interpolated(str(value), variables)
        for name, value in service.get("environment", {}).items()
    }


def metrics_in(expression: str) -> set[str]:
    """Return the metrics of ours that a query names."""
    return set(re.findall(r"callgate_\w+", expression))


def queries() -> list[str]:
    """Return every query of the dashboard and of the alarms."""
    dashboard = json.loads(
        (DEPLOY / "grafana/dashboards/callgate.json").read_text(encoding="utf-8")
    )
    rules = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text(encoding="utf-8"))
    found = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return found + [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
