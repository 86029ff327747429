#!/usr/bin/env python3

# Copyright (C) the modelguard authors

"""Real model servers, each with a tiny model made here, behind nginx with the
module and the fields that we ship.

    run.py [NAME ...]       all of the servers, or those named

Reports as TAP.  The servers are installed below build/servers and listen on
127.0.0.1; one that cannot be installed or started is skipped with a
sentence, and all are ended by their process ids."""

import sys

sys.dont_write_bytecode = True

import gzip
import http.client
import json
import os
import shutil

HERE = os.path.dirname(os.path.abspath(__file__))

sys.path.insert(0, os.path.join(HERE, os.pardir, "clients"))

import harness

PLACE = os.path.join(harness.BUILD, "servers")
ROWS = [[0.1, 0.2, 0.3, 0.4], [1.0, -1.0, 1.0, -1.0], [-2.0, 0.5, 0.0, 1.5]]
DECIMALS = 2

CONF = """
    access_log  logs/access.log;

    modelguard_profile  rounded {
        scores    round=%d;
        logprobs  round=%d;
        metadata  drop;
    }

    modelguard_profile  silent {
        scores    label_only;
        logprobs  drop;
        metadata  drop;
    }

    modelguard_field  metadata $.none;

    server {
        listen     127.0.0.1:%d;
        client_max_body_size 4m;

        location / {
            include     "%s/%s.conf";
            modelguard  rounded;
            proxy_pass  http://127.0.0.1:%d;
        }

        location /silent/ {
            include     "%s/%s.conf";
            modelguard  silent;
            proxy_pass  http://127.0.0.1:%d/;
        }
    }
"""


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

        if self.headers.get("Content-Encoding") == "gzip":
            self.body = gzip.decompress(self.body)

        self.text = self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.text)


def ask(port, path, document=None, headers=()):
    """GET, or POST of a document; the client's own words for gzip, so that
    a server that likes to compress is asked to."""

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    fields = {"Accept-Encoding": "gzip", "Content-Type": "application/json",
              **dict(headers)}

    try:
        if document is None:
            connection.request("GET", path, headers=fields)
        else:
            connection.request("POST", path, json.dumps(document), fields)

        return Answer(connection.getresponse())

    finally:
        connection.close()


def ready(port, path):
    try:
        return ask(port, path).status == 200
    except (OSError, http.client.HTTPException):
        return False


def best(row):
    return row.index(max(row))


def is_rounded(value):
    return round(value, DECIMALS) == value


class Server:
    """One kind of server; check() compares its own answers, at the port raw,
    with those through nginx, at the port guarded."""

    building = {}           # environment for what has to be compiled
    install_timeout = 300
    start_timeout = 60
    extra = 0               # ports that it needs beside the first

    def __init__(self, directory):
        self.directory = directory

    def prepare(self, python):
        pass

    def environment(self, python):
        return {}

    def rows(self, answer):
        """The rows of probabilities in an answer."""

        raise NotImplementedError

    def check(self, tap, raw, guarded):
        plain = ask(raw, self.path, self.request())
        answer = ask(guarded, self.path, self.request())

        if not tap.ok((plain.status, answer.status) == (200, 200),
                      "%s: answers, with and without the guard" % self.name,
                      plain.text[:500], answer.text[:500]):
            return

        was, rows = self.rows(plain.json()), self.rows(answer.json())

        tap.ok(not all(is_rounded(v) for row in was for v in row),
               "%s: the server tells more than %d decimals"
               % (self.name, DECIMALS), was)
        tap.ok(all(is_rounded(v) for row in rows for v in row),
               "%s: the guard tells %d" % (self.name, DECIMALS), rows)
        tap.ok([len(row) for row in was] == [len(row) for row in rows]
               and all(abs(a - b) <= 0.01 for p, q in zip(was, rows)
                       for a, b in zip(p, q)),
               "%s: of the same values" % self.name, was, rows)
        tap.ok(list(map(best, was)) == list(map(best, rows)),
               "%s: the top labels are the same" % self.name, was, rows)
        tap.ok(self.rest(plain.json()) == self.rest(answer.json()),
               "%s: what is no score is the same" % self.name,
               plain.text, answer.text)

        answer = ask(guarded, "/silent" + self.path, self.request())
        rows = self.rows(answer.json())

        tap.ok([best(row) for row in was] == [best(row) for row in rows]
               and all(sorted(row) == [0] * (len(row) - 1) + [1]
                       for row in rows),
               "%s: label_only leaves the label" % self.name, answer.text)

        self.check_error(tap, raw, guarded)

    def check_error(self, tap, raw, guarded):
        plain = ask(raw, self.path, {"nothing": "known"})
        answer = ask(guarded, self.path, {"nothing": "known"})

        tap.ok(plain.status == answer.status and plain.status >= 400,
               "%s: an error keeps its status, %d"
               % (self.name, plain.status), plain.text, answer.text)


