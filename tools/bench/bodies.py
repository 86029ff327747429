# Copyright (C) the modelguard authors

"""The bodies of the benchmark, and what a guarded one must be.

    {"predictions":[{"label":..,"scores":[..],"logits":[..]}],
     "model_version":..}

Every row has random values of its own, from a fixed seed, in 17 digits."""

import decimal
import json
import math
import random

#       name     rows  classes

SIZES = {
    '0.4KB': (1, 10),
    '4KB': (1, 100),
    '40KB': (1, 1000),
    '400KB': (10, 1000),
    '4MB': (100, 1000),
}

FIELDS = """
        modelguard_field    scores   $.predictions[*].scores;
        modelguard_field    logits   $.predictions[*].logits;
        modelguard_field    metadata $.model_version;
"""

PROFILE = """
    modelguard_profile      rounded {
        scores              round=2;
        logits              drop;
        metadata            drop;
    }
"""

HUNDREDTH = decimal.Decimal('0.01')

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


def chat():
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


def write(directory):
    directory.mkdir(parents=True, exist_ok=True)

    for name in SIZES:
        (directory / (name + '.json')).write_text(predictions(name))

    (directory / 'text.json').write_text(chat(), encoding='utf-8')


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


def complaint(original, guarded):
    """What is wrong with a guarded body, or None."""

    def parse(text):
        return json.loads(text, parse_float=str, parse_int=str)

    try:
        before, after = parse(original), parse(guarded)
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
