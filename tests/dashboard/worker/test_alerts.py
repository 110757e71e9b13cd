"""Alerts reach a real receiver on this machine: signed, tried again when it fails, and given up at last."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from dashboard.config import load_config
from dashboard.layout.alerts import _line
from dashboard.worker.alerts import payload, send_due, webhook
from engines.errors import InputError
from storage import open_store
from tests.dashboard.headless import words
from tests.dashboard.receiver import Receiver
from tests.prepared import prepared
from tests.storage.samples import ALARM, LIVE, Clock, watched_run

SECRET = "tea and sympathy"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    opened = open_store(prepared(f"sqlite:///{tmp_path / 'shop.db'}"), clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def receiver(request):
    server = Receiver(request.param)
    yield server
    server.shutdown()
    server.server_close()


CONFIG = load_config(environ={}).replace(alerts={"attempts": 3, "wait_seconds": 10.0, "timeout_seconds": 5.0})


@pytest.mark.parametrize("receiver", [[500, 302, 200]], indirect=True)
def test_a_receiver_that_fails_first_gets_it_in_the_end(store, clock, receiver):
    run = watched_run(store, live=LIVE)
    environ = {"SEGMENTRY_WEBHOOK_URL": receiver.url, "SEGMENTRY_WEBHOOK_SECRET": SECRET}
    assert send_due(CONFIG, store, clock.now, environ).error == "The receiver answered 500."
    assert send_due(CONFIG, store, clock.now, environ) is None, "not before its time"
    clock.forward(11)
    assert send_due(CONFIG, store, clock.now, environ).error == "The receiver answered 302."
    clock.forward(11)
    assert send_due(CONFIG, store, clock.now, environ) is None, "the second wait is twice as long"
    clock.forward(10)
    done = send_due(CONFIG, store, clock.now, environ)
    assert (done.delivery, done.attempts, done.error) == ("delivered", 3, None)
    assert len(receiver.got) == 3
    path, headers, body = receiver.got[-1]
    assert path == "/hooks/T0KEN"
    said = json.loads(body)
    assert "Teas & Co, kmeans, 2024-05-01" in said["text"]
    assert "Rand index of 0.30, where chance alone reaches down to 0.85" in said["text"]
    assert said["segmentry"]["run"] == run.id
    stamp = headers["X-Segmentry-Timestamp"]
    assert int(stamp) == int(clock.now.timestamp())
    expected = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Segmentry-Signature"] == f"sha256={expected}"
    clock.forward(3600)
    assert send_due(CONFIG, store, clock.now, environ) is None


def test_an_alert_about_the_customers_says_so_in_the_message_and_on_the_bell(store):
    watched_run(store, drift=[replace(ALARM, cause="population")])
    (alert,) = store.alerts()
    sent = payload(alert)
    assert "2024-05-01. The customers buy much otherwise than when the model was frozen" in sent["text"]
    assert "Rand" not in sent["text"] and "Drift page of run" in sent["text"]
    assert sent["segmentry"]["cause"] == "population"
    link = _line(alert, "K-means")[0]
    assert words(link) == (
        "Teas & Co, 1 May 2024: the customers buy much otherwise than when the model of K-means was frozen."
    )
    disagrees = replace(alert, cause="agreement")
    assert "A refit agrees with the model frozen at the start only to" in payload(disagrees)["text"]
    assert words(_line(disagrees, "K-means")[0]) == "Teas & Co, 1 May 2024: K-means agrees only to ARI 0.40."


@pytest.mark.parametrize("receiver", [[500, 500, 500]], indirect=True)
def test_it_is_given_up_in_the_end(store, clock, receiver):
    watched_run(store, live=LIVE)
    for _ in range(5):
        send_due(CONFIG, store, clock.now, {"SEGMENTRY_WEBHOOK_URL": receiver.url})
        clock.forward(100)
    (alert,) = store.alerts()
    assert (alert.delivery, alert.attempts, alert.error) == ("failed", 3, "The receiver answered 500.")
    assert len(receiver.got) == 3
    assert "X-Segmentry-Signature" not in receiver.got[0][1]


def test_nobody_there_and_no_address(store, clock):
    watched_run(store, live=LIVE)
    assert send_due(CONFIG, store, clock.now, {}) is None
    assert store.alerts()[0].attempts == 0
    tried = send_due(CONFIG, store, clock.now, {"SEGMENTRY_WEBHOOK_URL": "http://127.0.0.1:9/T0KEN"})
    assert "could not be reached" in tried.error
    assert "T0KEN" not in tried.error
    with pytest.raises(InputError, match="SEGMENTRY_WEBHOOK_URL"):
        webhook({"SEGMENTRY_WEBHOOK_URL": "file:///etc/passwd"})


@pytest.mark.parametrize("receiver", [[200]], indirect=True)
def test_a_connection_that_breaks_is_tried_again_and_no_secret_is_told(store, clock, receiver, caplog, capfd):
    watched_run(store, live=LIVE)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        broken = threading.Thread(target=lambda: listening.accept()[0].close(), daemon=True)
        broken.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/hooks/T0KEN"
        tried = send_due(CONFIG, store, clock.now, {"SEGMENTRY_WEBHOOK_URL": url, "SEGMENTRY_WEBHOOK_SECRET": SECRET})
        broken.join(10)
    assert "could not be reached" in tried.error
    assert (tried.delivery, tried.attempts) == ("waiting", 1)
    clock.forward(11)
    environ = {"SEGMENTRY_WEBHOOK_URL": receiver.url, "SEGMENTRY_WEBHOOK_SECRET": SECRET}
    assert send_due(CONFIG, store, clock.now, environ).delivery == "delivered"
    assert list(json.loads(receiver.got[0][2])) == ["text", "segmentry"], "as Slack takes it, and facts beside it"
    told = [caplog.text, *capfd.readouterr(), repr(store.alerts()), tried.error, receiver.got[0][2].decode()]
    assert not any(secret in text for text in told for secret in (SECRET, "T0KEN"))


def test_a_receiver_has_so_many_seconds_in_all_to_answer(store, clock):
    """One that answers a little at a time would otherwise outlast the lease, and get it from two workers."""
    watched_run(store, live=LIVE)
    over = threading.Event()

    def answer_slowly(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            for letter in "HTTP/1.0 200 OK\r\nX-Slow: yes, this one is\r\n\r\n":
                over.wait(0.05)
                connection.sendall(letter.encode())

    with socket.create_server(("127.0.0.1", 0)) as listening:
        slow = threading.Thread(target=answer_slowly, args=(listening,))
        slow.start()
        environ = {"SEGMENTRY_WEBHOOK_URL": f"http://127.0.0.1:{listening.getsockname()[1]}/"}
        tried = send_due(CONFIG.replace(alerts={"timeout_seconds": 0.5}), store, clock.now, environ)
        over.set()
        slow.join(10)
    assert (tried.delivery, tried.error) == ("waiting", "The receiver could not be reached (TimeoutError).")


def test_what_is_old_when_the_webhook_is_set_up_is_not_sent(store, clock):
    watched_run(store, live=LIVE)
    clock.forward(timedelta(days=2).total_seconds())
    assert send_due(CONFIG, store, clock.now, {"SEGMENTRY_WEBHOOK_URL": "http://127.0.0.1:9/"}) is None


def test_the_secrets_are_no_settings():
    load_config(environ={"SEGMENTRY_WEBHOOK_URL": "http://x/", "SEGMENTRY_WEBHOOK_SECRET": "s"})
