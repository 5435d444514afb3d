"""Tests of the example replica: its answers in-process, its life as real processes on real sockets."""

import http.client
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

HERE = Path(__file__).resolve().parent
EXAMPLE = [2015, 6, 150000, 500, 4.5]
PATIENCE = 60  # seconds; far above what anything here takes


@pytest.fixture(scope="session")
def model_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.joblib"
    subprocess.run([sys.executable, HERE / "train.py", path], check=True, timeout=PATIENCE)
    return path


@pytest.fixture(scope="session")
def service(model_file):
    """The module, with a model that is loaded."""
    os.environ["MODEL_PATH"] = str(model_file)
    import model_service

    return model_service


@pytest.fixture(scope="session")
def client(service, model_file):
    model = service.Model(model_file)
    model._load_until_ready()
    return service.create_app(model).test_client()


def post(client, body, content_type="application/json"):
    data = body if isinstance(body, (bytes, str)) else json.dumps(body)
    return client.post("/predict", data=data, content_type=content_type)


# Answers


def test_predicts_a_plausible_number_of_sales(client):
    answer = post(client, {"features": EXAMPLE})
    assert answer.status_code == 200
    assert 30 < answer.json["prediction"] < 500


def test_more_listings_mean_more_sales(client):
    few, many = ({"features": [2015, 6, 150000, listings, 4.5]} for listings in (100, 10000))
    assert post(client, few).json["prediction"] < post(client, many).json["prediction"]


@pytest.mark.parametrize(
    "features", [[1900, 1, 0, 0, 0], [2100, 12, 1e9, 1e9, 1e4], [1900, 7, 1e9, 0, 1e4]]
)
def test_the_corners_of_the_allowed_values_have_a_finite_answer(client, features):
    assert post(client, {"features": features}).json["prediction"] >= 0


def replaced(index, value):
    return {"features": EXAMPLE[:index] + [value] + EXAMPLE[index + 1 :]}


@pytest.mark.parametrize(
    "body, reason",
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("features=1", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b'{"features": "\xff"}', "not JSON"),
        ('{"features": [NaN, 1, 1, 1, 1]}', "NaN is not a number"),
        ('{"features": [Infinity, 1, 1, 1, 1]}', "Infinity is not a number"),
        ('{"features": [-Infinity, 1, 1, 1, 1]}', "-Infinity is not a number"),
        ("[" * 30000, "nested too deep"),
        ('{"features": [2015, 6, 1, 1, ' + "9" * 5000 + "]}", "not JSON"),
        ("null", "must be an object"),
        ("[]", "must be an object"),
        ("7", "must be an object"),
        ({}, "must be an object"),
        ({"feature": EXAMPLE}, "must be an object"),
        ({"features": None}, "not null"),
        ({"features": "2015"}, "not a string"),
        ({"features": {"year": 2015}}, "not an object"),
        ({"features": 2015}, "not a number"),
        ({"features": []}, "must have 5 numbers (year, month, median, listings, inventory), not 0"),
        ({"features": EXAMPLE[:4]}, "not 4"),
        ({"features": EXAMPLE + [1]}, "not 6"),
        ({"features": [EXAMPLE]}, "not 1"),
        (replaced(2, None), "median must be a number, not null"),
        (replaced(2, "150000"), "median must be a number, not a string"),
        (replaced(2, True), "median must be a number, not a boolean"),
        (replaced(2, [1]), "median must be a number, not a list"),
        (replaced(2, {}), "median must be a number, not an object"),
        ('{"features": [2015, 6, 1e999, 500, 4.5]}', "median must be between"),
        (replaced(2, -1), "median must be between"),
        (replaced(2, 10**400), "median must be between"),
        (replaced(1, 13), "month must be between 1 and 12"),
        (replaced(1, 6.5), "month must be a whole number"),
        (replaced(0, 1e308), "year must be between"),
    ],
)
def test_wrong_input_gets_400_and_the_reason(client, body, reason):
    answer = post(client, body)
    assert answer.status_code == 400
    assert reason in answer.json["error"]


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_another_content_type_gets_400(client, content_type):
    answer = post(client, {"features": EXAMPLE}, content_type)
    assert answer.status_code == 400
    assert "application/json" in answer.json["error"]


def test_a_charset_in_the_content_type_is_fine(client):
    assert post(client, {"features": EXAMPLE}, "application/json; charset=utf-8").status_code == 200


