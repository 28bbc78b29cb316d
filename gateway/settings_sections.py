"""The gateway's own sections of the settings; channels bring theirs."""

import dataclasses
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, SecretStr, create_model

from call_core.contracts import Prompt
from call_core.customers.limits import Limits
from call_core.money import format_amount, parse_amount
from gateway.settings_tree import attribute_docs

_MICROS: Final = "_micros"


class Section(BaseModel):
    """One `[section]` of the file; unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DatabaseSettings(Section):
    """Where everything is kept."""

    url: str = Field(
        default="sqlite:///var/callgate.db",
        description="`sqlite:///PATH` (relative to this file) or `postgresql://…`",
    )


class NodesSettings(Section):
    """How nodes share the calls: on PostgreSQL, with switches outside of them."""

    shards: int = Field(
        default=16, ge=1, le=62, description="parts that calls are shared by; never fewer later"
    )
    lease_s: Decimal = Field(
        default=Decimal(4),
        ge=2,
        le=60,
        description="a node that is silent for so long loses its calls to the others",
    )


class HttpSettings(Section):
    """The listener of pages, API, webhooks, health and metrics."""

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8080, ge=0, le=65535, description="port; 0 takes a free one")
    max_body_bytes: int = Field(
        default=1_048_576, ge=1024, description="a longer request body is refused (413)"
    )
    request_timeout_s: int = Field(
        default=20,
        ge=1,
        description="a request whose head or body is not here by then is refused (408)",
    )
    write_timeout_s: int = Field(
        default=60,
        ge=1,
        description="a connection whose peer takes nothing of an answer for so long is cut off",
    )
    max_connections: int = Field(
        default=1000, ge=1, description="connections open at once; more are refused (503)"
    )
    max_requests_at_once: int = Field(
        default=200,
        ge=1,
        description="requests that are being answered; more are sent away at once (503)",
    )


class NumbersSettings(Section):
    """The service's own telephone numbers."""

    service: str = Field(
        default="+12025550143",
        pattern=r"^\+[1-9]\d{6,14}$",
        description="the caller id that callers and participants see, E.164",
    )
    own: tuple[str, ...] = Field(
        default=(), description="further numbers of ours; calling them is refused"
    )


class PhoneSettings(Section):
    """How one simulated phone behaves."""

    ring_s: Decimal = Field(
        default=Decimal(3), ge=0, decimal_places=3, description="seconds until something happens"
    )
    result: Literal[
        "answer", "busy", "no_answer", "reject", "voicemail", "unreachable", "manual"
    ] = Field(default="answer", description="what happens then; manual waits for a person")
    press: str = Field(
        default="1", pattern=r"^[0-9*#]*$", description="digits keyed after the prompt"
    )
    press_after_s: Decimal = Field(
        default=Decimal(1), ge=0, decimal_places=3, description="seconds from the prompt to the key"
    )
    talk_s: Decimal = Field(
        default=Decimal(0),
        ge=0,
        decimal_places=3,
        description="hangs up this long after being bridged; 0 is never",
    )


class FaultSettings(Section):
    """What the simulator gets wrong on purpose; shares are from 0 (never) to 1 (always)."""

    drop: float = Field(default=0, ge=0, le=1, description="share of events lost")
    repeat: float = Field(default=0, ge=0, le=1, description="share of events told twice")
    reorder: float = Field(default=1, ge=0, le=1, description="share told late, by `reorder_ms`")
    reorder_ms: int = Field(default=0, ge=0, description="how late at most; 0 keeps the order")
    delay_ms: int = Field(default=0, ge=0, description="how late every event is")
    originate_fail: float = Field(default=0, ge=0, le=1, description="share of orders refused")
    lost_originate: float = Field(default=0, ge=0, le=1, description="share of orders lost")
    lost_originate_answer: float = Field(
        default=0, ge=0, le=1, description="share of orders that ring although they look lost"
    )
    seed: int = Field(default=1, description="the same seed makes the same faults")


class SimulatorSettings(Section):
    """The embedded switch: simulated phones, a clock that can run fast."""

    speed: Decimal = Field(
        default=Decimal(1), gt=0, le=10_000, description="simulated seconds per second"
    )
    default: PhoneSettings = Field(
        default_factory=PhoneSettings, description="how numbers outside the phone book behave"
    )
    phones: dict[str, PhoneSettings] = Field(
        default_factory=dict, description="the phone book: E.164 number to script"
    )
    faults: FaultSettings = Field(default_factory=FaultSettings, description="faults on purpose")
    file: Path = Field(
        default=Path("var/simulator.json"), description="where running legs are kept"
    )
    ports: int = Field(default=10_000, ge=1, description="legs that it carries at once")
    trunk_causes: dict[str, int] = Field(
        default_factory=dict,
        description="trunks that are out of order: the Q.850 cause of every leg there",
    )
    public_listeners: bool = Field(
        default=False,
        description="let listeners leave loopback although no call is real",
    )


class SwitchSettings(Section):
    """One switch of several; what its kind needs besides stands in that kind's own section."""

    kind: Literal["simulator", "asterisk", "twilio_voice"] = Field(
        default="simulator", description="which kind of switch"
    )
    ports: int = Field(default=10_000, ge=1, description="legs that it carries at once")
    url: str = Field(default="", description="an Asterisk's ARI; empty is `asterisk.url`")
    file: Path | None = Field(
        default=None,
        description="a simulator's running legs; empty is `simulator.file` with the switch's name",
    )
    socket: Path | None = Field(
        default=None,
        description="a simulator that several nodes share: the socket of `callgate simulate NAME`",
    )


