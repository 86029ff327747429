#!/usr/bin/env python3

# Copyright (C) the modelguard authors

"""Compares the answer of the model server with the one that came through
modelguard, by the rules of the demo's profile:

    scores round=2 top=3; logits drop; metadata drop;

Both answers are texts; numbers are compared as they are written."""

import decimal
import json
import re

DECIMALS, TOP = 2, 3
SCORES, LOGITS, METADATA = "probabilities", "logits", "model_version"

NUMBER = r"-?[0-9]+(?:\.[0-9]{1,%d})?" % DECIMALS
UNIT = decimal.Decimal(1).scaleb(-DECIMALS)
TOKEN = re.compile(r'[\s,:]*("(?:[^"\\]|\\.)*"|[^\s,:"\[\]{}]+|[\[\]{}])')


class Number(str):
    """A number as it is written."""


def not_json(text):
    raise ValueError("%s is not JSON" % text)


def parse(text):
    """The document with its numbers as texts; duplicate keys are refused."""

    def members(pairs):
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a key is there twice")

        return dict(pairs)

    return json.loads(text, parse_float=Number, parse_int=Number,
                      parse_constant=not_json, object_pairs_hook=members)


def top_label(scores):
    """The index of the largest score; of equal ones, the lowest index."""

    values = [decimal.Decimal(s) for s in scores]

    return values.index(max(values))


def rounded(score):
    return decimal.Decimal(score).quantize(UNIT, decimal.ROUND_HALF_EVEN)


def reduced(scores):
    """What round=2 top=3 leaves, before the top label is looked at."""

    order = sorted(range(len(scores)),
                   key=lambda i: (-decimal.Decimal(scores[i]), i))

    return [rounded(s) if i in order[:TOP] else decimal.Decimal(0)
            for i, s in enumerate(scores)]


class Place:
    """Where a value lies in a text: text[start:end].  Members of an object
    are (key, first, value), elements of an array are values."""

    def __init__(self, start):
        self.start = start
        self.end = start
        self.members = []
        self.elements = []


def places(text, at=0):
    """The places in a text that parse() has accepted."""

    match = TOKEN.match(text, at)
    token, end = match.group(1), match.end(1)
    place = Place(match.start(1))
    place.end = end

    while token in "{[":
        match = TOKEN.match(text, place.end)

        if match.group(1) in "]}":
            place.end = match.end(1)
            break

        if token == "{":
            value = places(text, match.end(1))
            place.members.append((json.loads(match.group(1)),
                                  match.start(1), value))
        else:
            value = places(text, place.end)
            place.elements.append(value)

        place.end = value.end

    return place


def dropped(place, key):
    """The edits that take a member out of an object, with its comma."""

    members = place.members
    edits = []

    for i, (name, first, value) in enumerate(members):
        if name != key:
            continue

        start = members[i - 1][2].end if i > 0 else place.start + 1
        end = members[i + 1][1] if i + 1 < len(members) else place.end - 1
        between = 0 < i < len(members) - 1

        edits.append((start, end, r"\s*,\s*" if between else r"\s*"))

    return edits


def pattern(raw):
    """A regular expression for every guarded text that differs from the raw
    one only where the profile says so."""

    root = places(raw)
    edits = dropped(root, METADATA)

    for key, first, predictions in root.members:
        for row in predictions.elements if key == "predictions" else []:
            edits += dropped(row, LOGITS)

            for name, first, value in row.members:
                if name == SCORES:
                    edits += [(s.start, s.end, NUMBER)
                              for s in value.elements]

    text, at = "", 0

    for start, end, piece in sorted(edits):
        text += re.escape(raw[at:start]) + piece
        at = end

    return text + re.escape(raw[at:])


def all_rows(rows, holds):
    """Whether a condition holds for every (raw, guarded) pair of rows; a
    member that is missing or of the wrong type is a no."""

    try:
        return all(holds(a, b) for a, b in rows)
    except (KeyError, TypeError, IndexError, ValueError,
            decimal.InvalidOperation):
        return False


def scores_follow(raw, guarded):
    """Each score is what round=2 top=3 makes of it.  Where rounding alone
    would move the top label, the scores may be a unit off: the guard of the
    top label has to change one."""

    want = reduced(raw[SCORES])
    have = [decimal.Decimal(s) for s in guarded[SCORES]]

    slack = 0 * UNIT if top_label(want) == top_label(raw[SCORES]) else UNIT

    return len(want) == len(have) \
        and all(abs(a - b) <= slack for a, b in zip(want, have))


def compare(raw, guarded):
    """A list of (holds, claim) about the guarded text."""

    try:
        before, after = parse(raw), parse(guarded)
        rows = list(zip(before["predictions"], after["predictions"]))
        same_count = len(before["predictions"]) == len(after["predictions"])
    except (ValueError, KeyError, TypeError) as error:
        return [(False, "the guarded answer is JSON with predictions (%s)"
                 % error)]

    def short(score):
        return re.fullmatch(NUMBER, score) is not None \
            and isinstance(score, Number)

    return [
        (same_count and len(rows) > 0,
         "there are as many predictions as before"),

        (all_rows(rows, lambda a, b: a["classes"] == b["classes"]),
         "the labels are the same"),

        (all_rows(rows, lambda a, b: str(top_label(b[SCORES]))
                  == str(top_label(a[SCORES])) == b["classes"]),
         "the largest score is still that of the label"),

        (all_rows(rows, lambda a, b: all(map(short, b[SCORES]))),
         "no score has more than %d decimals" % DECIMALS),

        (all_rows(rows, lambda a, b: sum(decimal.Decimal(s) != 0
                                         for s in b[SCORES]) <= TOP),
         "at most %d scores of a prediction are not zero" % TOP),

        (all_rows(rows, scores_follow),
         "the scores are the true ones, rounded, and as many"),

        (all_rows(rows, lambda a, b: LOGITS in a and LOGITS not in b),
         "the logits are gone"),

        (METADATA in before and METADATA not in after,
         "the model_version is gone"),

        (re.fullmatch(pattern(raw), guarded) is not None,
         "everything else is the same, byte for byte"),
    ]


def table(raw, guarded, number):
    """Lines that show prediction "number" of both answers side by side."""

    before, after = parse(raw), parse(guarded)
    a, b = before["predictions"][number], after["predictions"][number]
    lines = []

    def line(name, left, right):
        mark = "gone" if right is None else "" if left == right else "*"

        lines.append(("  %-18s %-26s %-24s %s"
                      % (name, left, right or "", mark)).rstrip())

    def shown(document, name):
        if name not in document:
            return None

        value = document[name]

        if isinstance(value, list):
            return "%d numbers" % len(value)

        return value if isinstance(value, Number) else json.dumps(value)

    lines.append("  %-18s %-26s %s" % ("", "the model server",
                                       "through modelguard"))

    for name in a:
        if name == SCORES:
            for i, score in enumerate(a[name]):
                right = b.get(name, [])[i:i + 1]
                line("%s[%d]" % (name, i), score,
                     right[0] if right else None)
        else:
            line(name, shown(a, name), shown(b, name))

    for name in before:
        if name != "predictions":
            line(name, shown(before, name), shown(after, name))

    return lines