def test_a_body_over_the_limit_gets_413(client):
    assert post(client, " " * 70000).status_code == 413


@pytest.mark.parametrize("method, path, status", [("GET", "/predict", 405), ("GET", "/x", 404)])
def test_other_errors_are_json_too(client, method, path, status):
    answer = client.open(path, method=method)
    assert answer.status_code == status
    assert answer.json["error"]


# Model files


def test_a_bare_estimator_is_served_as_well(service, tmp_path):
    path = tmp_path / "bare.joblib"
    joblib.dump(LinearRegression().fit([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [0, 1, 2]), path)
    model = service.Model(path)
    model._load_until_ready()
    client = service.create_app(model).test_client()
    assert post(client, {"features": [1, 1]}).json["prediction"] == pytest.approx(3)
    assert post(client, {"features": [1]}).status_code == 400
    assert post(client, {"features": [1e300, 1e301]}).status_code == 400


class Refusing:
    """A predictor that finds fault with everything, as one with a validator of its own may."""

    def __init__(self, answer):
        self.answer = answer

    def predict(self, rows):
        if isinstance(self.answer, Exception):
            raise self.answer
        return np.array([self.answer])


@pytest.mark.parametrize("answer", [ValueError("no such month"), float("nan"), float("inf")])
def test_an_answer_that_is_no_number_gets_400(service, answer):
    model = service.Model(None)
    model.features, model._predictor = [service.Feature("x")], Refusing(answer)
    answer = post(service.create_app(model).test_client(), {"features": [1]})
    assert answer.status_code == 400


@pytest.mark.parametrize("content", [b"", b"not a pickle", b"\x80\x04K\x07."])
def test_a_file_that_is_no_model_keeps_health_at_503_with_the_reason(service, tmp_path, content):
    path = tmp_path / "broken.joblib"
    path.write_bytes(content)
    model = service.Model(path)
    with pytest.raises(Exception):
        model._load()
    answer = service.create_app(model).test_client().get("/health")
    assert answer.status_code == 503
    assert answer.json["status"] == "loading"


def test_predictions_are_503_until_the_model_is_loaded(service):
    client = service.create_app(service.Model(None)).test_client()
    assert post(client, {"features": EXAMPLE}).status_code == 503
    assert client.get("/health").status_code == 503


# Fetching


class ModelStore:
    """A small web server with one file, which may fail first or break off."""

    def __init__(self, content: bytes, failures: int = 0, cut: int = 0):
        self.requests = 0
        store = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                store.requests += 1
                if store.requests <= failures:
                    self.send_error(500)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) - cut])

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/model.joblib"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def test_a_model_is_fetched_kept_and_not_fetched_again(service, model_file, tmp_path):
    path = tmp_path / "deeper" / "kept.joblib"
    with ModelStore(model_file.read_bytes()) as store:
        for _ in range(2):
            model = service.Model(path, store.url)
            model._load()
            assert model.ready
        assert store.requests == 1
    assert path.read_bytes() == model_file.read_bytes()
    assert os.listdir(path.parent) == ["kept.joblib"]


def test_a_model_with_a_url_only_leaves_no_file(service, model_file):
    with ModelStore(model_file.read_bytes()) as store:
        model = service.Model(None, store.url)
        model._load()
    assert model.ready


