"""Every setting in one place: config.toml's defaults, then the user's file, then the environment."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from dashboard.i18n.locales import DEFAULT, manner_of
from engines.columns import ATTRIBUTE, ATTRIBUTE_FIELD, FIELDS_IN_WORDS, is_field
from engines.contract import Conditions, Play
from engines.errors import InputError
from engines.naming.vocabulary import word_meant
from engines.settings import CleaningRules, Customers, Day, Reading, Setting, Settings, a_day, currency_code
from storage.contract.objects import ObjectSettings

_HERE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """Where a file or folder that comes with Segmentry lies: in the wheel, or beside the rooms in a checkout."""
    in_wheel = _HERE / "shipped" / name
    return in_wheel if in_wheel.exists() else _HERE.parent / name


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _declared(section: type[Settings]) -> GetPydanticSchema:
    """How the configuration checks a section that the engines declare: names, types, defaults and bounds are theirs."""
    model = create_model(
        section.__name__, __base__=_Section, **{item.name: _field(item) for item in section.declared()}
    )

    def schema(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            lambda checked: section.from_dict(checked.model_dump()),
            handler.generate_schema(model),
            serialization=core_schema.plain_serializer_function_ser_schema(section.to_dict),
        )

    return GetPydanticSchema(schema)


def _field(item: Setting) -> Any:
    """A setting as pydantic has it: TOML knows lists, not tuples."""
    types = {
        tuple[str, ...]: list[str],
        Customers: list[str] | str,
        Day: Annotated[str, AfterValidator(a_day)],
        Mapping[str, float]: dict[str, float],
    }
    default = list(item.default) if isinstance(item.default, tuple) else item.default
    checks = Field(default, ge=item.low, gt=item.above, le=item.high, max_length=item.longest)
    return types.get(item.type, item.type), checks


class DatabaseSection(_Section):
    """Where things are kept."""

    url: str


class ObjectsSection(_Section):
    """Where the files beside the database are kept, and whether sales are among them."""

    url: str
    endpoint: str
    keep: bool

    @property
    def settings(self) -> ObjectSettings:
        """As the store reads them."""
        return ObjectSettings(self.url, self.endpoint, self.keep)


class SalesSection(_Section):
    """What the sales are measured in, where they do not say it; empty: it is not known."""

    currency: str = ""

    @field_validator("currency")
    @classmethod
    def _is_code(cls, code: str) -> str:
        try:
            return currency_code(code)
        except InputError as error:
            raise ValueError(str(error)) from None


class Locale(_Section):
    """In whose manner numbers, money and dates are written."""

    language: str = DEFAULT

    @field_validator("language")
    @classmethod
    def _is_known(cls, language: str) -> str:
        if language != DEFAULT:
            try:
                manner_of(language)
            except InputError as error:
                raise ValueError(str(error)) from None
        return language


class Engines(_Section):
    """Which engines run, and how."""

    use: list[str] = Field(min_length=1)
    k: int = Field(ge=1)
    seed: int = Field(ge=0)
    settings: dict[str, dict[str, Any]]


class Datasets(_Section):
    """Which data set pages begin with."""

    default: str


class Publish(_Section):
    """What is checked before a run is published; a schedule publishes only what passes."""

    customers_drop: float = Field(ge=0, le=1)
    ledger_points: float = Field(ge=0, le=1)
    segment_growth: float = Field(ge=1)
    stability: float = Field(ge=-1, le=1)


class Clv(_Section):
    """How far ahead value looks, by which model, and for how long a choice of models stands."""

    model: str = Field(default="auto", min_length=1)
    horizon_weeks: int = Field(ge=1, le=520)
    discount_rate: float = Field(ge=0, lt=10)
    interval: float = Field(default=0.8, gt=0, lt=1)
    choose_again_days: int = Field(default=30, ge=0, le=3660)
    margin: float = Field(default=1.0, gt=0, le=1)
    acquisition_cost: float = Field(default=0.0, ge=0)

    def identity(self) -> dict[str, Any]:
        """The part that these settings have in what a snapshot is: those that change its customers."""
        later = {
            name for name in ("margin", "acquisition_cost") if getattr(self, name) == Clv.model_fields[name].default
        }
        return self.model_dump(exclude={"choose_again_days", *later})


class Churn(_Section):
    """When a customer counts as lost."""

    days: int = Field(ge=7, le=730)
    min_history_days: int = Field(ge=0)


class Naming(_Section):
    """In whose words segments are named."""

    vocabulary: Literal["classic", "plain"]


class Drift(_Section):
    """How far a timeline looks back, and when drift is an alarm."""

    window_days: int = Field(ge=30, le=3650)
    threshold: float = Field(ge=0, le=1)
    shift: float = Field(gt=0)
    bootstraps: int = Field(ge=2, le=1000)
    noise_dates: int = Field(ge=0)


class Alerts(_Section):
    """How alerts are sent on; where to is a matter of the environment."""

    attempts: int = Field(ge=1, le=100)
    wait_seconds: float = Field(gt=0)
    timeout_seconds: float = Field(gt=0, le=300)


class Server(_Section):
    """Where the dashboard listens."""

    host: str
    port: int = Field(ge=0, le=65535)
    workers: int = Field(ge=1)


class Uploads(_Section):
    """Where uploaded files are kept, and how large one may be."""

    folder: str = Field(min_length=1)
    limit_mb: int = Field(ge=1)
    keep_days: int = Field(ge=1)


class Worker(_Section):
    """How jobs are done, and how much one may take (0: as much as it likes)."""

    lease_seconds: float = Field(gt=0)
    in_server: bool
    wait_seconds: float = Field(ge=0, le=600)
    memory_mb: int = Field(ge=0)
    cpu_seconds: int = Field(ge=0)
    job_seconds: float = Field(ge=0)


class Retention(_Section):
    """How much of the past ``segmentry prune`` leaves."""

    keep_snapshots: int = Field(ge=0)
    keep_months: int = Field(ge=0, le=1200)


class When(_Section):
    """Conditions of a name of the playbook; :class:`engines.contract.Conditions` says what each is."""

    min_repeat_share: float | None = Field(None, ge=0, le=1)
    max_repeat_share: float | None = Field(None, ge=0, le=1)
    min_recency: float | None = Field(None, ge=0)
    max_recency: float | None = Field(None, ge=0)
    min_tenure: float | None = Field(None, ge=0)
    max_tenure: float | None = Field(None, ge=0)
    min_frequency: float | None = Field(None, ge=0)
    max_frequency: float | None = Field(None, ge=0)
    min_spend: float | None = Field(None, ge=0)
    max_spend: float | None = Field(None, ge=0)
    max_spend_rank: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        for fact in ("repeat_share", "recency", "tenure", "frequency", "spend"):
            low, high = getattr(self, f"min_{fact}"), getattr(self, f"max_{fact}")
            if low is not None and high is not None and low > high:
                raise ValueError(f"min_{fact} is above max_{fact}")
        return self


class PlaybookEntry(_Section):
    """A segment's name, meaning, action and colour, and when it is true; without ``when``, as the name it means.

    ``key``: what its segments are known by in addresses, audiences and from date to date. Without one, that is the
    name of the classic vocabulary that means the same, so that another vocabulary changes no segment; else the name.
    """

    name: str = Field(min_length=1)
    description: str
    action: str
    priority: int
    colour: str = Field(pattern=r"^#[0-9A-Fa-f]{6}$")
    spare: bool = False
    when: When | None = None
    key: str = ""

    def play(self, usual: Mapping[str, When]) -> Play:
        """The entry as the engines know it; ``usual``: the conditions of known names."""
        when = usual.get(word_meant(self.name)) if self.when is None else self.when
        conditions = Conditions() if when is None else Conditions(**when.model_dump())
        return Play(**self.model_dump(exclude={"when"}), when=conditions)

    @property
    def identity(self) -> str:
        """What its segments are known by."""
        return self.key or _classic_names().get(word_meant(self.name), self.name)


class Config(_Section):
    """All settings, checked. Made by :func:`load_config`."""

    database: DatabaseSection
    objects: ObjectsSection
    sales: SalesSection
    locale: Locale
    mapping: dict[str, str]
    reading: Annotated[Reading, _declared(Reading)]
    cleaning: Annotated[CleaningRules, _declared(CleaningRules)]
    categories: dict[str, list[str]]
    engines: Engines
    datasets: Datasets
    publish: Publish
    clv: Clv
    churn: Churn
    drift: Drift
    alerts: Alerts
    server: Server
    uploads: Uploads
    worker: Worker
    retention: Retention
    naming: Naming
    playbook: list[PlaybookEntry] = Field(min_length=1)
    playbook_plain: list[PlaybookEntry] = Field(min_length=1)

    @field_validator("mapping", mode="before")
    @classmethod
    def _flat(cls, mapping: Any) -> Any:
        """Attributes as fields: TOML takes attribute.email = "Email" for a table, and the environment has no points."""
        if not isinstance(mapping, dict):
            return mapping
        flat: dict[str, Any] = {}
        for name, column in mapping.items():
            if isinstance(column, dict) and f"{name}." == ATTRIBUTE_FIELD:
                flat |= {f"{ATTRIBUTE_FIELD}{key}": value for key, value in column.items()}
            else:
                flat[re.sub(f"^{ATTRIBUTE}", ATTRIBUTE_FIELD, name)] = column
        return flat

    @field_validator("mapping")
    @classmethod
    def _known_fields(cls, mapping: dict[str, str]) -> dict[str, str]:
        for name in mapping:
            if not is_field(name):
                raise ValueError(f"unknown field {name!r}; the fields are {FIELDS_IN_WORDS}")
        return mapping

    @field_validator("playbook", "playbook_plain")
    @classmethod
    def _unique_names(cls, playbook: list[PlaybookEntry]) -> list[PlaybookEntry]:
        names = [entry.name for entry in playbook]
        if len(set(names)) < len(names):
            raise ValueError("two entries have the same name")
        keys = [entry.key for entry in playbook if entry.key]
        if len(set(keys)) < len(keys):
            raise ValueError("two entries have the same key")
        return playbook

    @property
    def plays(self) -> tuple[Play, ...]:
        """The playbook of the chosen vocabulary as the engines know it."""
        chosen = self.playbook_plain if self.naming.vocabulary == "plain" else self.playbook
        plays, taken = [], set()
        for entry in chosen:
            # of two entries that mean the same the first is known by it
            key = entry.identity if entry.identity not in taken else entry.name
            taken.add(key)
            plays.append(replace(entry.play(_usual_conditions()), key=key))
        return tuple(plays)

    def replace(self, **sections: Mapping[str, Any]) -> Self:
        """This configuration with some keys of some sections changed, checked again."""
        values = self.model_dump()
        for section, changes in sections.items():
            values[section] = {**values[section], **changes}
        return type(self).model_validate(values)


@cache
def _usual_conditions() -> Mapping[str, When]:
    """The conditions of the names that come with Segmentry, by the word that each of them means."""
    values = _read(shipped("config.toml"))
    entries = [PlaybookEntry.model_validate(entry) for entry in (*values["playbook"], *values["playbook_plain"])]
    return {word_meant(entry.name): entry.when for entry in entries if entry.when is not None}


@cache
def _classic_names() -> Mapping[str, str]:
    """The names of the shipped classic playbook, by the word that each of them means."""
    return {word_meant(entry["name"]): str(entry["name"]) for entry in _read(shipped("config.toml"))["playbook"]}


def load_config(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """Defaults, then the file at ``path``, then the environment.

    Raises:
        InputError: no such file, TOML that cannot be read, an unknown key or a value of the wrong type; it is named.
    """
    values = _read(shipped("config.toml"))
    if path is not None:
        values = _overlaid(values, _read(path), str(path))
    values = _overlaid(values, _from_environment(environ, values), "the environment")
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            "Configuration: {where}: {problem} (is {value}).",
            where=where,
            problem=first["msg"].removeprefix("Value error, "),
            value=repr(first["input"]),
        ) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("Configuration file {path} does not exist.", path=path) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError("Configuration file {path} cannot be read: {error}.", path=path, error=error) from None


#: Sections whose keys are the user's own, so that any key is known; they replace the default as a whole or key by key.
_FREE = ("mapping", "categories")


def _overlaid(base: dict[str, Any], over: Mapping[str, Any], where: str) -> dict[str, Any]:
    result = dict(base)
    for section, changes in over.items():
        if section not in base:
            raise InputError(
                "Configuration: {where} has an unknown section [{section}]; known: {base}.",
                where=where,
                section=section,
                base=", ".join(base),
            )
        if not isinstance(changes, dict) or section == "categories":
            result[section] = changes
            continue
        for key in changes:
            if section not in _FREE and isinstance(base[section], dict) and key not in base[section]:
                names = ", ".join(base[section])
                raise InputError(
                    "Configuration: {where} has an unknown key {key!r} in [{section}]; known: {known}.",
                    where=where,
                    key=key,
                    section=section,
                    known=names,
                )
        result[section] = {**base[section], **changes} if isinstance(base[section], dict) else changes
    return result


#: Variables that are not settings of a section.
_NOT_SETTINGS = ("SEGMENTRY_PASSWORD", "SEGMENTRY_CONFIG", "SEGMENTRY_WEBHOOK_URL", "SEGMENTRY_WEBHOOK_SECRET")


def _from_environment(environ: Mapping[str, str], sections: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    overrides: dict[str, dict[str, Any]] = {}
    if environ.get("DATABASE_URL"):
        overrides["database"] = {"url": environ["DATABASE_URL"]}
    if environ.get("PORT"):
        overrides["server"] = {"port": _parsed("PORT", environ["PORT"], 0)}
    for name, text in environ.items():
        if not name.startswith("SEGMENTRY_") or name in _NOT_SETTINGS:
            continue
        section, _, key = name.removeprefix("SEGMENTRY_").lower().partition("_")
        if not isinstance(sections.get(section), dict) or (section not in _FREE and key not in sections[section]):
            raise InputError(
                "Environment variable {name} names no setting; see config.toml for [section] and key.", name=name
            )
        overrides.setdefault(section, {})[key] = _parsed(name, text, sections[section].get(key, ""))
    return overrides


def _parsed(name: str, text: str, like: Any) -> Any:
    """The text as TOML would read it when the setting is not a text, so that lists and booleans can be given too."""
    if isinstance(like, str):
        return text
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        raise InputError(
            "Environment variable {name} must be written as in config.toml, not {text!r}.", name=name, text=text
        ) from None
    return float(value) if isinstance(like, float) and isinstance(value, int) and not isinstance(value, bool) else value
