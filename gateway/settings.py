"""The settings: one typed model, composed of the gateway's own sections and one per channel.

A channel's section is its own `Settings` class, found through the registry, so a new channel needs
no line here. `gateway.settings_file` reads the file and the environment into this model.
"""

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Self, cast

from pydantic import BaseModel, Field, PrivateAttr, StringConstraints, create_model
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from call_core.customers.limits import Limits
from call_core.storage.waiting import StoreLimits
from channels.kit.contract import ChannelSettings
from channels.kit.mail_out import MailOutSettings
from channels.kit.registry import channel_classes
from gateway.settings_sections import (
    AsteriskSettings,
    DatabaseSettings,
    HttpSettings,
    LogSettings,
    NodesSettings,
    NumbersSettings,
    RoutingSettings,
    SimulatorSettings,
    SwitchSettings,
    TelemetrySettings,
    TrunkSettings,
    TwilioVoiceSettings,
    limits_of,
    limits_section,
)

PREFIX = "CALLGATE_"
DELIMITER = "__"
RESERVED_PREFIX = "CALLGATE_TEST_"
FILE_NAME = "callgate.toml"
_PASSWORD = re.compile(r"(://[^:/@]*):.*@")
_LIMITS: Final = "limits"
_SQLITE = "sqlite:///"
_EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  (comparing, not binding)


LineName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
SIMULATOR, ASTERISK, TWILIO_VOICE = "simulator", "asterisk", "twilio_voice"
KINDS = (SIMULATOR, ASTERISK, TWILIO_VOICE)


class Settings(BaseSettings):
    """Everything that can be set. Channels' sections are added by `settings_model`."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
        protected_namespaces=(),
    )

    node: str = Field(
        default="node1", pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="name of this node"
    )
    public_url: str = Field(
        default="", description="base of the links sent out; empty is the HTTP listener's own"
    )
    switch: str = Field(
        default="simulator",
        description="the switch that carries calls: simulator, asterisk, twilio_voice",
    )
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    nodes: NodesSettings = Field(default_factory=NodesSettings)
    http: HttpSettings = Field(default_factory=HttpSettings)
    numbers: NumbersSettings = Field(default_factory=NumbersSettings)
    mail_out: MailOutSettings = Field(default_factory=MailOutSettings)
    simulator: SimulatorSettings = Field(default_factory=SimulatorSettings)
    asterisk: AsteriskSettings = Field(default_factory=AsteriskSettings)
    switches: dict[LineName, SwitchSettings] = Field(
        default_factory=dict, description="several switches, by name; empty is the one of `switch`"
    )
    trunks: dict[LineName, TrunkSettings] = Field(
        default_factory=dict, description="ways out, by name; empty is one, `main`"
    )
    routing: RoutingSettings = Field(default_factory=RoutingSettings)
    twilio_voice: TwilioVoiceSettings = Field(default_factory=TwilioVoiceSettings)
    store: StoreLimits = Field(default_factory=StoreLimits)
    logs: LogSettings = Field(default_factory=LogSettings)
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings)

    _folder: Path = PrivateAttr(default_factory=Path.cwd)
    _file: Path | None = PrivateAttr(default=None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  (pydantic-settings' signature)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (as above)
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (as above)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (as above)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what `gateway.settings_file` has merged and checked."""
        return (init_settings,)

    @property
    def folder(self) -> Path:
        """The folder that relative paths are relative to."""
        return self._folder

    @property
    def file(self) -> Path | None:
        """The file that was read, None when there was none."""
        return self._file

    def switch_kinds(self) -> dict[str, str]:
        """Return the kind of every switch by its name, the first one first."""
        if not self.switches:
            return {self.switch: self.switch}
        return {name: each.kind for name, each in self.switches.items()}

    @property
    def simulated(self) -> bool:
        """Whether no telephone rings."""
        return set(self.switch_kinds().values()) == {SIMULATOR}

    def channel(self, name: str) -> ChannelSettings:
        """Return the section of one channel."""
        return cast("ChannelSettings", getattr(self, name))

    def call_limits(self) -> Limits:
        """Return the default limits of customers, money in micros."""
        return limits_of(getattr(self, _LIMITS))

    def base_url(self, port: int | None = None) -> str:
        """Return the base of the links that we send out, without a slash at its end.

        Args:
            port: the real one, when the listener took a free one.
        """
        if self.public_url:
            return self.public_url.rstrip("/")
        host = "127.0.0.1" if self.http.host in _EVERYWHERE else self.http.host
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{port or self.http.port}"

    def database_url(self) -> str:
        """Return the database URL with an absolute path."""
        url = self.database.url
        if not url.startswith(_SQLITE) or ":memory:" in url:
            return url
        return f"{_SQLITE}{self.database_file()}"

    def database_file(self) -> Path | None:
        """Return the absolute path of the SQLite database, None for a server."""
        url = self.database.url
        if not url.startswith(_SQLITE) or ":memory:" in url:
            return None
        return (self._folder / url.removeprefix(_SQLITE)).resolve()

    @property
    def many_nodes(self) -> bool:
        """Whether several nodes may drive calls: they share the database and every switch."""
        shared = all(
            kind == ASTERISK or (name in self.switches and self.switches[name].socket)
            for name, kind in self.switch_kinds().items()
        )
        return not self.database.url.startswith(_SQLITE) and shared

    def shown_database(self) -> str:
        """Return where the database is, for people: an absolute path, or a URL without password."""
        return str(self.database_file() or _PASSWORD.sub(r"\1:***@", self.database.url))

    def placed(self, folder: Path, file: Path | None) -> Self:
        """Return these settings with every relative path made absolute from `folder`."""
        made = cast("Self", _absolute(self, folder.resolve()))
        made._folder = folder.resolve()  # noqa: SLF001  (our own copy, before anybody sees it)
        made._file = file  # noqa: SLF001  (as above)
        return made


def _absolute(model: BaseModel, folder: Path) -> BaseModel:
    """Return the model with the relative paths in it, at any depth, made absolute."""
    changed: dict[str, object] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, Path) and not value.is_absolute():
            changed[name] = folder / value
        elif isinstance(value, BaseModel):
            changed[name] = _absolute(value, folder)
        elif isinstance(value, dict):
            changed[name] = {
                key: _absolute(each, folder) if isinstance(each, BaseModel) else each
                for key, each in value.items()
            }
    return model.model_copy(update=changed)


@cache
def settings_model() -> type[Settings]:
    """Return the model with one section per channel in the registry.

    Raises:
        TypeError: a channel is named as one of the gateway's own sections.
    """
    sections: dict[str, type[BaseModel]] = {
        name: made.Settings for name, made in channel_classes().items()
    }
    clash = sections.keys() & {*Settings.model_fields, _LIMITS}
    if clash:
        raise TypeError(f"channel {min(clash)} has the name of a section of the gateway")
    sections = {_LIMITS: limits_section(), **sections}
    fields: dict[str, Any] = {
        name: (made, Field(default_factory=made)) for name, made in sections.items()
    }
    return create_model("CallgateSettings", __base__=Settings, **fields)