class Inference(Server):
    """The Open Inference Protocol v2."""

    ready_path = path = None

    def tensor(self, document, name):
        for output in document["outputs"]:
            if output["name"] == name:
                return output

        raise KeyError(name)

    def rows(self, document):
        tensor = self.tensor(document, self.output)
        width = tensor["shape"][-1]
        data = tensor["data"]

        return [data[i:i + width] for i in range(0, len(data), width)]

    def rest(self, document):
        return [(o["name"], o["shape"], o["datatype"],
                 None if o["name"] == self.output else o["data"])
                for o in document["outputs"]]

    def inputs(self, name, kind):
        return [{"name": name, "shape": [len(ROWS), 4], "datatype": kind,
                 "data": [v for row in ROWS for v in row]}]


class MLServer(Inference):
    name = "mlserver"
    packages = ("mlserver==1.7.1", "mlserver-sklearn==1.7.1")
    fields = "mlserver"
    extra = 2
    output = "predict_proba"
    path = "/v2/models/tiny/infer"
    ready_path = "/v2/models/tiny/ready"

    def prepare(self, python):
        make_model(self.directory, python, "joblib", "model.joblib")

        with open(self.directory + "/model-settings.json", "w") as out:
            json.dump({"name": "tiny",
                       "implementation": "mlserver_sklearn.SKLearnModel",
                       "parameters": {"uri": "./model.joblib",
                                      "version": "1"}}, out)

    def argv(self, python, ports):
        with open(self.directory + "/settings.json", "w") as out:
            json.dump({"host": "127.0.0.1", "http_port": ports[0],
                       "grpc_port": ports[1], "metrics_port": ports[2],
                       "parallel_workers": 0, "debug": False}, out)

        return [beside(python, "mlserver"), "start", self.directory]

    def request(self):
        return {"inputs": self.inputs("x", "FP64"),
                "outputs": [{"name": "predict_proba"}, {"name": "predict"}]}


class PyTriton(Inference):
    name = "pytriton"
    packages = ("nvidia-pytriton==0.7.0",)
    fields = "triton"
    extra = 2
    output = "OUTPUT"
    path = "/v2/models/tiny/infer"
    ready_path = "/v2/models/tiny/ready"

    def argv(self, python, ports):
        return [python, os.path.join(HERE, "triton.py"), *map(str, ports[:3])]

    def request(self):
        return {"inputs": self.inputs("INPUT", "FP32")}


class MLflow(Server):
    name = "mlflow"
    packages = ("mlflow==3.17.2", "scikit-learn==1.9.1")
    fields = "mlflow"
    path = "/invocations"
    ready_path = "/ping"

    def prepare(self, python):
        make_model(self.directory, python, "mlflow", "model")

    def argv(self, python, ports):
        return [beside(python, "mlflow"), "models", "serve", "-m",
                self.directory + "/model", "--env-manager", "local",
                "-h", "127.0.0.1", "-p", str(ports[0])]

    def request(self):
        return {"inputs": ROWS}

    def rows(self, document):
        return document["predictions"]

    def rest(self, document):
        return sorted(document)


