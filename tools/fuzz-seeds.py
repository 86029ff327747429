#!/usr/bin/env python3
#
# Copyright (C) the modelguard authors
#
# Seeds for a fuzz target, made of the corpus if there is one:
#
#     fuzz-seeds.py TARGET FOLDER

import glob
import gzip
import hashlib
import os
import re
import sys
import zlib

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
    yield b'["\xc2\x80\xed\x9f\xbf\xf4\x8f\xbf\xbf","\\ud83d\\ude00\\n"]'
    yield b'{"a":[-0.5e+3,0,NaN],"b":{"c":null,"d":true}}'


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


PARAMS = [b'$.n max=1; $.logprobs forbid; $.input items',
          b'$.**.d drop; $.a.b.c set=[7]; $.a.b.e set={"z":1} when=$.w',
          b'$.l[*].n set=5; $.l[*].m drop; $.x[0] drop; $.f drop',
          b'$.stream_options.include_usage set=true when=$.stream',
          b'$.model require; $.logprobs false; $.top_logprobs max=5',
          b'$.messages[*].content require; $.messages items']


def walk():
    for n, document in enumerate(files('requests/*.json',
                                       'responses/*.json')):
        yield PARAMS[n % len(PARAMS)] + b'\n' + document
    for params in PARAMS:
        yield params + b'\n{"n":1,"a":{"b":{"c":2}},"l":[{"m":1},{}],' \
            b'"w":true,"x":[1,2],"stream":true,"d":{"d":1}}'


def path():
    yield b'$.p\n$.**.~^(prob|score)s?$\n$[*].score\n\n\x02\x00\x00'
    yield b'$.choices[*].logprobs\n$["a b"].**[0][~"x+"]\n$\n\n\x03\x07'
    for data in files('manifest.json'):
        yield data
    yield b'$.a.*.b\n$.**\n$.a[3]\n$.**.c.**.d\n\n\x02\x00\x00\x05\x02'


def meter():
    yield from rewrite()
    for n, document in enumerate(files('responses/*.json',
                                       'responses/*.ndjson')):
        yield SPECS[(n + 1) % len(SPECS)] + b'\n' + document


def encoded():
    for n, document in enumerate(documents()):
        treatment = (b'round=2', b'top=1 round=3', b'drop')[n % 3]
        yield treatment + b'\n' + document
    for text in (b'{0: 0.1234, 1: 0.8766}', b'0.93:5:cat', b'AACAPwAAAD8=',
                 b'{"r":[0.123456,0.5]}', b'[0.25,0.75]', b'0.55',
                 b'{"r":[{"score":0.51234,"label":"a"}]}'):
        yield b'round=2\n' + text
        yield b'top=1 round=1\n' + text


def inflate():
    for n, data in enumerate(files('responses/*.json')):
        yield bytes([4 + n % 128]) + data
        yield b'\0' + gzip.compress(data, mtime=0)
        yield b'\1' + zlib.compress(data)
    for n in range(64):
        yield bytes([4 + n]) + b'{"p":[0.25,0.75]}'


def directives():
    top = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
    line = re.compile(rb'^ *(modelguard_?[a-z_]* [^;{]*;|'
                      rb'modelguard_profile [^{]*{[^}]*})$', re.M)
    for pattern in ('t/*.t', 'conf-examples/*.conf',
                    'conf-examples/fields/*.conf'):
        for name in sorted(glob.glob(os.path.join(top, pattern))):
            with open(name, 'rb') as f:
                lines = line.findall(f.read())
            for n in range(0, len(lines), 6):
                text = b''
                for found in lines[n:n + 6]:
                    where = found.split()[0].split(b'_')[-1]
                    if where not in (b'zone', b'profile', b'secret'):
                        text += b'\t'
                    text += b' '.join(found.split()) + b'\n'
                yield b'modelguard_zone $arg_x zone=clients:1m;\n' \
                    b'modelguard_profile public { scores round=2; }\n' + text


SEEDS = {
    'directives': directives,
    'inflate': inflate,
    'path': path,
    'meter': meter,
    'encoded': encoded,
    'walk': walk,
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
