#!/usr/bin/env python3

# Copyright (C) the modelguard authors

"""A model server that has no model: it speaks the protocols of OpenAI,
Anthropic, Ollama, Hugging Face and Open Inference v2 with answers of its own
(answers.py), for real clients to talk to through a guard.

    replay.py --port-file PATH

What a model is called decides what happens:

    broken        a stream with a frame in its middle that is no JSON
    failing       500, with an error that tells a probability
    gate-NAME     the last frames wait until somebody asks for
                  /control/release/NAME, or for 5 seconds
    anything else the answer

/control/release/NAME answers {"waiting": true} if the stream had not been
ended yet, which is the proof that what its reader had seen by then came
while the stream was open."""

import sys

sys.dont_write_bytecode = True

import argparse
import http.server
import json
import os
import signal
import threading

import answers

PATIENCE = 5                # seconds for which a gate stays closed


class Gates:
    """Events by name: a stream waits for one of them."""

    def __init__(self):
        self.lock = threading.Lock()
        self.gates = {}

    def gate(self, name):
        with self.lock:
            return self.gates.setdefault(name, [threading.Event(), True])

    def wait(self, name):
        gate = self.gate(name)
        opened = gate[0].wait(PATIENCE)
        gate[1] = opened

    def release(self, name):
        gate = self.gate(name)
        waiting = gate[1] and not gate[0].is_set()
        gate[0].set()
        return waiting


GATES = Gates()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def end_headers(self):
        """Says that it will close, or nginx might try the connection again
        just then."""

        if self.close_connection:
            self.send_header("Connection", "close")

        http.server.BaseHTTPRequestHandler.end_headers(self)

    def do_GET(self):
        if self.path.startswith("/control/release/"):
            waiting = GATES.release(self.path.rsplit("/", 1)[1])
            self.whole(200, json.dumps({"waiting": waiting}).encode())
            return

        self.answer(None)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(body)

    def answer(self, body):
        found = answers.find(self.path, body, self.headers)

        if found is None:
            self.whole(404, b'{"error": "no such thing here"}')

        elif isinstance(found, answers.Stream):
            self.stream(found)

        else:
            self.whole(found.status, found.body, found.type, found.headers)

    def whole(self, status, body, kind="application/json", headers=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))

        for name, value in headers:
            self.send_header(name, value)

        self.end_headers()
        self.wfile.write(body)

    def stream(self, found):
        """Frame by frame; chunked if the proxy speaks HTTP/1.1."""

        chunked = self.request_version == "HTTP/1.1"

        self.send_response(200)
        self.send_header("Content-Type", found.type)

        for name, value in found.headers:
            self.send_header(name, value)

        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.close_connection = True

        self.end_headers()

        try:
            for number, frame in enumerate(found.frames):
                if found.gate is not None and number == found.held:
                    GATES.wait(found.gate)

                if chunked:
                    frame = b"%x\r\n%s\r\n" % (len(frame), frame)

                self.wfile.write(frame)
                self.wfile.flush()

            if chunked:
                self.wfile.write(b"0\r\n\r\n")

        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            http.server.ThreadingHTTPServer.handle_error(self, request,
                                                         address)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port-file", required=True)
    arguments = parser.parse_args()

    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

    server = Server(("127.0.0.1", 0), Handler)

    with open(arguments.port_file + ".new", "w") as out:
        out.write("%d\n" % server.server_address[1])

    os.rename(arguments.port_file + ".new", arguments.port_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