class BentoML(Server):
    name = "bentoml"
    packages = ("bentoml==1.4.39", "scikit-learn==1.9.1")
    fields = "bentoml"
    path = "/predict"
    ready_path = "/readyz"

    def prepare(self, python):
        make_model(self.directory, python, "joblib", "model.joblib")
        shutil.copy(os.path.join(HERE, "bento.py"), self.directory)

    def environment(self, python):
        return {"TINY_MODEL": self.directory + "/model.joblib",
                "BENTOML_HOME": self.directory + "/home",
                "BENTOML_DO_NOT_TRACK": "True"}

    def argv(self, python, ports):
        return [beside(python, "bentoml"), "serve", "bento:Tiny", "--host",
                "127.0.0.1", "--port", str(ports[0])]

    def request(self):
        return {"features": ROWS}

    def rows(self, document):
        return document["probabilities"]

    def rest(self, document):
        return document["prediction"]


class LlamaCpp(Server):
    """llama.cpp's OpenAI-style server: chat, whole and streamed."""

    name = "llama-cpp-python"
    packages = ("llama-cpp-python[server]==0.3.36", "gguf==0.19.0")
    fields = "llamacpp"
    ready_path = "/v1/models"
    path = "/v1/chat/completions"

    # compiled from source where there is no wheel: quickly, not well

    building = {"CMAKE_ARGS": "-DCMAKE_BUILD_TYPE=Release -DLLAVA_BUILD=OFF "
                "-DCMAKE_C_FLAGS_RELEASE=-O1 -DCMAKE_CXX_FLAGS_RELEASE=-O1"}
    install_timeout = 600

    def prepare(self, python):
        make(self.directory, [python, os.path.join(HERE, "gguf_model.py"),
                              self.directory + "/tiny.gguf"])

    def argv(self, python, ports):
        return [python, "-m", "llama_cpp.server", "--model",
                self.directory + "/tiny.gguf", "--host", "127.0.0.1",
                "--port", str(ports[0]), "--n_ctx", "256", "--logits_all",
                "true", "--n_threads", "1"]

    def request(self, stream=False):
        return {"messages": [{"role": "user", "content": "abc"}],
                "max_tokens": 12, "temperature": 0, "seed": 1,
                "logprobs": True, "top_logprobs": 3, "stream": stream}

    def events(self, answer):
        """The documents of a stream, which has to end with [DONE]."""

        data = [line[5:].strip() for line in answer.text.splitlines()
                if line.startswith("data:")]

        return [json.loads(d) for d in data if d != "[DONE]"], \
            bool(data) and data[-1] == "[DONE]"

    def logprobs(self, choices):
        """(best token, its and the others' log probabilities) of each
        token."""

        found = []

        for choice in choices:
            for token in (choice.get("logprobs") or {}).get("content") or ():
                found.append((token["token"], [token["logprob"]]
                              + [t["logprob"] for t in token["top_logprobs"]],
                              [t["token"] for t in token["top_logprobs"]]))

        return found

    def compare(self, tap, what, was, choices):
        was, now = self.logprobs(was), self.logprobs(choices)

        tap.ok(was and not all(is_rounded(v) for _, row, _ in was
                               for v in row),
               "%s: %s: the server tells log probabilities"
               % (self.name, what), was)
        tap.ok(now and all(is_rounded(v) for _, row, _ in now for v in row),
               "%s: %s: the guard rounds them" % (self.name, what), now)
        tap.ok([(t, o) for t, _, o in was] == [(t, o) for t, _, o in now],
               "%s: %s: of the same tokens in the same order"
               % (self.name, what), was, now)

    def check(self, tap, raw, guarded):
        plain = ask(raw, self.path, self.request())
        answer = ask(guarded, self.path, self.request())

        if tap.ok((plain.status, answer.status) == (200, 200),
                  "%s: chat: answers, with and without the guard" % self.name,
                  plain.text[:500], answer.text[:500]):

            was, now = plain.json()["choices"], answer.json()["choices"]

            tap.ok(was[0]["message"] == now[0]["message"],
                   "%s: chat: the text is the same" % self.name, was, now)
            self.compare(tap, "chat", was, now)

            answer = ask(guarded, "/silent" + self.path, self.request())
            now = answer.json()["choices"]

            tap.ok(was[0]["message"] == now[0]["message"]
                   and not self.logprobs(now),
                   "%s: chat: dropped, none are left" % self.name,
                   answer.text)

        plain = ask(raw, self.path, self.request(True))
        answer = ask(guarded, self.path, self.request(True))
        was, _ = self.events(plain)
        now, done = self.events(answer)

        tap.ok(answer.status == 200 and done,
               "%s: stream: came to [DONE]" % self.name, answer.text[:500])

        was = [choice for event in was for choice in event["choices"]]
        now = [choice for event in now for choice in event["choices"]]

        tap.ok([c["delta"] for c in was] == [c["delta"] for c in now],
               "%s: stream: the tokens are the same" % self.name, was, now)
        self.compare(tap, "stream", was, now)

        answer = ask(guarded, "/silent" + self.path, self.request(True))
        now, done = self.events(answer)

        tap.ok(done and not self.logprobs(
            [choice for event in now for choice in event["choices"]]),
            "%s: stream: dropped, none are left" % self.name, answer.text)

        self.check_error(tap, raw, guarded)


