"""Prints one table of measurements: of the benches, and of the running platform. Called by scripts/bench."""

import itertools
import json
import os
import pathlib
import platform as machine
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

REQUESTS = 30  # deployments that are timed
STARTS = 3  # second starts that are timed
TENANTS, APIS = 100, 100  # of each tenant, in the large catalogue
RATE, SECONDS = 1000, 20  # of reads
SERVICES = ("control-plane-api", "deployment-worker", "mcp-gateway")
IDLE = 5  # seconds without work before memory is read
PATIENCE = 120  # seconds for anything


def rows_of_criterion(folder):
    """Median and confidence of every benchmark that criterion left behind."""
    for path in sorted(pathlib.Path(folder).glob("**/new/estimates.json")):
        median = json.loads(path.read_text())["median"]
        name = json.loads((path.parent / "benchmark.json").read_text())["full_id"]
        low, high = (median["confidence_interval"][side] for side in ("lower_bound", "upper_bound"))
        yield name, "criterion", duration(median["point_estimate"] / 1e9), f"{duration(low / 1e9)} to {duration(high / 1e9)}"


def rows_of_benches(text):
    """The lines `BENCH {json}` of benches that have their own measure."""
    for line in text.splitlines():
        if line.startswith("BENCH "):
            row = json.loads(line.removeprefix("BENCH "))
            yield row["name"], row["n"], row["value"], row["spread"]


def duration(seconds):
    for unit, factor in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


class Platform:
    def __init__(self, binary, data, *options):
        self.binary, self.data = binary, data
        command = [binary, "--data", data, "--output", "json", "up", "--light", *options]
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

    def memory(self, field):
        """Megabytes of each service's own process: VmRSS as it is now, VmHWM at its largest."""
        sizes = {}
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
                name = pathlib.Path(os.readlink(status.parent / "exe")).name
                if int(fields["PPid"]) == self.process.pid and name in SERVICES:
                    sizes[name] = int(fields[field].split()[0]) / 1024
            except (OSError, KeyError, ValueError):
                continue
        return sizes


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def header(headers, name):
    return next(value for key, value in headers.items() if key.lower() == name)


class Stream(threading.Thread):
    """Notes when each commit's event came by a tenant's stream."""

    def __init__(self, platform, tenant, token):
        super().__init__(daemon=True)
        url = f"{platform.connection['api'].rstrip('/')}/v1/events/stream/{tenant}?event_types=api-updated"
        request = urllib.request.Request(url, headers={"authorization": f"Bearer {token}"})
        self.answer = urllib.request.urlopen(request, timeout=PATIENCE)
        self.came = {}
        self.start()

    def run(self):
        for line in self.answer:
            if line.startswith(b"data:"):
                self.came[json.loads(line[5:])["change"]["commit"]] = time.monotonic()


def time_changes(platform):
    """From the request that changes an API: to its answer, to its event, to its verified deployment."""
    token = platform.token("ada")
    path = "/v1/tenants/demo/apis/petstore"
    stream = Stream(platform, "demo", token)
    accepted, told, verified = [], [], []
    for number in range(REQUESTS):
        headers, _ = platform.call("GET", path, token)
        since = time.monotonic()
        body = {"description": f"Change {number}"}
        headers, _ = platform.call("PUT", path, token, body, if_match=header(headers, "etag"))
        answered = time.monotonic()
        commit = header(headers, "stoa-commit")
        while time.monotonic() - since < PATIENCE:
            _, page = platform.call("GET", "/v1/tenants/demo/deployments?limit=1", token)
            newest = page["items"][0]
            if newest["commit"] == commit and newest["status"] == "succeeded" and commit in stream.came:
                break
            time.sleep(0.005)
        else:
            raise SystemExit(f"change {number} was not deployed")
        accepted.append(answered - since)
        told.append(stream.came[commit] - answered)
        verified.append(time.monotonic() - since)
    return accepted, told, verified


