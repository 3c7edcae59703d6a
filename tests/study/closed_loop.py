"""Does the rule engine hold the rooms with less energy? docs/closed-loop.md tells what is compared and what came out.

python -m tests.study.closed_loop [--weather FILE] [--months 7 1] [--days N] [--seed 1] [--fan N] [--out PAGE]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from environment.config import EnvironmentConfig
from firmware_sim.weather import Climate
from tests.study.climate import VARIABLE, WeatherFileError, climate_for
from tests.study.loop import Period, load_rules, month, simulate
from tests.study.measures import BANDS
from tests.study.plot import svg
from tests.study.report import MODES, Results, markdown, missed

ROOT = Path(__file__).parents[2]
PREFIX = {"rules": "docs/rules/", "baseline": "tests/study/rules/baseline-", "naive": "tests/study/rules/naive-"}
BEGIN, END = "<!-- figures: made by tests.study.closed_loop -->", "<!-- end of figures -->"
PLOT_MONTH = 7
BASELINE_FAN = "reading-fan"


def study(climate: Climate, periods: dict[int, Period], seed: int, *, fan: int | None = None) -> Results:
    """Every mode in every period, by month; `fan` takes the place of the baseline's in the reading room."""
    results: Results = {}
    for name, period in periods.items():
        for mode in MODES:
            rules = {room: load_rules(ROOT / f"{PREFIX[mode]}{room}.toml") for room in BANDS}
            if fan is not None and mode == "baseline":
                rules["reading-room"] = with_fan(rules["reading-room"], fan)
            results[name, mode] = simulate(rules, climate, period, seed)
    return results


def with_fan(rules: EnvironmentConfig, fan: int) -> EnvironmentConfig:
    """The baseline with another constant fan."""
    changed = [rule.model_copy(update={"set_value": fan}) if rule.id == BASELINE_FAN else rule for rule in rules.rule]
    return rules.model_copy(update={"rule": tuple(changed)})


def write(out: Path, text: str, results: Results) -> None:
    """Put the figures into the page, and the plot beside it when its month was simulated."""
    page = out.read_text(encoding="utf-8") if out.exists() else f"{BEGIN}\n{END}\n"
    before, _, rest = page.partition(BEGIN)
    if END not in rest:
        raise WeatherFileError(f"{out} has no place for the figures: it needs the lines {BEGIN} and {END}")
    out.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    if (PLOT_MONTH, "rules") in results:
        runs = {
            room: (title, {mode: results[PLOT_MONTH, mode][room] for mode in ("baseline", "rules")})
            for room, title in (("reading-room", "Reading room"), ("stacks", "Stacks"))
        }
        image = out.parent / "img" / f"{out.stem}.svg"
        image.parent.mkdir(exist_ok=True)
        image.write_text(svg("15 July, minute by minute", runs), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; 0 when every target holds, 1 when one is missed, 2 without a usable weather file or page."""
    parser = argparse.ArgumentParser(prog="python -m tests.study.closed_loop", description=__doc__.splitlines()[0])
    parser.add_argument("--weather", type=Path, metavar="FILE", help=f"hourly year as CSV; or set {VARIABLE}")
    parser.add_argument("--months", type=int, nargs="+", choices=range(1, 13), default=[7, 1], metavar="M")
    parser.add_argument("--days", type=int, help="only the first days of each month")
    parser.add_argument("--seed", type=int, default=1, help="of noise and loss (default 1)")
    parser.add_argument("--fan", type=int, help="of the baseline's reading room in opening hours, instead of 45 %%")
    parser.add_argument("--out", type=Path, metavar="PAGE", help="put the figures into this page")
    options = parser.parse_args(arguments)
    try:
        climate, source = climate_for(options.weather)
        months = dict.fromkeys(options.months)
        periods = {number: month(number, options.days) for number in months}
        results = study(climate, periods, options.seed, fan=options.fan)
        command = f"--weather FILE --months {' '.join(map(str, months))} --seed {options.seed}"
        text = f"Weather: {source}. Made by `python -m tests.study.closed_loop {command}`.\n\n{markdown(results)}"
        print(text)
        if options.out:
            write(options.out, text, results)
    except WeatherFileError as error:
        print(error, file=sys.stderr)
        return 2
    for line in missed(results):
        print(f"missed: {line}", file=sys.stderr)
    return 1 if missed(results) else 0


if __name__ == "__main__":
    sys.exit(main())
