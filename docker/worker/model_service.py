"""Serves one scikit-learn model over HTTP: the example replica that sluice stands in front of.

    python model_service.py                 a plain threaded Flask server on $HOST:$PORT
    gunicorn model_service:app              the same under gunicorn (see gunicorn.conf.py)

    POST /predict  {"features": [2015, 6, 150000, 500, 4.5]}  →  {"prediction": 140.8}
    GET  /health   200 once the model is loaded, else 503 with the reason

The order of the features is the model's own; for the example it is year, month, median price,
homes listed, months of inventory (see train.py). Settings come from the environment:

    PORT, HOST     where to listen when run plainly: 5000 on 127.0.0.1; port 0 takes a free one
    MODEL_PATH     the model file; default: model.joblib beside this file
    MODEL_URL      where to fetch the model from (http or https). With MODEL_PATH set as well, the
                   file there is kept and only fetched when it is missing
    MODEL_SHA256   refuse a fetched file that has another checksum

A model file is a pickle: loading one runs code. Load only what you made or can trust.
"""

import hashlib
import json
import logging
import math
import os
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import flask
import joblib
import numpy as np
from werkzeug.exceptions import HTTPException
from werkzeug.serving import WSGIRequestHandler, make_server

BODY_BYTES_MAX = 64 * 1024
MODEL_BYTES_MAX = 1024 * 1024 * 1024
DOWNLOAD_TIMEOUT = 10.0  # seconds without a byte
BACKOFF_FIRST, BACKOFF_MAX = 0.5, 30.0  # seconds between two tries to load

log = logging.getLogger("model_service")


class BadInput(Exception):
    """What the caller sent cannot be predicted from; the text says why."""


@dataclass(frozen=True)
class Feature:
    """One input of the model: its name and the values it may take."""

    name: str
    least: float = -1e300
    most: float = 1e300
    whole: bool = False

    def check(self, value: object) -> float:
        """The value as a float, or BadInput."""
        # bool is an int to Python, and is not a number to a caller.
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise BadInput(f"{self.name} must be a number, not {json_type(value)}")
        if not self.least <= value <= self.most:
            raise BadInput(f"{self.name} must be between {self.least:g} and {self.most:g}")
        if self.whole and value != int(value):
            raise BadInput(f"{self.name} must be a whole number")
        return float(value)


class Model:
    """The model of this process: loaded in the background, tried again until it is there."""

    def __init__(self, path: Path | None, url: str | None = None, sha256: str | None = None):
        self.path, self.url, self.sha256 = path, url, sha256
        self.reason: str | None = "the model is still loading"
        self.features: list[Feature] = []
        self._predictor = None

    @classmethod
    def from_environment(cls) -> "Model":
        path, url = os.environ.get("MODEL_PATH"), os.environ.get("MODEL_URL") or None
        if not path and not url:
            path = str(Path(__file__).resolve().parent / "model.joblib")
        return cls(Path(path) if path else None, url, os.environ.get("MODEL_SHA256") or None)

    @property
    def ready(self) -> bool:
        return self._predictor is not None

    def start(self) -> "Model":
        """Loads in a thread of its own, so that /health can answer meanwhile."""
        threading.Thread(target=self._load_until_ready, name="load", daemon=True).start()
        return self

    def predict(self, features: object) -> float:
        """One prediction, or BadInput."""
        if not isinstance(features, list):
            raise BadInput(f'"features" must be a list of numbers, not {json_type(features)}')
        if len(features) != len(self.features):
            names = ", ".join(feature.name for feature in self.features)
            raise BadInput(
                f'"features" must have {len(self.features)} numbers ({names}), not {len(features)}'
            )
        row = [feature.check(value) for feature, value in zip(self.features, features)]
        try:
            prediction = float(self._predictor.predict(np.array([row]))[0])
        except (ValueError, OverflowError) as error:
            raise BadInput(f"the model cannot use these features: {error}") from error
        if not math.isfinite(prediction):
            raise BadInput("the model has no finite answer for these features")
        return prediction

    # Loading

    def _load_until_ready(self) -> None:
        pause = BACKOFF_FIRST
        while not self.ready:
            try:
                self._load()
            except Exception as error:  # whatever a broken file or a far server can cause
                self.reason = f"cannot load the model: {error or type(error).__name__}"
                log.warning("%s; next try in %.1f s", self.reason, pause)
                time.sleep(pause)
                pause = min(2 * pause, BACKOFF_MAX)

    def _load(self) -> None:
        started = time.monotonic()
        if self.path is None:
            with tempfile.TemporaryDirectory(prefix="model-") as folder:
                path = Path(folder) / "model.joblib"
                self._fetch(path)
                artifact = joblib.load(path)
        else:
            if self.url and not self.path.exists():
                self._fetch(self.path)
            artifact = joblib.load(self.path)
        features, predictor = unpack(artifact)
        # The first prediction is the slow one; it also proves that the file holds a model.
        predictor.predict(np.array([[feature.least if feature.least > -1e300 else 0.0
                                     for feature in features]]))
        self.features, self.reason, self._predictor = features, None, predictor
        log.info("model loaded in %.2f s", time.monotonic() - started)

    def _fetch(self, path: Path) -> None:
        """Downloads the URL to `path`: whole, checked, and only then under its name."""
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise ValueError("MODEL_URL must begin with http:// or https://")
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".", suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                digest = self._download_into(file)
            if self.sha256 and digest != self.sha256.lower():
                raise ValueError(f"the file fetched has the checksum {digest}, not MODEL_SHA256")
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _download_into(self, file) -> str:
        digest, count = hashlib.sha256(), 0
        with urllib.request.urlopen(self.url, timeout=DOWNLOAD_TIMEOUT) as answer:
            length = answer.headers.get("Content-Length")
            while piece := answer.read(256 * 1024):
                count += len(piece)
                if count > MODEL_BYTES_MAX:
                    raise ValueError(f"the file at MODEL_URL is over {MODEL_BYTES_MAX} bytes")
                digest.update(piece)
                file.write(piece)
        # A connection that breaks off looks like the end of the file to read(size).
        if length is not None and count != int(length):
            raise ValueError(f"the download broke off after {count} of {length} bytes")
        return digest.hexdigest()


