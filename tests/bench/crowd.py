"""`wrk` as a crowd: as many requests as one processor can send, and what they were told.

Python clients on one processor send perhaps two thousand requests a second, which is no crowd for a
fast server. `wrk` keeps its connections open and asks again a moment after it was answered.
"""

import asyncio
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.site import Site

WRK = shutil.which("wrk")
_MORE = 2.5  # than is meant: an answer takes time, too
_SCRIPT = """
local n, out = 0, io.open("%(out)s", "w")
out:setvbuf("full", 65536)
request = function()
  n = n + 1
  local key = string.format("wrk-%%d-%(run)d", n)
  local body = string.format('{"to": "+44208%(run)01d%%06d"}', n)
  return wrk.format("POST", "/api/v1/calls", {
    ["Authorization"] = "Bearer %(token)s",
    ["Idempotency-Key"] = key,
    ["Content-Type"] = "application/json",
  }, body)
end
delay = function()
  return %(delay_ms)d
end
response = function(status, headers, body)
  local later = "-"
  for name in pairs(headers) do
    if string.lower(name) == "retry-after" then later = "retry-after" end
  end
  local id = string.match(body, '"call_id":"([^"]+)"') or "-"
  out:write(os.time(), " ", status, " ", later, " ", id, "\\n")
  if n %% 64 == 0 then out:flush() end
end
"""


@dataclass(slots=True)
class Answers:
    """What a crowd was told.

    Attributes:
        good_per_s: calls that were taken, from `settled_s` on.
        offered_per_s: requests that were answered at all.
        statuses: how often each answer came.
        call_ids: of the calls that were taken.
    """

    good_per_s: float
    offered_per_s: float
    statuses: Counter[str] = field(default_factory=Counter)
    call_ids: list[str] = field(default_factory=list)


async def crowd(
    site: Site, run: int, *, rate: float, connections: int, seconds: int, settled_s: int
) -> Answers:
    """Let `wrk` ask for calls, every one with its own key and number.

    Args:
        site: whom.
        run: of this server, 0 to 9, so that keys are never used twice.
        rate: requests a second that are meant; fewer come while answers take long.
        connections: open at once.
        seconds: how long.
        settled_s: what comes before is not counted as good.
    """
    assert WRK is not None
    with tempfile.TemporaryDirectory(prefix="callgate-crowd-") as name:
        out, script = Path(name) / "answers", Path(name) / "crowd.lua"
        delay_ms = 1000 * connections / (_MORE * rate)
        words = {"out": out, "run": run, "token": site.token, "delay_ms": delay_ms}
        script.write_text(_SCRIPT % words, encoding="utf-8")
        began = time.time()  # noqa: TID251  (wrk's clock is the machine's)
        process = await asyncio.create_subprocess_exec(
            *(WRK, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", script),
            f"http://127.0.0.1:{site.ports['http']}",
            stdout=asyncio.subprocess.DEVNULL,
        )
        await process.wait()
        lines = [line.split() for line in out.read_text(encoding="ascii").splitlines()]
    return _counted([line for line in lines if len(line) == len("abcd")], began, seconds, settled_s)


def _counted(lines: list[list[str]], began: float, seconds: int, settled_s: int) -> Answers:
    first, last = int(began) + settled_s, int(began) + seconds
    taken = [line for line in lines if line[1] == "202"]
    good = sum(first <= int(line[0]) < last for line in taken)
    answers = Answers(good / (last - first), len(lines) / seconds)
    for _, status, later, _ in lines:
        answers.statuses[status if later == "-" else f"{status} {later}"] += 1
    answers.call_ids = [line[3] for line in taken]
    return answers
