#!/usr/bin/env python3

# Copyright (C) the modelguard authors

"""Serves the classifier on a free port of 127.0.0.1 in the REST shape of
TensorFlow Serving.

    server.py [--port N] [--port-file PATH]

The port is printed and, when PATH is given, written there once the server
answers.  Ends on SIGTERM or SIGINT."""

import sys

sys.dont_write_bytecode = True

import argparse
import http.server
import json
import math
import os
import signal
import threading

import model

NAME, VERSION = "digits", "3"
LIMIT = 1024 * 1024         # bytes of a request body
BASE = "/v1/models/" + NAME


class Refused(Exception):
    """A request that is answered with a status and an error."""

    def __init__(self, status, message):
        Exception.__init__(self, message)
        self.status = status


class Counter:
    """How many rows the model has seen."""

    def __init__(self):
        self.lock = threading.Lock()
        self.rows = 0

    def add(self, rows):
        with self.lock:
            self.rows += rows


def floats(values):
    """Numbers with the 17 digits that a double needs."""

    return "[%s]" % ", ".join("%.17g" % v for v in values)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def check_instance(number, instance):
    if not isinstance(instance, list) \
       or not all(map(is_number, instance)):
        raise Refused(400, "JSON Value: element %d of 'instances' is not a "
                      "list of numbers" % number)

    if len(instance) != model.INPUTS:
        raise Refused(400, "Failed to process element: %d of 'instances' "
                      "list. Error: INVALID_ARGUMENT: Tensor shape: [%d] "
                      "Expected: [%d]"
                      % (number, len(instance), model.INPUTS))

    for value in instance:
        if not abs(value) <= 1e6:
            raise Refused(400, "Failed to process element: %d of 'instances' "
                          "list. Error: INVALID_ARGUMENT: a value is out of "
                          "range" % number)


def prediction(net, pixels):
    """The text of one answer: what this signature of the model returns."""

    logits = model.forward(net, pixels)[1]
    ink = math.fsum(pixels) / len(pixels)

    return ("        {\n"
            '            "classes": "%d",\n'
            '            "probabilities": %s,\n'
            '            "logits": %s,\n'
            '            "ink": %s\n'
            "        }" % (model.argmax(logits),
                           floats(model.softmax(logits)),
                           floats(logits), "%.17g" % ink))


def predict(net, counter, body):
    try:
        document = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused(400, "JSON Parse error: Invalid value.") from None

    if not isinstance(document, dict):
        raise Refused(400, "JSON Value: not an object")

    instances = document.get("instances")

    if not isinstance(instances, list) or not instances:
        raise Refused(400, "Missing 'inputs' or 'instances' key")

    for number, instance in enumerate(instances):
        check_instance(number, instance)

    answers = [prediction(net, instance) for instance in instances]
    counter.add(len(answers))

    return ('{\n    "predictions": [\n%s\n    ],\n'
            '    "model_version": "%s"\n}\n' % (",\n".join(answers), VERSION))


def status():
    return json.dumps({"model_version_status": [{
        "version": VERSION, "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }]}, indent=1) + "\n"


def metadata():
    def tensor(name, kind, *sizes):
        return {"dtype": kind, "name": name, "tensor_shape": {
            "dim": [{"size": str(s), "name": ""} for s in (-1,) + sizes],
            "unknown_rank": False}}

    return json.dumps({
        "model_spec": {"name": NAME, "signature_name": "",
                       "version": VERSION},
        "metadata": {"signature_def": {"signature_def": {"serving_default": {
            "inputs": {"pixels": tensor("pixels:0", "DT_FLOAT",
                                        model.INPUTS)},
            "outputs": {
                "classes": tensor("classes:0", "DT_STRING"),
                "probabilities": tensor("probabilities:0", "DT_DOUBLE",
                                        model.CLASSES),
                "logits": tensor("logits:0", "DT_DOUBLE", model.CLASSES),
                "ink": tensor("ink:0", "DT_DOUBLE"),
            },
            "method_name": "tensorflow/serving/predict",
        }}}},
    }, indent=1) + "\n"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "demo-model-server"
    disable_nagle_algorithm = True
    wbufsize = -1           # the header and the body leave in one write
    timeout = 30

    def handle_expect_100(self):
        go_on = http.server.BaseHTTPRequestHandler.handle_expect_100(self)
        self.wfile.flush()

        return go_on

    def reply(self, code, text, kind="application/json"):
        body = text.encode("utf-8")

        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))

        if self.close_connection:
            self.send_header("Connection", "close")

        self.end_headers()

        if self.command != "HEAD":
            self.wfile.write(body)

        self.wfile.flush()

    def body(self):
        length = self.headers.get("Content-Length", "")

        if self.headers.get("Transfer-Encoding") or not length.isdigit():
            self.close_connection = True
            raise Refused(411, "Content-Length is needed")

        if int(length) > LIMIT:
            self.close_connection = True
            raise Refused(413, "The request body is over %d bytes" % LIMIT)

        return self.rfile.read(int(length))

    def answer(self, method):
        path = self.path.split("?")[0]

        if path.startswith(BASE + "/versions/" + VERSION):
            path = BASE + path[len(BASE + "/versions/" + VERSION):]

        body = self.body() if method == "POST" else b""

        if method == "POST" and path == BASE + ":predict":
            return predict(self.server.net, self.server.counter, body)

        if method == "GET" and path == BASE:
            return status()

        if method == "GET" and path == BASE + "/metadata":
            return metadata()

        if path.startswith("/v1/models/") and not path.startswith(BASE):
            raise Refused(404, "Servable not found for request: Latest(%s)"
                          % path[len("/v1/models/"):].split(":")[0])

        raise Refused(400, "Malformed request: %s %s" % (method, path))

    def serve(self, method):
        if self.path == "/monitoring/rows":
            self.reply(200, "%d\n" % self.server.counter.rows, "text/plain")
            return

        try:
            self.reply(200, self.answer(method))
        except Refused as refused:
            self.reply(refused.status,
                       '{ "error": %s }' % json.dumps(str(refused)))

    def do_GET(self):
        self.serve("GET")

    def do_HEAD(self):
        self.serve("GET")

    def do_POST(self):
        self.serve("POST")

    def log_message(self, format, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port):
        http.server.ThreadingHTTPServer.__init__(self, ("127.0.0.1", port),
                                                 Handler)
        self.net = model.load()
        self.counter = Counter()

    def server_bind(self):
        # HTTPServer would ask the name service for the host's name
        http.server.socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request, client_address):
        # a client that hangs up is no news, anything else is a defect
        if not isinstance(sys.exc_info()[1], ConnectionError):
            http.server.ThreadingHTTPServer.handle_error(self, request,
                                                         client_address)


def tell(port, path):
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write("%d\n" % port)

    os.rename(path + ".new", path)


def main():
    parser = argparse.ArgumentParser(description="the demo's model server")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file")
    options = parser.parse_args()

    def leave(number, frame):
        # ctrl-C reaches everyone, and then the script sends its SIGTERM
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)

    try:
        with Server(options.port) as server:
            print("http://127.0.0.1:%d%s" % (server.server_port, BASE),
                  flush=True)

            if options.port_file:
                tell(server.server_port, options.port_file)

            server.serve_forever(poll_interval=0.1)

    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