def unpack(artifact: object) -> tuple[list[Feature], object]:
    """The features and the predictor in a model file: train.py's own form, or a bare estimator."""
    if isinstance(artifact, dict) and {"model", "features"} <= artifact.keys():
        return [Feature(**feature) for feature in artifact["features"]], artifact["model"]
    if hasattr(artifact, "predict") and hasattr(artifact, "n_features_in_"):
        names = getattr(artifact, "feature_names_in_", range(artifact.n_features_in_))
        return [Feature(f"feature {name}") for name in names], artifact
    raise ValueError(f"the file holds no model but a {type(artifact).__name__}")


def json_type(value: object) -> str:
    """What a JSON value is called in an answer to the caller."""
    if value is None:
        return "null"
    names = {bool: "a boolean", str: "a string", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")


def features_of(request: flask.Request) -> object:
    """The "features" of a request's JSON body, unchecked, or BadInput."""
    if not request.is_json:
        raise BadInput("Content-Type must be application/json")
    try:
        body = request.get_data(cache=False)
    except HTTPException:
        raise
    except Exception as error:  # a chunked body that is no such thing; each server has its own word
        raise BadInput(f"the body cannot be read: {error}") from error

    def refuse(word: str):
        raise ValueError(f"{word} is not a number")

    try:
        value = json.loads(body, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else error
        raise BadInput(f"the body is not JSON: {reason}") from error
    if not isinstance(value, dict) or "features" not in value:
        raise BadInput('the body must be an object with "features"')
    return value["features"]


def create_app(model: Model) -> flask.Flask:
    """The web application around one model."""
    app = flask.Flask("model_service")
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES_MAX

    @app.get("/health")
    def health():
        if model.ready:
            return {"status": "ready"}
        return {"status": "loading", "reason": model.reason}, 503

    @app.post("/predict")
    def predict():
        if not model.ready:
            return {"error": model.reason}, 503, {"Retry-After": "1"}
        return {"prediction": model.predict(features_of(flask.request))}

    @app.errorhandler(BadInput)
    def bad_input(error: BadInput):
        return {"error": str(error)}, 400

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException):
        response = error.get_response()
        response.data = json.dumps({"error": error.description})
        response.content_type = "application/json"
        return response

    return app


def serve_plainly(app: flask.Flask) -> None:
    """Runs Werkzeug's threaded server until SIGTERM or SIGINT, then ends what is in flight."""
    host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "5000")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        sys.exit(f"model_service: PORT must be a number up to 65535, not {port!r}")
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    WSGIRequestHandler.log_request = lambda self, code="-", size="-": None
    try:
        server = make_server(host, int(port), app, threaded=True)
    except OSError as error:
        sys.exit(f"model_service: cannot listen on {host}:{port}: {error}")
    server.daemon_threads = False  # so that server_close() waits for them

    def stop(number, frame):
        # shutdown() waits for serve_forever(), which this very thread is in.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log.info("listening on http://%s:%d", host, server.server_port)
    server.serve_forever(poll_interval=0.05)
    server.server_close()
    log.info("stopped")


logging.basicConfig(
    level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
)
app = create_app(Model.from_environment().start())

if __name__ == "__main__":
    serve_plainly(app)
