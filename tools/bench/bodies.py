# Copyright (C) the modelguard authors

"""The bodies of the benchmark.

    {"predictions":[{"label":..,"scores":[..],"logits":[..]}],
     "model_version":..}

Every row has random values of its own, from a fixed seed, in 17 digits.
Beside them: a long prose of a chat model (text), a stream of its tokens with
log probabilities (sse), one answer with them (chat, for LiteLLM), and a
vector of an embedding in both of its notations."""

import base64
import json
import math
import random
import struct

#       name     rows  classes

SIZES = {
    '0.4KB': (1, 10),
    '4KB': (1, 100),
    '40KB': (1, 1000),
    '400KB': (10, 1000),
    '4MB': (100, 1000),
}

TEXT = 'text'
SSE = 'sse'
EMBEDDING = 'embedding'
EMBEDDING_BASE64 = 'embedding_base64'
CHAT = 'chat'

OTHERS = (TEXT, SSE, EMBEDDING, EMBEDDING_BASE64)

SSE_EVENTS = 256
EMBEDDING_FLOATS = 1536
CHAT_TOKENS = 12

FIELDS = """
        modelguard_field    scores   $.predictions[*].scores;
        modelguard_field    logits   $.predictions[*].logits;
        modelguard_field    metadata $.model_version;
"""

LOGPROBS = """
        modelguard          rounded;
        modelguard_field    logprobs
                     $.choices[*].logprobs.content[*].logprob
                     $.choices[*].logprobs.content[*].top_logprobs[*].logprob;
"""

EMBEDDINGS = """
        modelguard          rounded;
        modelguard_field    embedding $.data[*].embedding%s;
"""

#   what else than REWRITE a guarded location has, for the bodies that are
#   not predictions

FIELDS_OF = {
    SSE: LOGPROBS,
    CHAT: LOGPROBS,
    EMBEDDING: EMBEDDINGS % '',
    EMBEDDING_BASE64: EMBEDDINGS % ' encoding=base64f32',
}

PROFILE = """
    modelguard_profile      rounded {
        scores              round=2;
        logits              drop;
        metadata            drop;
        logprobs            round=2;
        embedding           round=2;
    }
"""

WORDS = ('the model answers with a sentence of common words that a reader '
         'would not think twice about and goes on for as long as anybody '
         'asks because nothing in it has to be true').split()


def numbers(values):
    return '[' + ','.join('%.17g' % value for value in values) + ']'


def row(source, classes):
    logits = [source.gauss(0, 2) for _ in range(classes)]
    total = sum(math.exp(value) for value in logits)
    scores = [math.exp(value) / total for value in logits]

    return ('{"label":"class_%d","scores":%s,"logits":%s}'
            % (scores.index(max(scores)), numbers(scores), numbers(logits)))


def predictions(name):
    rows, classes = SIZES[name]
    source = random.Random('modelguard ' + name)

    return ('{"predictions":[%s],"model_version":"7"}'
            % ','.join(row(source, classes) for _ in range(rows)))


def prose():
    """46 KB of a chat model's prose: a new line every dozen words, and now
    and then a quotation or a letter beyond ASCII."""

    source = random.Random('modelguard chat')
    text = []
    size = 0

    while size < 46000:
        words = [source.choice(WORDS) for _ in range(12)]

        if source.random() < 0.1:
            words[3] = '"%s"' % words[3]
        if source.random() < 0.1:
            words[7] = 'caf\u00e9'

        text.append(' '.join(words))
        size += len(text[-1]) + 1

    return json.dumps({
        'id': 'chatcmpl-1',
        'object': 'chat.completion',
        'created': 1700000000,
        'model': 'm',
        'choices': [{
            'index': 0,
            'message': {'role': 'assistant', 'content': '\n'.join(text)},
            'finish_reason': 'stop',
        }],
        'usage': {'prompt_tokens': 9, 'completion_tokens': 9000},
        'model_version': '7',
    }, ensure_ascii=False, separators=(',', ':'))


def logprob(source):
    return -source.expovariate(1)


def token(source, word):
    return {'token': ' ' + word, 'logprob': logprob(source),
            'bytes': list((' ' + word).encode())}


def token_event(source, number):
    """A word of a chat model and the log probabilities of five."""

    word = source.choice(WORDS)
    top = [token(source, other)
           for other in [word] + source.sample(WORDS, 4)]

    return word, dict(token(source, word), top_logprobs=top)


def sse_event(source, number):
    word, one = token_event(source, number)

    return 'data: %s\n\n' % json.dumps({
        'id': 'chatcmpl-%08x' % number, 'object': 'chat.completion.chunk',
        'created': 1700000000, 'model': 'benchmark',
        'choices': [{'index': 0, 'delta': {'content': ' ' + word},
                     'logprobs': {'content': [one]},
                     'finish_reason': None}]}, separators=(',', ':'))


def sse():
    source = random.Random('modelguard sse')

    return ''.join(sse_event(source, n) for n in range(SSE_EVENTS))


def chat():
    source = random.Random('modelguard chat logprobs')
    events = [token_event(source, n) for n in range(CHAT_TOKENS)]

    return json.dumps({
        'id': 'chatcmpl-1', 'object': 'chat.completion',
        'created': 1700000000, 'model': 'benchmark',
        'choices': [{'index': 0,
                     'message': {'role': 'assistant', 'content':
                                 ''.join(' ' + word for word, _ in events)},
                     'logprobs': {'content': [one for _, one in events]},
                     'finish_reason': 'stop'}],
        'usage': {'prompt_tokens': 9, 'completion_tokens': CHAT_TOKENS,
                  'total_tokens': 9 + CHAT_TOKENS},
    }, separators=(',', ':'))


def question():
    return json.dumps({
        'model': 'benchmark', 'logprobs': True, 'top_logprobs': 5,
        'messages': [{'role': 'user', 'content': 'go on'}]})


def embedding(coded):
    source = random.Random('modelguard embedding')
    values = [source.gauss(0, 0.1) for _ in range(EMBEDDING_FLOATS)]
    vector = numbers(values)

    if coded:
        vector = '"%s"' % base64.b64encode(
            struct.pack('<%df' % len(values), *values)).decode()

    return ('{"object":"list","data":[{"object":"embedding","index":0,'
            '"embedding":%s}],"model":"m","usage":{"prompt_tokens":5,'
            '"total_tokens":5}}' % vector)


def file_of(name):
    return name + ('.sse' if name == SSE else '.json')


def write(directory):
    directory.mkdir(parents=True, exist_ok=True)

    texts = dict({name: predictions(name) for name in SIZES}, **{
        TEXT: prose(), SSE: sse(), CHAT: chat(), 'question': question(),
        EMBEDDING: embedding(False), EMBEDDING_BASE64: embedding(True)})

    for name, text in texts.items():
        (directory / file_of(name)).write_text(text, encoding='utf-8')
