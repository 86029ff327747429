# Copyright (C) the modelguard authors

"""conf-examples/fields/*.conf read without any of the module's code, and what
in an answer their paths name."""

import collections
import json
import re

Field = collections.namedtuple("Field", "role path options")

TREATED = ("scores", "logits", "logprobs", "embedding")

TOKEN = re.compile(r"""\s+|\#[^\n]*|;|'([^']*)'|"((?:\\.|[^"\\])*)"|"""
                   r"""((?:[^\s;'"][^\s;]*))""")

STEP = re.compile(r"""\.\*\*|\.\*|\.~(?P<rest>.*)|\.(?P<name>[^.\[]+)|"""
                  r"""\[\*\]|\[(?P<index>\d+)\]|\[~"(?P<regex>[^"]*)"\]|"""
                  r"""\["(?P<quoted>(?:\\.|[^"\\])*)"\]""")


def directives(text):
    """Lists of words."""

    words, at = [], 0

    while at < len(text):
        found = TOKEN.match(text, at)
        at = found.end()

        if found.group(0) == ";":
            yield words
            words = []

        elif found.lastindex:
            words.append(found.group(found.lastindex))

    if words:
        raise ValueError("no \";\" after %s" % words)


def steps(path):
    """Pairs of a kind and a value."""

    text = path[1:] if path.startswith("$") else "." + path
    at, result = 0, []

    while at < len(text):
        found = STEP.match(text, at)

        if found is None:
            raise ValueError("%s is not a path" % path)

        at = found.end()
        word = found.group(0)

        if word == ".**":
            result.append(("any", None))
        elif word == ".*":
            result.append(("members", None))
        elif word == "[*]":
            result.append(("elements", None))
        elif found.group("index") is not None:
            result.append(("index", int(found.group("index"))))
        elif found.group("name") is not None:
            result.append(("name", found.group("name")))
        elif found.group("quoted") is not None:
            result.append(("name", json.loads('"%s"'
                                              % found.group("quoted"))))
        else:
            result.append(("regex", re.compile(
                found.group("rest") or found.group("regex"))))

    return result


def read(text):
    """The fields of a file, one for each path."""

    for words in directives(text):
        if words[0] != "modelguard_field":
            continue

        options = dict(word.split("=", 1) for word in words[2:]
                       if re.match(r"(label|shape|datatype|encoding|inside)=",
                                   word))

        for word in words[2:]:
            if word.split("=", 1)[0] not in options:
                yield Field(words[1], word, options)


def escape(name):
    return name.replace("~", "~0").replace("/", "~1")


def children(pointer, node):
    if isinstance(node, dict):
        for name, child in node.items():
            yield name, pointer + "/" + escape(name), child

    elif isinstance(node, list):
        for i, child in enumerate(node):
            yield i, pointer + "/" + str(i), child


def below(pointer, node):
    yield pointer, node

    for _, place, child in children(pointer, node):
        yield from below(place, child)


def find(path, pointer, node):
    """(pointer, node) of all places of a path, given as steps."""

    if not path:
        yield pointer, node
        return

    kind, value = path[0]

    if kind == "any":
        for place, child in below(pointer, node):
            yield from find(path[1:], place, child)

        return

    members = isinstance(node, dict)

    for name, place, child in children(pointer, node):
        if kind == "elements" and not members \
                or kind == "index" and not members and name == value \
                or kind == "members" and members \
                or kind == "name" and members and name == value \
                or kind == "regex" and members and value.search(name):
            yield from find(path[1:], place, child)


def numbers(pointer, node):
    """A number, or those of an array and of arrays in it."""

    if isinstance(node, (int, float)) and not isinstance(node, bool):
        yield pointer

    elif isinstance(node, list):
        for _, place, child in children(pointer, node):
            yield from numbers(place, child)


def strings(pointer, node):
    if isinstance(node, str):
        yield pointer

    elif isinstance(node, list):
        for _, place, child in children(pointer, node):
            yield from strings(place, child)


def named(fields, document):
    """Pointers of what is named, by role; strings that an encoding opens
    count for the roles that treat."""

    result = collections.defaultdict(set)

    for field in fields:
        for pointer, node in find(steps(field.path), "", document):
            if field.role not in TREATED:
                result[field.role].add(pointer)
                continue

            result[field.role] |= set(numbers(pointer, node))

            if "encoding" in field.options:
                result[field.role] |= set(strings(pointer, node))

    return result
