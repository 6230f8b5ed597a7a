#!/usr/bin/env python3
"""Alerts reach a webhook over everything that happens to it and to docketd: refused connections, errors, no answer,
SIGKILL of either, a message that is refused for good, TLS. Usage: outbox.py DOCKETD DOCKET

Nothing sleeps: each step waits until the receiver, or a stream of the server, has seen what the step is about.
"""
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

PATIENCE = 120  # seconds until a condition that does not come is a failure
KEY = b"0123456789abcdef0123456789abcdef"
PACKS = pathlib.Path(__file__).resolve().parents[2] / "workflow/policy/packs"
SLA = """sla: seconds
obligation: CUSTOMER
order: 1
when: {case.kind: [COMPLAINT]}
calendar: always
metrics:
  - metric: FIRST_RESPONSE
    nature: DUTY
    start: {event: case_received}
    start_at: received_at
    stop:
      - {event: outbound_sent}
    answerable: ACCOUNTABLE
    targets:
      - {target: 1s}
    warnings_permille: [500]
"""


def check(condition, message):
    if not condition:
        raise SystemExit(f"FAIL  {message}")


class Receiver:
    """Takes alerts on a port that stays the same over restarts. `mode`: ok, error, hang; `refused`: positions."""

    def __init__(self):
        self.changed = threading.Condition()
        self.attempts, self.accepted, self.hanging = [], [], 0
        self.mode, self.refuse = "ok", lambda event: False
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.server = None

    def start(self, certificate=None):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                receiver.take(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address = daemon_threads = True

            def handle_error(self, *_):
                pass  # a sender that was killed or does not trust the certificate

        self.server = Server(("127.0.0.1", self.port), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.set_mode("ok")  # whoever hangs ends

    def set_mode(self, mode):
        with self.changed:
            self.mode = mode
            self.changed.notify_all()

    def take(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"]))
        parts = dict(part.split("=", 1) for part in request.headers["Docket-Signature"].split(","))
        mac = hmac.new(KEY, parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
        signed = hmac.compare_digest(mac, parts["v1"])
        event = json.loads(body)
        with self.changed:
            self.attempts.append(event)
            status = 204 if signed else 401
            if self.mode == "hang":
                self.hanging += 1
                self.changed.notify_all()
                self.changed.wait_for(lambda: self.mode != "hang", PATIENCE)
                status = 500
            elif self.mode == "error":
                status = 500
            elif self.refuse(event):
                status = 422
            if status == 204:
                self.accepted.append(event)
            self.changed.notify_all()
        request.send_response(status)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def wait(self, what, condition):
        with self.changed:
            check(self.changed.wait_for(condition, PATIENCE), f"waited in vain for {what}")


class Docketd:
    def __init__(self, docketd, docket, work):
        self.docketd, self.docket, self.work, self.process = docketd, docket, work, None

    def start(self, *arguments):
        with open(self.work / "docketd.err", "ab") as errors:
            self.process = subprocess.Popen(
                [self.docketd, "--data", self.work / "data", "--listen", "127.0.0.1:0", "--metrics", "off",
                 "--webhook", self.work / "webhooks.yaml", *arguments], stdout=subprocess.PIPE, stderr=errors, text=True)
        line = self.process.stdout.readline()
        check(line.startswith("listening on "), "docketd did not start:\n" + (self.work / "docketd.err").read_text())
        os.environ["DOCKET_SERVER"] = line.split()[-1]

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def stop(self):
        self.process.terminate()
        check(self.process.wait(PATIENCE) == 0, "docketd did not end cleanly")
        self.process.stdout.close()
        self.process = None

    def run(self, *arguments):
        end = time.monotonic() + PATIENCE
        while True:
            done = subprocess.run([self.docket, "--as", "grace.lind", *arguments], capture_output=True, text=True,
                                  timeout=PATIENCE)
            # A machine that is busy with other things may take longer to connect than the command line waits.
            if "cannot connect" not in done.stderr or time.monotonic() > end:
                break
        check(done.returncode == 0, f"docket {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def lines(self, *arguments):
        return [json.loads(line) for line in self.run("-o", "jsonl", *arguments).splitlines()]

    def file_cases(self, count):
        """Files cases and waits until all that is told of them is in the log: a warning, a breach, an escalation."""
        before = len(self.lines("alerts"))
        for _ in range(count):
            self.run("case", "file", "--kind", "complaint", "--title", "x")
        self.run("-o", "jsonl", "alerts", "--from", "1", "--follow", "--limit", str(before + 3 * count))

    def webhook(self, condition, what):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            webhook = self.lines("admin", "webhooks")[0]
            if condition(webhook):
                return webhook
        raise SystemExit(f"FAIL  waited in vain for {what}: {webhook}")


def position(event):
    return int(event["id"].split("/")[1])


def expect_all(server, receiver):
    """Everything in the log was accepted at least once, each case's in order when it came first."""
    expected = {int(alert["position"]) for alert in server.lines("alerts")}
    receiver.wait("every alert", lambda: {position(event) for event in receiver.accepted} >= expected)
    last, seen = {}, set()
    for event in receiver.accepted:
        if position(event) in seen:
            continue
        seen.add(position(event))
        check(position(event) > last.get(event["subject"], 0), f"out of order: {event}")
        last[event["subject"]] = position(event)
    check(seen == expected, "alerts that nobody raised")


def configure(work, receiver, scheme, extra=""):
    (work / "webhooks.yaml").write_text(
        f"- {{name: ops, url: '{scheme}://127.0.0.1:{receiver.port}/hook', secret_file: key, timeout: 1s,"
        f" retry_longest: 1s, from: beginning{extra}}}\n")


def storms(server, receiver):
    server.file_cases(3)  # while nobody listens
    server.webhook(lambda one: int(one.get("failed", 0)) >= 2 and one.get("pending", 0) == 9, "failing attempts")
    server.kill()
    receiver.mode = "error"
    receiver.start()
    server.start()
    receiver.wait("errors answered", lambda: len(receiver.attempts) >= 3)
    receiver.set_mode("hang")
    receiver.wait("a request without an answer", lambda: receiver.hanging >= 1)
    server.file_cases(2)  # the writer does not notice
    server.kill()
    receiver.stop()
    server.start()
    receiver.start()
    expect_all(server, receiver)
    # Killed at any moment while letters flow.
    for _ in range(4):
        count = len(receiver.accepted)
        server.file_cases(2)
        receiver.wait("letters flowing", lambda: len(receiver.accepted) > count)
        server.kill()
        server.start()
    expect_all(server, receiver)
    server.stop()
    server.start()


def poison(server, receiver):
    count = len(server.lines("alerts"))
    seen = {event["subject"] for event in receiver.accepted}
    first = []

    def refuse(event):  # the first alert of the first new case
        if event["subject"] not in seen and not first:
            first.append(event["id"])
        return event["id"] in first

    receiver.refuse = refuse
    server.file_cases(2)
    receiver.wait("all but the refused one", lambda: len({e["id"] for e in receiver.accepted}) >= count + 5)
    dead = server.lines("admin", "dead-letters")
    check([letter["id"] for letter in dead] == first, f"dead letters: {dead}")
    check(dead[0]["attempts"] == 3 and dead[0]["lastError"] == "HTTP 422", f"dead letter: {dead}")
    for event in receiver.accepted:
        behind = event["subject"] == dead[0]["caseNo"]
        check(event.get("docketprecedinglost") == (first[0] if behind else None), f"preceding lost: {event}")
    server.kill()
    server.start()
    check(len(server.lines("admin", "dead-letters", "--webhook", "ops")) == 1, "the dead letter is gone")
    receiver.refuse = lambda event: False
    server.run("admin", "dead-letters", "replay", "--webhook", "ops", "--all")
    receiver.wait("the replayed one", lambda: first[0] in {event["id"] for event in receiver.accepted})
    server.webhook(lambda one: one.get("pending", 0) == 0 and "deadLetters" not in one, "nothing pending")


def encrypted(server, receiver, work):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", work / "tls.key", "-out", work / "tls.crt"],
                   check=True, capture_output=True)
    (work / "tls.pem").write_text((work / "tls.key").read_text() + (work / "tls.crt").read_text())
    server.stop()
    receiver.stop()
    receiver.start(certificate=work / "tls.pem")
    configure(work, receiver, "https")
    count = len(receiver.attempts)
    server.start()
    server.file_cases(1)
    failing = server.webhook(lambda one: int(one.get("failed", 0)) >= 2, "a certificate that is not trusted")
    check("SSL" in failing["lastError"] and len(receiver.attempts) == count, f"{failing}")
    server.stop()
    configure(work, receiver, "https", ", ca_file: tls.crt")
    server.start()
    receiver.wait("alerts over TLS", lambda: len(receiver.attempts) >= count + 3)


def main(docketd, docket):
    work = pathlib.Path(tempfile.mkdtemp())
    (work / "key").write_bytes(KEY + b"\n")
    (work / "sla.yaml").write_text(SLA)
    receiver = Receiver()
    configure(work, receiver, "http")
    server = Docketd(docketd, docket, work)
    try:
        packs = [PACKS / name for name in ("directory-sample.yaml", "calendar-always.yaml", "calendar-london.yaml",
                                           "priority-matrix.yaml", "complaint-iso10002.yaml", "ladder-standard.yaml")]
        server.start(*(word for pack in [*packs, work / "sla.yaml"] for word in ("--policy-pack", pack)))
        storms(server, receiver)
        poison(server, receiver)
        encrypted(server, receiver, work)
        server.stop()
        print(f"{len(receiver.accepted)} alerts accepted in {len(receiver.attempts)} attempts, none lost")
    except (SystemExit, Exception):
        sys.stderr.write((work / "docketd.err").read_text()[-4000:])
        raise
    finally:
        server.kill()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main(*(os.path.realpath(path) for path in sys.argv[1:3]))
