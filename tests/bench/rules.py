"""What rules cost, beside reading the plan.

python -m tests.bench.rules [--megabytes 147] [--rounds 15]

A plan of 147 MB has 10,000 resources with some forty attributes each, of which 1 % change. It is
read as `plan` reads it, and then asked for by a hundred rules of all sorts, as the gate asks. The
plans of the other sizes have the same changes under other addresses. All in one process, in turns:
CPU of this process, median over the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from driftctl_py.core.assessment import Assessment, assess
from driftctl_py.core.decision import Judgement, Rulings, judge
from driftctl_py.core.environment import ApplyModes, Mode
from driftctl_py.core.plan import Joined, Kind, Plan
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.core.rules import rulings_of
from tests.bench.measure import verdict
from tests.bench.plans import write_plan

LIMIT_MILLISECONDS = 50
MODES = ApplyModes(Mode.GATE, Mode.AUTO)
SIZES = (10, 100, 1000)

Asked = tuple[Plan, Assessment, Judgement]


def rules(count: int) -> tuple[Rule, ...]:
    """So many rules, ten sorts of them in turns, no two alike. Most match something, and a tenth
    looks into each object that it meets."""
    return tuple(_SORTS[number % len(_SORTS)](number) for number in range(count))


_SORTS: tuple[Callable[[int], Rule], ...] = (
    lambda at: Rule(f"r{at}", Effect.DENY, types=("aws_db_*", f"aws_rds_{at}"), holds_data=True),
    lambda at: Rule(f"r{at}", Effect.APPROVE, groups=("dba",), actions=("delete", "replace")),
    lambda at: Rule(f"r{at}", Effect.DENY, addresses=(f"module.*{at}*.aws_instance.*",)),
    lambda at: Rule(f"r{at}", Effect.WARN, attributes=("tags", f"tags_{at}"), causes=("drift",)),
    lambda at: Rule(f"r{at}", Effect.ALLOW, attributes=("tags.*",), at_most=at),
    lambda at: Rule(f"r{at}", Effect.APPROVE, providers=("hashicorp/aws",), share=at % 50 + 1),
    lambda at: Rule(f"r{at}", Effect.DENY, values={"instance_type": (f"m{at}.*", "*.metal")}),
    lambda at: Rule(f"r{at}", Effect.WARN, attributes=(f"ebs_block_device[*].{at}", "user_data*")),
    lambda at: Rule(f"r{at}", Effect.APPROVE, addresses=(f"*.node[{at}]",), actions=("update",)),
    lambda at: Rule(f"r{at}", Effect.DENY, types=("aws_instance",), at_least=at + 1000),
)


def asked(plan: Plan) -> Asked:
    """All that a plan is judged by before any rule is asked."""
    assessment = assess(plan)
    return plan, assessment, judge(plan, assessment, MODES, Rulings(), code_is_applied=False)


def ruled(rules: Sequence[Rule], of: Asked) -> Rulings:
    """What the gate does with it."""
    plan, assessment, judgement = of
    findings = (*assessment.findings, *assessment.equivalent)
    return rulings_of(rules, plan, findings, judgement, assessment.managed)


def of_changes(plan: Plan, count: int) -> Plan:
    """A plan with so many changes, like those of the one given."""
    changing = [
        each.change for each in plan.joined if each.change and each.change.kind is not Kind.NO_OP
    ]
    made = (
        replace(
            changing[at % len(changing)], address=f"{changing[at % len(changing)].address}_{at}"
        )
        for at in range(count)
    )
    return replace(plan, joined=tuple(Joined(each, None) for each in made), managed=100 * count)


def milliseconds(work: Callable[[], object]) -> float:
    """CPU of this process."""
    before = time.process_time()
    work()
    return (time.process_time() - before) * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.rules")
    parser.add_argument("--megabytes", type=float, default=147)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "plan.json"
        made = write_plan(path, arguments.megabytes)
        data = path.read_bytes()
    plan = decode_plan(data)
    whole, hundred = asked(plan), rules(100)
    print(f"{made.resources:,} resources, {len(whole[2].changes)} of them change\n")
    first = milliseconds(lambda: ruled(hundred, whole))
    matched = sum(map(len, ruled(hundred, whole).of_change.values()))
    reads, asks = [], []
    for _ in range(arguments.rounds):
        reads.append(milliseconds(lambda: asked(decode_plan(data))))
        asks.append(milliseconds(lambda: ruled(hundred, whole)))
    read, ask = statistics.median(reads), statistics.median(asks)
    print(f"reading, assessing and judging it: {read:.0f} ms")
    print(f"asking 100 rules, which match {matched} times: {ask:.1f} ms ({ask / read:.1%} of that)")
    print(f"the first time, with all globs to be made: {first:.1f} ms")
    plans = {count: asked(of_changes(plan, count)) for count in SIZES}
    samples: dict[tuple[int, int], list[float]] = {}
    for _ in range(arguments.rounds):
        for many in SIZES:
            some = rules(many)
            for count, each in plans.items():
                took = milliseconds(lambda each=each, some=some: ruled(some, each))  # type: ignore[misc]  # bound at once
                samples.setdefault((many, count), []).append(took)
    print("\n| rules | changes | ms | µs for each rule and change |\n|---|---|---|---|")
    for (many, count), times in samples.items():
        took = statistics.median(times)
        print(f"| {many:,} | {count:,} | {took:.2f} | {took * 1000 / many / count:.2f} |")
    print(f"\n{verdict('milliseconds of 100 rules', max(ask, first), LIMIT_MILLISECONDS)}")


if __name__ == "__main__":
    main()
