"""Our server beside nginx: 256 KB ranges of one COG, many connections, the same files in one run.

Usage: python -m benchmarks.serve [SECONDS] [CONNECTIONS]; needs Debian's wrk and nginx-light.

The servers are asked in turn by wrk, in one round of SECONDS (30 when nothing is said) and two of a third of it: 110 s
in all. Memory is the resident set of all processes of a server: after the warming up, then a few seconds into each
round and at its end. nginx has a process for each core, our server one in all.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.process import ROOT
from tests.made.tiny_archive import COG_PATH, surface, write_archive, write_cog, write_manifest

RANGE_BYTES = 256 * 1024
_SERVER = (
    "import sys, pathlib; from catalog.serve.server import serve; "
    "serve(pathlib.Path(sys.argv[1]), port=int(sys.argv[2]))"
)
_NGINX = """daemon off; worker_processes auto; pid {folder}/nginx.pid; error_log {folder}/error.log; user root;
events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; tcp_nopush on; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
server {{ listen 127.0.0.1:{port} backlog=2048; root {root}; }} }}
"""
# every request another part of the file, the same sequence for both servers
_SCRIPT = """local part = 0
request = function()
  part = (part + 7) % {parts}
  local first = part * {size}
  return wrk.format("GET", "/{path}", {{["Range"] = "bytes=" .. first .. "-" .. (first + {size} - 1)}})
end
done = function(summary, latency)
  local e = summary.errors
  local errors = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format("FOUND %d %d %d %d\\n", summary.requests, summary.bytes, summary.duration, errors))
end
"""


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(command: list[str], port: int) -> Iterator[int]:
    """A server in a process group of its own, once it answers; gives the group's number."""
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise SystemExit(f"{command[0]} does not answer") from None
                time.sleep(0.1)
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def resident_mb(group: int) -> float:
    """Resident memory of all processes of a group, MB."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            total += int(fields[21]) * os.sysconf("SC_PAGESIZE")
    return total / 1e6


def note(memory: list[float], group: int) -> None:
    """Add what the processes of a group hold now."""
    memory.append(resident_mb(group))


def main(seconds: int = 30, connections: int = 200) -> None:
    """Print every run, the medians and the ratio."""
    for tool in ("wrk", "nginx"):
        if shutil.which(tool) is None:
            raise SystemExit(f"{tool} is not installed")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)
        root = write_archive(folder / "archive")
        write_cog(root / COG_PATH, surface(3000, 4000))
        write_manifest(root)
        parts = (root / COG_PATH).stat().st_size // RANGE_BYTES
        script = folder / "ranges.lua"
        script.write_text(_SCRIPT.format(parts=parts, size=RANGE_BYTES, path=COG_PATH))
        ports = {"ours": free_port(), "nginx": free_port()}
        settings = folder / "nginx.conf"
        settings.write_text(_NGINX.format(folder=folder, root=root, port=ports["nginx"]))
        commands = {
            "ours": [sys.executable, "-c", _SERVER, str(root), str(ports["ours"])],
            "nginx": ["nginx", "-c", str(settings)],
        }
        with started(commands["ours"], ports["ours"]) as ours, started(commands["nginx"], ports["nginx"]) as nginx:
            compare({"ours": ours, "nginx": nginx}, ports, script, (seconds, seconds / 3, seconds / 3), connections)


def compare(
    groups: Mapping[str, int], ports: Mapping[str, int], script: Path, rounds: Sequence[float], connections: int
) -> None:
    """Ask both servers in turn, once a round; print every run, and the medians with the ratio's."""
    memory: dict[str, list[float]] = {name: [] for name in groups}
    rates: dict[str, list[float]] = {name: [] for name in groups}
    for name, group in groups.items():
        measure(name, ports[name], script, 2, 20)  # warm
        note(memory[name], group)
    for length in rounds:
        for name, group in groups.items():
            early = threading.Timer(min(5, length / 2), note, (memory[name], group))
            early.start()
            rate, told = measure(name, ports[name], script, round(length), connections)
            early.join()
            note(memory[name], group)
            rates[name].append(rate)
            print(told, flush=True)
    for name, found in rates.items():
        held = " -> ".join(f"{one:.0f}" for one in memory[name])
        print(f"{name}: median {statistics.median(found):.0f} requests/s, memory {held} MB")
    ratios = [ours / nginx for ours, nginx in zip(rates["ours"], rates["nginx"], strict=True)]
    print(f"ours / nginx: median {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}")


def measure(name: str, port: int, script: Path, seconds: int, connections: int) -> tuple[float, str]:
    """Requests a second, and a line that says so."""
    asked = ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", str(script)]
    done = subprocess.run([*asked, f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True)
    found = re.search(r"FOUND (\d+) (\d+) (\d+) (\d+)", done.stdout)
    if found is None:
        raise SystemExit(f"wrk said: {done.stdout}{done.stderr}")
    requests, content, microseconds, errors = map(int, found.groups())
    rate = requests / microseconds * 1e6
    return rate, f"{name}: {rate:.0f} requests/s, {content / microseconds:.0f} MB/s, {errors} errors"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
