#!/usr/bin/env python3
#
# Copyright (C) the modelguard authors
#
# Seeds for a fuzz target, made of the corpus if there is one:
#
#     fuzz-seeds.py TARGET FOLDER

import glob
import hashlib
import os
import sys

CORPUS = os.environ.get('MODELGUARD_CORPUS') or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), '..', '..', 'shared',
    'corpus')
LARGEST = 4096


def files(*patterns):
    for pattern in patterns:
        for name in sorted(glob.glob(os.path.join(CORPUS, pattern))):
            with open(name, 'rb') as f:
                data = f.read()
            if 0 < len(data) <= LARGEST:
                yield data


def documents():
    return files('responses/*.json', 'json/jsonexamples/*.json',
                 'json/JSONTestSuite/test_parsing/*.json')


def json():
    yield from documents()
    yield from files('requests/*.json', 'json/jcs/**/*.json')


SPECS = [b'scores $.**.~^(prob|score)s?$ | round=2',
         b'scores $ | round=1 top=1',
         b'scores $.p | round=2 top=3 renormalize',
         b'scores $.r[*].score label=$.r[*].label | top=1 round=2',
         b'scores $[*].score label=$[*].label | label_only',
         b'scores $.predictions $.outputs[*].data | round=2',
         b'scores $.p encoding=text | round=1',
         b'scores $.p encoding=string | round=1',
         b'scores $.p encoding=base64f32 | round=1',
         b'embedding $.**.embedding | round=3',
         b'logprobs $.choices[*].logprobs | drop',
         b'scores $.p encoding=json inside=$.p | round=1']


def rewrite():
    for n, document in enumerate(documents()):
        yield SPECS[n % len(SPECS)] + b'\n' + document
    for spec in SPECS:
        yield spec + b'\n{"p":[0.123456,0.876544],"r":[{"score":0.51234,' \
            b'"label":"a"},{"score":0.48766,"label":"b"}],"usage":{"n":1}}'
        yield spec + b'\n{"p":"{0: 0.1234, 1: 0.8766}"}'
        yield spec + b'\n{"p":"AACAPwAAAD8="}'
        yield spec + b'\n{"p":"{\\"p\\":[0.123456,0.5]}"}'


def frame():
    for data in files('responses/*.sse'):
        for rules in range(0, 8, 2):
            yield bytes([rules]) + data
    for data in files('responses/*.ndjson'):
        for rules in range(1, 8, 2):
            yield bytes([rules]) + data


def number():
    for data in files('json/jcs/*/*.json', 'responses/*.json'):
        yield b'2.000000' + data[:256]
    for text in (b'0.125', b'-1.5e400', b'99999999999999999.5', b'1e-320',
                 b'0.' + b'4' * 60 + b'5', b'5e-1', b'-0', b'9' * 40):
        for digits in range(0, 16, 3):
            yield bytes([digits, 2, 0, 0, 0, 5]) + text + b'\xff0.5\x80'


SEEDS = {
    'frame': frame,
    'number': number,
    'json': json,
    'rewrite': rewrite,
}


def main():
    target, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)

    for data in SEEDS.get(target, list)():
        name = 'seed-' + hashlib.sha1(data).hexdigest()
        with open(os.path.join(folder, name), 'wb') as f:
            f.write(data)


if __name__ == '__main__':
    main()