def test_a_failing_store_is_asked_again(service, model_file, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(service.time, "sleep", pauses.append)
    with ModelStore(model_file.read_bytes(), failures=3) as store:
        model = service.Model(tmp_path / "m.joblib", store.url)
        model._load_until_ready()
    assert model.ready
    assert pauses == [0.5, 1.0, 2.0]


def test_a_download_that_breaks_off_is_refused_and_leaves_nothing(service, model_file, tmp_path):
    with ModelStore(model_file.read_bytes(), cut=10) as store:
        with pytest.raises(ValueError, match="broke off"):
            service.Model(tmp_path / "m.joblib", store.url)._load()
    assert os.listdir(tmp_path) == []


def test_another_checksum_is_refused_and_leaves_nothing(service, model_file, tmp_path):
    with ModelStore(model_file.read_bytes()) as store:
        with pytest.raises(ValueError, match="checksum"):
            service.Model(tmp_path / "m.joblib", store.url, "0" * 64)._load()
    assert os.listdir(tmp_path) == []


def test_only_http_urls_are_fetched(service, model_file, tmp_path):
    with pytest.raises(ValueError, match="http"):
        service.Model(tmp_path / "m.joblib", model_file.as_uri())._load()


# Real processes


class Replica:
    """The service as a process of its own on a free port; its log is read as it comes."""

    def __init__(self, command, **environment):
        self.process = subprocess.Popen(
            command,
            cwd=HERE,
            env={**os.environ, "PORT": "0", **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.port = int(self.await_line(r"(?:listening on|Listening at).*:(\d+)").group(1))

    def await_line(self, pattern):
        for line in self.process.stderr:
            if match := re.search(pattern, line, re.IGNORECASE):
                return match
        raise AssertionError(f"the log ended without {pattern!r}")

    def ask(self, method, path, body=None, connection=None):
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(PATIENCE)
        self.process.stderr.close()


PLAIN = [sys.executable, "model_service.py"]
GUNICORN = [sys.executable, "-m", "gunicorn", "model_service:app"]
PREDICT = json.dumps({"features": EXAMPLE})


@pytest.fixture(scope="session", params=[PLAIN, GUNICORN], ids=["plain", "gunicorn"])
def replica(request, model_file):
    with Replica(request.param, MODEL_PATH=str(model_file)) as replica:
        replica.await_line("model loaded")
        yield replica


def test_a_process_becomes_healthy_and_predicts(replica):
    assert replica.ask("GET", "/health") == (200, {"status": "ready"})
    status, answer = replica.ask("POST", "/predict", PREDICT)
    assert status == 200 and answer["prediction"] > 0


def test_many_callers_at_once_get_the_same_answer(replica):
    answers = []
    callers = [
        threading.Thread(target=lambda: answers.append(replica.ask("POST", "/predict", PREDICT)))
        for _ in range(16)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(PATIENCE)
    assert len(answers) == 16
    assert answers[0][0] == 200 and all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize(
    "request_text",
    [
        "Content-Length: 100\r\n\r\n{",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\n{\r\n",
    ],
    ids=["short body", "bad chunk size", "short chunk"],
)
def test_half_a_request_never_gets_500_and_the_process_lives(replica, request_text):
    head = "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", replica.port), timeout=30) as raw:
        raw.sendall((head + request_text).encode())
        raw.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: raw.recv(4096), b""))
    assert not re.match(rb"HTTP/1\.1 5", answer), answer
    assert replica.ask("GET", "/health")[0] == 200


def test_a_chunked_body_is_read(replica):
    connection = http.client.HTTPConnection("127.0.0.1", replica.port, timeout=30)
    pieces = (piece.encode() for piece in (PREDICT[:7], PREDICT[7:]))
    assert replica.ask("POST", "/predict", pieces, connection)[0] == 200


def test_gunicorn_keeps_connections(model_file):
    with Replica(GUNICORN, MODEL_PATH=str(model_file)) as replica:
        replica.await_line("model loaded")
        connection = http.client.HTTPConnection("127.0.0.1", replica.port, timeout=30)
        connection.connect()
        name = connection.sock.getsockname()
        for _ in range(3):
            assert replica.ask("POST", "/predict", PREDICT, connection)[0] == 200
            assert connection.sock.getsockname() == name


def test_without_a_model_file_health_is_503_until_the_file_is_there(model_file, tmp_path):
    path = tmp_path / "later.joblib"
    with Replica(PLAIN, MODEL_PATH=str(path)) as replica:
        replica.await_line("cannot load the model: .*later.joblib")
        status, answer = replica.ask("GET", "/health")
        assert status == 503 and "later.joblib" in answer["reason"]
        os.link(model_file, path)
        replica.await_line("model loaded")
        assert replica.ask("GET", "/health")[0] == 200


def test_sigterm_ends_a_plain_process_cleanly(model_file):
    with Replica(PLAIN, MODEL_PATH=str(model_file)) as replica:
        replica.process.send_signal(signal.SIGTERM)
        assert replica.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("port", ["http", "-1", "70000", ""])
def test_a_wrong_port_ends_with_a_reason(port):
    done = subprocess.run(
        PLAIN, cwd=HERE, env={**os.environ, "PORT": port}, capture_output=True, text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 1 and "PORT must be" in done.stderr


def test_a_taken_port_ends_with_a_reason():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            PLAIN, cwd=HERE, env={**os.environ, "PORT": port}, capture_output=True, text=True,
            timeout=PATIENCE,
        )
    assert done.returncode == 1 and "in use" in done.stderr