SERVERS = (MLServer, LlamaCpp, MLflow, BentoML, PyTriton)


def beside(python, program):
    return os.path.join(os.path.dirname(python), program)


def make(directory, argv):
    log = os.path.join(directory, "make.log")

    if harness.run(argv, log, 120, cwd=directory) != 0:
        raise RuntimeError("the model cannot be made: " + harness.tail(log))


def make_model(directory, python, form, name):
    make(directory, [python, os.path.join(HERE, "model.py"), form, name])


def test(tap, kind):
    """One server, from its packages to its end."""

    directory = harness.workspace("servers")
    server = kind(directory)
    python = harness.venv(os.path.join(PLACE, server.name), server.packages,
                          server.install_timeout, server.building)

    server.prepare(python)

    ports = [harness.free_port() for _ in range(2 + server.extra)]
    guarded = ports.pop()
    failed = tap.failed

    environment = dict(os.environ, NO_PROXY="127.0.0.1",
                       PATH=os.path.dirname(python) + ":" + os.environ["PATH"],
                       PYTHONDONTWRITEBYTECODE="1", HOME=directory,
                       TMPDIR=directory, **server.environment(python))

    process = harness.Process(server.argv(python, ports),
                              directory + "/server.log", directory,
                              environment)

    with process:
        if not process.until(lambda: ready(ports[0], server.ready_path),
                             server.start_timeout):
            tap.note(harness.tail(process.log, 15))
            raise harness.Skip(
                "it did not start within %d seconds" % server.start_timeout
                if process.running() else "it ended instead of starting")

        conf = CONF % (DECIMALS, DECIMALS, guarded,
                       *(harness.FIELDS, server.fields, ports[0]) * 2)
        nginx = harness.Nginx(directory, conf)
        nginx.start(guarded)

        with nginx:
            try:
                server.check(tap, ports[0], guarded)
            except Exception as error:
                tap.ok(False, "%s: no unexpected error" % server.name,
                       "%s: %s" % (type(error).__name__, error))

            tap.ok(nginx.process.stop(),
                   "%s: nginx ends when it is asked to" % server.name)
            tap.ok(not nginx.alerts(), "%s: no alert in nginx's log"
                   % server.name, "".join(nginx.alerts()))

        process.stop()
        tap.ok(not process.members() and not harness.listens(ports[0]),
               "%s: nothing of the server is left" % server.name)

    if tap.failed == failed:
        shutil.rmtree(directory)
    else:
        tap.note("the logs are in " + directory)


def main():
    known = {kind.name: kind for kind in SERVERS}
    names = sys.argv[1:] or list(known)

    for name in names:
        if name not in known:
            sys.exit("no such server: %s; there are %s"
                     % (name, " ".join(known)))

    tap = harness.Tap()

    for name in names:
        try:
            test(tap, known[name])
        except harness.Skip as reason:
            tap.skip(name, reason)
        except RuntimeError as error:
            tap.ok(False, "%s: was tested" % name, error)

    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