class AsteriskSettings(Section):
    """Calls by Asterisk 22 and its ARI; `deploy/asterisk` is its side of the settings."""

    url: str = Field(
        default="http://127.0.0.1:8088/ari",
        pattern=r"^https?://[^\s?#]+$",
        description="where ARI is; loopback, or TLS",
    )
    user: str = Field(default="callgate", min_length=1, description="user of `ari.conf`")
    password: SecretStr = Field(default=SecretStr(""), description="and the password there")
    app: str = Field(
        default="callgate",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$",
        description="name of the Stasis application; every node its own",
    )
    ports: int = Field(default=1_000, ge=1, description="legs that it carries at once")
    plus: bool = Field(default=True, description="dial numbers with their `+`")
    timeout_s: Decimal = Field(
        default=Decimal(5), gt=0, le=60, description="an answer of ARI takes at most so long"
    )
    prompts: dict[Prompt, tuple[str, ...]] = Field(
        default_factory=dict,
        description="what is played for a prompt instead of the built-in one: media URIs of ARI, "
        "`{ending}` is the four last digits",
    )


class TrunkSettings(Section):
    """A way out of a switch, with a carrier's prices."""

    switch: str = Field(default="", description="its switch; empty where there is only one")
    ports: int = Field(default=10_000, ge=1, description="legs that it carries at once")
    tariff: str = Field(
        min_length=1, description="tariff of what legs cost us there (`callgate rates load`)"
    )


class RoutingSettings(Section):
    """How a call chooses among trunks."""

    below_cost: bool = Field(
        default=False, description="let a leg cost us more than the customer pays"
    )
    currencies: dict[str, Decimal] = Field(
        default_factory=dict,
        description="what one unit of a currency is worth, to compare trunks; left out is 1",
    )


class TwilioVoiceSettings(Section):
    """Calls by Twilio Programmable Voice; needs `public_url` or `webhook_url`."""

    account_sid: str = Field(
        default="", pattern="^(AC[0-9a-zA-Z]+)?$", description="the account that pays for calls"
    )
    auth_tokens: tuple[SecretStr, ...] = Field(
        default=(),
        max_length=2,
        description="what Twilio signs with; the primary one first, two while rotating",
    )
    api_key: str = Field(default="", description="API key to ask with instead of the token")
    api_secret: SecretStr = Field(default=SecretStr(""), description="secret of the API key")
    from_number: str = Field(
        default="",
        pattern=r"^(\+[1-9]\d{6,14})?$",
        description="the number shown when the caller's own must not or cannot be; "
        "`numbers.service` if empty",
    )
    webhook_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="where Twilio reaches this very node; `public_url` + `/voice/twilio` if empty",
    )
    deployment: str = Field(
        default="callgate",
        pattern=r"^[A-Za-z0-9.]{1,32}$",
        description="marks our calls when several deployments share the account",
    )
    calls_per_second: Decimal = Field(
        default=Decimal(1), gt=0, le=1000, description="what the account may; more wait in turn"
    )
    queue_s: int = Field(
        default=20, ge=1, le=600, description="an order that waited longer is refused (lines busy)"
    )
    ports: int = Field(default=100, ge=2, description="legs that it carries at once")
    api_url: str = Field(
        default="https://api.twilio.com",
        pattern=r"^https?://[^\s/]+$",
        description="scheme and host of the REST interface, for a region or a test",
    )
    timeout_s: float = Field(default=10.0, gt=0, description="longest wait for a REST answer")


@cache
def limits_section() -> type[Section]:
    """Return a section with one key per field of `Limits`; money is a decimal without `_micros`."""
    documented = attribute_docs(Limits)
    fields: dict[str, Any] = {}
    for limit in dataclasses.fields(Limits):
        described = documented.get(limit.name, "")
        is_money = limit.name.endswith(_MICROS)
        amount = format_amount(cast("int", limit.default)) if is_money else ""
        fields[limit.name.removesuffix(_MICROS)] = (
            (Decimal, Field(default=Decimal(amount), ge=0, decimal_places=6, description=described))
            if is_money
            else (int, Field(default=limit.default, ge=0, description=described))
        )
    return cast("type[Section]", create_model("LimitsSettings", __base__=Section, **fields))


def limits_of(section: object) -> Limits:
    """Return the limits that a section of `limits_section` says, money in micros."""
    values: dict[str, int] = {}
    for limit in dataclasses.fields(Limits):
        value = getattr(section, limit.name.removesuffix(_MICROS))
        values[limit.name] = parse_amount(f"{value:f}") if limit.name.endswith(_MICROS) else value
    return Limits(**values)


class TelemetrySettings(Section):
    """Traces by OpenTelemetry; needs the extra `otel`."""

    endpoint: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description="base URL of a collector that takes OTLP over HTTP; empty traces nothing",
    )
    service_name: str = Field(default="callgate", description="`service.name` of the spans")
    headers: dict[str, SecretStr] = Field(
        default_factory=dict, description="sent with every batch, like an API key"
    )
    share: float = Field(default=1, ge=0, le=1, description="share of requests that are traced")


class LogSettings(Section):
    """What is written to standard error."""

    format: Literal["auto", "json", "console"] = Field(
        default="auto", description="auto is console on a terminal and JSON elsewhere"
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="the least important event written"
    )
