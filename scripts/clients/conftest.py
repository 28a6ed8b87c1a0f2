"""A platform of its own for these tests, started as anybody would start it."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import urllib.request

import pytest

START = 180  # seconds; the first start of a machine prepares Kafka


class Platform:
    """Addresses of a running platform, and its command line."""

    def __init__(self, binary, data, process, connection):
        self.binary, self.data, self.process = binary, data, process
        self.__dict__.update(connection)

    def stoa(self, *arguments):
        """What a command prints."""
        command = [self.binary, "--data", self.data, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    def token(self, user):
        return self.stoa("token", "--user", user).strip()

    def get(self, path, user="ada"):
        request = urllib.request.Request(self.api.rstrip("/") + path)
        request.add_header("authorization", f"Bearer {self.token(user)}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


def _read_connection(process):
    """The first JSON document on the child's standard output."""
    text = ""
    while line := process.stdout.readline():
        text += line
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            continue
    raise RuntimeError(f"`stoa up` ended with {process.wait()}")


@pytest.fixture(scope="session")
def platform():
    binary = os.environ["STOA_BIN"]
    data = tempfile.mkdtemp(prefix="stoa-clients-")
    command = [binary, "--data", data, "--output", "json", "up", "--light", "--demo"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    previous = signal.signal(signal.SIGALRM, lambda *_: process.kill())
    signal.alarm(START)
    try:
        connection = _read_connection(process)
        signal.alarm(0)
        yield Platform(binary, data, process, connection)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
        process.terminate()
        try:
            process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(data, ignore_errors=True)
