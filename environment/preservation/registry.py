"""The figures by name, with their inputs and units, for people and programs that ask from outside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from environment.preservation import chemistry, light, moisture, mould
from environment.preservation.chemistry import ClimateSpan

Value = float | None


@dataclass(frozen=True, slots=True)
class Input:
    """A named input, in the order the computation takes it. Without a default it must be given."""

    name: str
    unit: str
    default: float | str | None = None
    read: Callable[[str, Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure: what it is, its unit and inputs. `compute` takes their values in order; None means there is none."""

    says: str
    unit: str
    inputs: tuple[Input, ...]
    compute: Callable[..., Value]


def compute(name: str, given: Mapping[str, Any]) -> Value:
    """One figure; ValueError says in a sentence what to give instead."""
    if name not in METRICS:
        raise ValueError(f"there is no metric {name!r}; there are {', '.join(METRICS)}")
    metric = METRICS[name]
    unknown = [key for key in given if key not in [wanted.name for wanted in metric.inputs]]
    if unknown:
        raise ValueError(f"{name} takes no {', '.join(unknown)}; it takes {inputs_text(metric)}")
    values = [_value(name, wanted, given.get(wanted.name)) for wanted in metric.inputs]
    try:
        return metric.compute(*values)
    except OverflowError:
        raise ValueError(f"{name} of these inputs is too large for a number: check their units") from None


def inputs_text(metric: Metric) -> str:
    """The inputs with units and defaults, as a person reads them."""
    return ", ".join(
        f"{wanted.name}{'' if wanted.default is None else f'={wanted.default}'} ({wanted.unit})"
        for wanted in metric.inputs
    )


def _value(metric: str, wanted: Input, given: Any) -> Any:
    if given is None:
        if wanted.default is None:
            raise ValueError(f"{metric} needs {wanted.name} ({wanted.unit})")
        return wanted.default
    return (wanted.read or _number)(wanted.name, given)


def _number(name: str, given: Any) -> float:
    """A number within what a float can hold."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ValueError(f"{name} is {_shown(given)}, which is no number")
    if abs(given) > 1e300:
        raise ValueError(f"{name} is larger than any measured value")
    return float(given)


def _word(name: str, given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError(f"{name} is {_shown(given)}: give one of {', '.join(mould.MOULD_CLASSES)}")
    return given


def _rows(size: int, example: str) -> Callable[[str, Any], list[list[float]]]:
    """A reader of a list of lists of `size` numbers."""

    def read(name: str, given: Any) -> list[list[float]]:
        if not isinstance(given, list) or not given:
            raise ValueError(f"{name} is {_shown(given)}: give a list such as {example}")
        for number, row in enumerate(given, start=1):
            if not isinstance(row, list) or len(row) != size:
                raise ValueError(f"{name}, entry {number}, is {_shown(row)}: give a list such as {example}")
        return [[_number(f"{name}, entry {number}, a value", v) for v in row] for number, row in enumerate(given, 1)]

    return read


def _shown(given: Any) -> str:
    text = repr(given)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _twpi(rows: list[list[float]]) -> Value:
    value = chemistry.twpi(ClimateSpan(*row) for row in rows)
    if value is None:
        raise ValueError("samples_h_t_rh holds no time: give at least one entry with hours above 0")
    return value


def _mould_index(*inputs: Any) -> Value:
    *climate, start = inputs
    return mould.mould_index(*climate, start=start)


def _light_dose(rows: list[list[float]]) -> Value:
    return light.light_dose((hours, lux) for hours, lux in rows)


_TEMP: Final = Input("temp_c", "°C")
_RH: Final = Input("rh_pct", "%")
_CLASS: Final = Input("class", "very, sensitive, medium or resistant", "very", _word)
_AIR: Final = (_TEMP, _RH)

METRICS: Final[Mapping[str, Metric]] = {
    "dew_point": Metric("temperature at which this air begins to condense", "°C", _AIR, moisture.dew_point),
    "absolute_humidity": Metric("water in the air", "g/m³", _AIR, moisture.absolute_humidity),
    "humidity_ratio": Metric(
        "water per dry air",
        "kg/kg",
        (*_AIR, Input("pressure_pa", "Pa", moisture.STANDARD_PRESSURE_PA)),
        moisture.humidity_ratio,
    ),
    "rh_from_dew_point": Metric(
        "RH of air of this dew point brought to temp_c; 100 or more condenses",
        "%",
        (_TEMP, Input("dew_point_c", "°C")),
        moisture.rh_from_dew_point,
    ),
    "emc": Metric("equilibrium moisture content of wood", "%", _AIR, moisture.emc),
    "pi": Metric("preservation index at a constant climate", "years", _AIR, chemistry.pi),
    "twpi": Metric(
        "time-weighted preservation index",
        "years",
        (Input("samples_h_t_rh", "[[h, °C, %], ...]", read=_rows(3, "[[1, 20, 50], [1, 25, 60]]")),),
        _twpi,
    ),
    "life_multiplier": Metric(
        "chemical life relative to 20 °C and 50 %",
        "times",
        (*_AIR, Input("ea_j_mol", "J/mol, paper 100000, varnish 70000", chemistry.PAPER_EA_J_MOL)),
        chemistry.life_multiplier,
    ),
    "mould_critical_rh": Metric(
        "RH from which mould grows; none outside 0..50 °C", "%", (_TEMP, _CLASS), mould.mould_critical_rh
    ),
    "mould_index": Metric(
        "mould index M, 0 to 6, after hours of a constant climate",
        "(index)",
        (Input("hours", "h"), *_AIR, _CLASS, Input("start", "index", 0.0)),
        _mould_index,
    ),
    "mould_isoline_rh": Metric("RH below which no mould is to be expected", "%", (_TEMP,), mould.lowest_isoline_rh),
    "light_dose": Metric(
        "light received",
        "lx·h",
        (Input("intervals_h_lux", "[[h, lx], ...]", read=_rows(2, "[[8, 300], [2, 50]]")),),
        _light_dose,
    ),
    "light_year_end": Metric(
        "dose at the year's end if light goes on as so far",
        "lx·h",
        (Input("dose_lux_h", "lx·h"), Input("elapsed_days", "days")),
        light.year_end_dose,
    ),
}
