"""Prints one table of measurements: criterion's results, and the running platform's. Called by scripts/bench."""

import json
import os
import pathlib
import platform as machine
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

REQUESTS = 30  # deployments that are timed
STARTS = 3  # second starts that are timed
PATIENCE = 120  # seconds for anything


def rows_of_criterion(folder):
    """Median and confidence of every benchmark that criterion left behind."""
    for path in sorted(pathlib.Path(folder).glob("**/new/estimates.json")):
        median = json.loads(path.read_text())["median"]
        name = json.loads((path.parent / "benchmark.json").read_text())["full_id"]
        low, high = (median["confidence_interval"][side] for side in ("lower_bound", "upper_bound"))
        yield name, "criterion", duration(median["point_estimate"] / 1e9), f"{duration(low / 1e9)} to {duration(high / 1e9)}"


def duration(seconds):
    for unit, factor in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


class Platform:
    def __init__(self, binary, data, *options):
        self.binary, self.data = binary, data
        command = [binary, "--data", data, "--output", "json", "up", "--light", "--demo", *options]
        since = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        text = ""
        while line := self.process.stdout.readline():
            text += line
            try:
                self.connection = json.loads(text)
                break
            except json.JSONDecodeError:
                continue
        else:
            raise SystemExit("`stoa up` did not start")
        self.took = time.monotonic() - since

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)

    def token(self, user):
        command = [self.binary, "--data", self.data, "token", "--user", user]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def call(self, method, path, token, body=None, **headers):
        url = self.connection["api"].rstrip("/") + path
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method)
        request.add_header("authorization", f"Bearer {token}")
        if body is not None:
            request.add_header("content-type", "application/json")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return dict(answer.headers), json.load(answer)

    def resident(self):
        """Megabytes of each service's own process."""
        sizes = {}
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                parent = subprocess.run(["ps", "-o", "ppid=", "-p", status.parent.name], capture_output=True, text=True)
                if int(parent.stdout or 0) != self.process.pid:
                    continue
                fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
                name = pathlib.Path(os.readlink(status.parent / "exe")).name
                sizes[name] = int(fields["VmRSS"].split()[0]) / 1024
            except (OSError, KeyError, ValueError):
                continue
        return sizes


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def time_changes(platform):
    """From the request that changes an API to its verified deployment."""
    token = platform.token("ada")
    path = "/v1/tenants/demo/apis/petstore"
    accepted, verified = [], []
    for number in range(REQUESTS):
        headers, _ = platform.call("GET", path, token)
        etag = next(value for name, value in headers.items() if name.lower() == "etag")
        since = time.monotonic()
        headers, _ = platform.call("PUT", path, token, {"description": f"Change {number}"}, if_match=etag)
        accepted.append(time.monotonic() - since)
        commit = next(value for name, value in headers.items() if name.lower() == "stoa-commit")
        while time.monotonic() - since < PATIENCE:
            _, page = platform.call("GET", "/v1/tenants/demo/deployments?limit=1", token)
            newest = page["items"][0]
            if newest["commit"] == commit and newest["status"] == "succeeded":
                break
            time.sleep(0.005)
        else:
            raise SystemExit(f"change {number} was not deployed")
        verified.append(time.monotonic() - since)
    return accepted, verified


def measure(binary):
    data = tempfile.mkdtemp(prefix="stoa-bench-")
    try:
        Platform(binary, data).stop()
        starts = []
        for _ in range(STARTS):
            platform = Platform(binary, data)
            starts.append(platform.took)
            platform.stop()
        yield "`stoa up --light` to ready, second start", STARTS, duration(statistics.median(starts)), f"at most {duration(max(starts))}"
        platform = Platform(binary, data, "--separate")
        try:
            accepted, verified = time_changes(platform)
            for name, values in (("write accepted (local Git)", accepted), ("request to verified on the built-in gateway", verified)):
                yield name, len(values), f"p50 {duration(percentile(values, 0.5))}", f"p95 {duration(percentile(values, 0.95))}"
            for name, size in sorted(platform.resident().items()):
                if name in ("control-plane-api", "deployment-worker", "mcp-gateway"):
                    yield f"resident memory of {name}, after {REQUESTS} changes", 1, f"{size:.0f} MiB", ""
        finally:
            platform.stop()
    finally:
        shutil.rmtree(data, ignore_errors=True)


def main():
    binary, criterion = sys.argv[1:]
    processor = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    print(f"Machine: {os.cpu_count()} cores, {processor}, {machine.system()} {machine.release()}; build: {pathlib.Path(binary).parent.name}\n")
    print("| what | N | measured | spread |\n|---|---|---|---|")
    for row in (*rows_of_criterion(criterion), *measure(binary)):
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)


main()