def large_catalogue(remote):
    """Commits the APIs of the large catalogue, in one commit and without deployments."""
    document = json.dumps({
        "openapi": "3.1.0", "info": {"title": "Things", "version": "1"},
        "paths": {f"/things-{n}": {"get": {"responses": {"200": {"description": "ok"}}}} for n in range(10)},
    })
    head = "apiVersion: stoa.io/v1\nkind: {}\nmetadata: {{name: {}}}\nspec: {}\n"
    stream = [f"commit refs/heads/main\ncommitter Bench <bench@stoa.example> {int(time.time())} +0000\ndata 4\nBulk\n"
              "from refs/heads/main^0\n"]

    def put(path, text):
        stream.append(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n")

    for tenant in (f"tenant-{n:03}" for n in range(TENANTS)):
        put(f"tenants/{tenant}/tenant.yaml", head.format("Tenant", tenant, "{quotas: {maxApis: 1000}}"))
        for api in (f"api-{n:03}" for n in range(APIS)):
            folder = f"tenants/{tenant}/apis/{api}"
            put(f"{folder}/api.yaml", head.format("API", api, f"{{backend: {{url: 'http://{api}.{tenant}.example'}}}}"))
            put(f"{folder}/openapi.json", document)
    subprocess.run(["git", "-C", remote, "fast-import", "--quiet"], input="".join(stream), text=True, check=True)
    return subprocess.run(["git", "-C", remote, "rev-parse", "main"], check=True, capture_output=True, text=True).stdout.strip()


def measure_large(binary):
    """A catalogue of many APIs: how long the relay takes, and how fast reads are then."""
    data = tempfile.mkdtemp(prefix="stoa-bench-")
    platform = None
    try:
        platform = Platform(binary, data, "--separate")
        token = platform.token("admin")
        since = time.monotonic()
        commit = large_catalogue(platform.connection["git"])
        pushed = time.monotonic()
        while True:
            try:
                platform.call("GET", "/v1/tenants?limit=1", token, stoa_wait_for=commit, prefer="wait=5")
                break
            except urllib.error.HTTPError as error:
                if time.monotonic() - since > PATIENCE:
                    raise SystemExit(f"the large catalogue was not relayed: {error}") from error
        took, count = time.monotonic() - pushed, TENANTS * APIS
        yield f"relay of a first commit with {count:,} APIs", 1, duration(took), ""
        size = platform.memory("VmHWM")["control-plane-api"]
        yield "its largest memory, control-plane-api", 1, f"{size:.0f} MiB", ""
        base = platform.connection["api"].removeprefix("http://").rstrip("/")
        for name, path in (("read of an API", "/v1/tenants/tenant-{:03}/apis/api-{:03}"),
                           ("page of 20 APIs", "/v1/tenants/tenant-{:03}/apis?limit=20&_={:03}")):
            paths = [path.format(n * 7 % TENANTS, n * 13 % APIS) for n in range(500)]
            if "_=" in path:
                paths = [text.split("&_=")[0] for text in paths]
            load = pathlib.Path(binary).parent / "examples" / "load"
            command = [load, base, str(RATE), str(SECONDS), *paths]
            printed = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "STOA_TOKEN": token})
            row = json.loads(printed.stdout)
            yield f"{name}, {count:,} in the catalogue, {RATE:,} a second", row["n"], f"p99 {duration(row['p99'])}", f"p50 {duration(row['p50'])}, at most {duration(row['most'])}"
    finally:
        if platform:
            platform.stop()
        shutil.rmtree(data, ignore_errors=True)


def measure(binary):
    data = tempfile.mkdtemp(prefix="stoa-bench-")
    try:
        Platform(binary, data, "--demo").stop()
        starts = []
        for _ in range(STARTS):
            platform = Platform(binary, data, "--demo")
            starts.append(platform.took)
            platform.stop()
        yield "`stoa up --light --demo` to ready, second start", STARTS, duration(statistics.median(starts)), f"at most {duration(max(starts))}"
        platform = Platform(binary, data, "--demo", "--separate")
        try:
            time.sleep(IDLE)
            for name, size in sorted(platform.memory("VmRSS").items()):
                yield f"resident memory of {name}, idle", 1, f"{size:.0f} MiB", ""
            accepted, told, verified = time_changes(platform)
            for name, values in (("write accepted (local Git)", accepted), ("commit to event, by nudge", told),
                                 ("request to verified on the built-in gateway", verified)):
                yield name, len(values), f"p50 {duration(percentile(values, 0.5))}", f"p95 {duration(percentile(values, 0.95))}, at most {duration(max(values))}"
        finally:
            platform.stop()
    finally:
        shutil.rmtree(data, ignore_errors=True)


def main():
    binary, criterion, benches = sys.argv[1:]
    processor = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    print(f"Machine: {os.cpu_count()} cores, {processor}, {machine.system()} {machine.release()}; build: {pathlib.Path(binary).parent.name}\n")
    print("| what | N | measured | spread |\n|---|---|---|---|")
    measured = (rows_of_criterion(criterion), rows_of_benches(pathlib.Path(benches).read_text()), measure(binary), measure_large(binary))
    for row in itertools.chain(*measured):
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)


main()
