# Copyright (C) the modelguard authors

"""Whether an output is that of the same work: the document, and each number
of it, beside what the upstream's body must become.  The module is held to
more: it writes at most two decimals and keeps the top class."""

import base64
import decimal
import functools
import json
import struct

import bodies
import programs

HUNDREDTH = decimal.Decimal('0.01')

NEAR = 1e-9                 # of a rounded number in double precision
NEAR_FLOAT = 1e-6           # in single precision


def original(name):
    return (programs.WORK / 'bodies' / bodies.file_of(name)).read_bytes()


def documents(name, body):
    """The JSON documents of a body."""

    def read(text):
        return json.loads(text, parse_float=decimal.Decimal)

    if name != bodies.SSE:
        return [read(body)]

    events = body.split(b'\n\n')

    if events.pop() != b'':
        raise ValueError('the last event is not whole')

    for event in events:
        if not event.startswith(b'data: '):
            raise ValueError('an event without data')

    return [read(event[6:]) for event in events]


def rounded(value):
    if isinstance(value, list):
        return [rounded(element) for element in value]

    if isinstance(value, dict):
        return {key: rounded(element) for key, element in value.items()}

    if isinstance(value, decimal.Decimal):
        return value.quantize(HUNDREDTH, decimal.ROUND_HALF_EVEN)

    return value


def floats(text):
    data = base64.b64decode(text, validate=True)

    return list(struct.unpack('<%df' % (len(data) // 4), data))


def vectors(document):
    """With the vectors of an embedding as numbers."""

    for one in document['data']:
        if isinstance(one['embedding'], str):
            one['embedding'] = floats(one['embedding'])

    return document


@functools.lru_cache(maxsize=None)
def reference(name):
    made = []

    for document in documents(name, original(name)):

        for row in document.get('predictions', ()):
            del row['logits']

        document.pop('model_version', None)

        if name == bodies.EMBEDDING_BASE64:
            for one in vectors(document)['data']:
                one['embedding'] = [round(value, 2)
                                    for value in one['embedding']]

        made.append(rounded(document))

    return made


class Difference:
    """Of two parsed documents: the numbers, and what else is not the same
    ("shape", a sentence or None)."""

    def __init__(self, near):
        self.near = near
        self.numbers = 0
        self.differing = 0
        self.shape = None

    def refuse(self, where, what):
        self.shape = self.shape or '%s: %s' % (where, what)

    def walk(self, want, got, where='$'):
        if isinstance(want, dict):
            if not isinstance(got, dict) or set(got) != set(want):
                self.refuse(where, 'other members')
                return

            for key in want:
                self.walk(want[key], got[key], where + '.' + key)

        elif isinstance(want, list):
            if not isinstance(got, list) or len(got) != len(want):
                self.refuse(where, 'another length')
                return

            for one, other in zip(want, got):
                self.walk(one, other, where + '[]')

        elif isinstance(want, bool) or want is None or isinstance(want, str):
            if want != got:
                self.refuse(where, 'another value')

        elif isinstance(got, (int, float, decimal.Decimal)):
            self.numbers += 1
            self.differing += abs(float(want) - float(got)) > self.near

        else:
            self.refuse(where, 'no number')


def difference(name, body):
    """Beside the reference, of any variant."""

    coded = name == bodies.EMBEDDING_BASE64
    found = Difference(NEAR_FLOAT if coded else NEAR)

    try:
        got = documents(name, body)
        found.walk(reference(name),
                   [vectors(one) for one in got] if coded else got)
    except (ValueError, KeyError, TypeError, struct.error) as error:
        found.refuse('$', 'not to be read: %s' % error)

    return found


def complaint_of_row(before, after):
    """Rounded half to even; where that would leave another class on top, or
    two, the guard may have moved single numbers by one hundredth."""

    if set(after) != {'label', 'scores'} or after['label'] != before['label']:
        return 'members %s' % sorted(after)

    exact = [decimal.Decimal(text) for text in before['scores']]
    sent = [decimal.Decimal(text) for text in after['scores']]

    if len(exact) != len(sent):
        return '%d scores of %d' % (len(sent), len(exact))

    if sent.index(max(sent)) != exact.index(max(exact)):
        return 'another class is on top'

    moved = 0

    for text, old, new in zip(after['scores'], exact, sent):

        if new.as_tuple().exponent < -2:
            return '%s has more than 2 decimals' % text

        off = abs(new - old.quantize(HUNDREDTH, decimal.ROUND_HALF_EVEN))

        if off > HUNDREDTH:
            return '%s for %s' % (new, old)

        moved += off != 0

    if moved > max(1, len(sent) // 10):
        return '%d of %d scores are not the rounded ones' % (moved, len(sent))

    return None


def complaint_of_predictions(before, guarded):
    def parse(text):
        return json.loads(text, parse_float=str, parse_int=str)

    try:
        before, after = parse(before), parse(guarded)
    except ValueError as error:
        return 'not JSON: %s' % error

    if not isinstance(after, dict) or set(after) != {'predictions'}:
        return 'the document has other members'

    if len(before['predictions']) != len(after['predictions']):
        return 'rows are missing'

    for number, (old, new) in enumerate(zip(before['predictions'],
                                            after['predictions'])):
        problem = complaint_of_row(old, new)
        if problem:
            return 'row %d: %s' % (number, problem)

    return None


def complaint(name, guarded):
    """What is wrong with the module's output, or None."""

    if name in bodies.SIZES:
        return complaint_of_predictions(original(name), guarded)

    found = difference(name, guarded)

    if found.shape:
        return found.shape

    if found.differing:
        return '%d of %d numbers differ' % (found.differing, found.numbers)

    return None
