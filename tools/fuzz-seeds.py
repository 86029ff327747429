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


def main():
    target, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)

    for data in globals().get('seeds_' + target, globals().get(target,
                                                               list))():
        name = 'seed-' + hashlib.sha1(data).hexdigest()
        with open(os.path.join(folder, name), 'wb') as f:
            f.write(data)


if __name__ == '__main__':
    main()
