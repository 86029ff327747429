# Copyright (C) the modelguard authors

"""LiteLLM's proxy beside the module: one answer of a chat model with log
probabilities, asked for with POST.  LiteLLM passes it on, parsed and written
anew; the module charges a budget and rounds the log probabilities.  That is
not the same work: it is what a request through each of them costs."""

import contextlib
import http.client
import secrets
import subprocess
import time

import bodies
import cells
import peers
import programs
import same
import servers

ROUNDS = 5
PATIENCE = 120              # seconds for a start: it imports for long

URI = '/v1/chat/completions'

# of this run: the proxy does not start without one

KEY = 'sk-' + secrets.token_hex(24)

#       name: requests, connections, seconds at most

LOADS = {
    'plain': (2000, 8, 2),
    'modelguard': (2000, 8, 2),
    'litellm': (1000, 8, 2),
}

CONFIG = """
model_list:
  - model_name: benchmark
    litellm_params:
      model: openai/benchmark
      api_base: http://127.0.0.1:%d/v1
      api_key: none

litellm_settings:
  telemetry: false
"""


class LiteLLM(peers.Command):

    patience = PATIENCE

    def __init__(self, upstream):
        super().__init__('litellm', self.arguments_of, {
            'LITELLM_LOCAL_MODEL_COST_MAP': 'True', 'NO_PROXY': '*',
            'DISABLE_ADMIN_UI': 'True', 'LITELLM_LOG': 'ERROR',
            'LITELLM_MASTER_KEY': KEY})
        (self.directory / 'config.yaml').write_text(CONFIG % upstream.port)

    def arguments_of(self, port):
        return [str(peers.LITELLM), '--config',
                str(self.directory / 'config.yaml'), '--host', '127.0.0.1',
                '--port', str(port), '--num_workers', '1',
                '--telemetry', 'False']


def ask(server):
    """Until it answers: the port may be open before that."""

    deadline = time.monotonic() + PATIENCE
    question = (programs.WORK / 'bodies' / 'question.json').read_bytes()

    while True:
        connection = http.client.HTTPConnection('127.0.0.1', server.port,
                                                timeout=30)
        try:
            connection.request('POST', URI, question,
                               {'Content-Type': 'application/json',
                                'Authorization': 'Bearer ' + KEY})
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()

        if response.status == 200:
            return body

        if server.name != 'litellm' or time.monotonic() > deadline:
            raise programs.Failure('"%s": %d: %s' % (
                server.name, response.status, body[:200]))

        time.sleep(0.5)


def cell(server):
    requests, connections, seconds = LOADS[server.name]
    before = server.cpu()
    loaded = programs.load(
        server, URI, connections, requests,
        ('-v', '-t', str(seconds), '-H', 'Authorization: Bearer ' + KEY,
         '-b', str(programs.WORK / 'bodies' / 'question.json')), patience=60)

    return {'cpu': (server.cpu() - before) / loaded.done,
            'rps': loaded.done / loaded.seconds,
            'p50': loaded.p50_us, 'p99': loaded.p99_us}


def logprobs(body):
    return [one['logprob'] for document in same.documents(bodies.CHAT, body)
            for one in document['choices'][0]['logprobs']['content']]


def compare(name, body):
    """What has come of the log probabilities."""

    want = same.original(bodies.CHAT)

    if name == 'modelguard':
        return same.complaint(bodies.CHAT, body) or 'rounded'

    return 'as they came' if logprobs(body) == logprobs(want) else 'changed'


def measure(upstream, rounds, say):
    say('LiteLLM')

    why = peers.missing(peers.LITELLM)

    if why:
        return {'why': why}

    found = {name: [] for name in LOADS}

    try:
        with contextlib.ExitStack() as stack:
            running = {
                name: stack.enter_context(servers.guarded(
                    name, upstream, 'chat-' + name, body=bodies.CHAT))
                for name in ('plain', 'modelguard')}
            started = time.monotonic()
            running['litellm'] = stack.enter_context(LiteLLM(upstream))

            work = {name: compare(name, ask(server))
                    for name, server in running.items()}
            seconds = time.monotonic() - started

            for server in running.values():
                cell(server)

            for _ in range(rounds):
                for name, server in running.items():
                    found[name].append(cell(server))

            rss = {name: server.peak_rss_kb()
                   for name, server in running.items()}

    except (programs.Failure, OSError, http.client.HTTPException, KeyError,
            ValueError, subprocess.SubprocessError) as error:
        why = ' '.join(str(error).split())[-300:]
        say('LiteLLM is left out: ' + why)

        return {'why': why}

    return {'variants': {name: summary(found, name, rss[name], work[name])
                         for name in found},
            'start_seconds': round(seconds, 1)}


def summary(found, name, rss, work):
    ratios = [one['cpu'] / plain['cpu']
              for one, plain in zip(found[name], found['plain'])]

    def median(metric):
        return cells.spread([one[metric] for one in found[name]])[1]

    return {'cpu_us': round(median('cpu') / 1000, 1),
            'cpu_ratio': [round(value, 2) for value in cells.spread(ratios)],
            'rps': round(median('rps')), 'p50_us': round(median('p50')),
            'p99_us': round(median('p99')), 'rss_kb': rss,
            'logprobs': work}
