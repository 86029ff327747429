# Copyright (C) the modelguard authors

"""What a guarded answer must look like, worked out from the raw one without
any of the module's code: documents as trees with numbers as they are written,
exact decimal arithmetic."""

import base64
import decimal
import json
import re
import struct

decimal.getcontext().prec = 2000


class Number(str):
    """A number as it is written."""

    def value(self):
        return decimal.Decimal(str(self))


class String(str):
    """A string, and how it is written."""

    raw = None


class Choice:
    """A number that may be any of several values."""

    def __init__(self, *values):
        self.values = values

    def accepts(self, text):
        return isinstance(text, Number) and text.value() in self.values


class Below:
    """A hidden score: 0 where that is below all that are kept, or else some
    number that is."""

    def __init__(self, bound):
        self.bound = bound

    def accepts(self, text):
        if not isinstance(text, Number):
            return False

        return text.value() == 0 if self.bound >= 0 \
            else text.value() < self.bound


TOKEN = re.compile(r'[ \t\r\n]*(?:([][{},:])|("(?:[^"\\]|\\.)*")'
                   r"|(-?(?:Infinity|NaN|[0-9][0-9.eE+-]*))"
                   r"|(true|false|null))")

WORDS = {"true": True, "false": False, "null": None}

END = ("}", "]", ",", ":")


def parse(text):
    """A tree of dict, list, String, Number, bool and None."""

    tokens, at = [], 0
    text = text.rstrip(" \t\r\n")

    while at < len(text):
        found = TOKEN.match(text, at)

        if found is None:
            raise ValueError("no JSON at %d: %s" % (at, text[at:at + 40]))

        tokens.append(found.groups())
        at = found.end()

    if not tokens:
        raise ValueError("empty")

    tree, end = value(tokens, 0)

    if end != len(tokens):
        raise ValueError("more than one document")

    return tree


def string(raw):
    result = String(json.loads(raw))
    result.raw = raw

    return result


def token(tokens, i):
    if i >= len(tokens):
        raise ValueError("cut off")

    return tokens[i]


def value(tokens, i):
    """A value and the index of the token after it."""

    punctuation, text, number, word = token(tokens, i)

    if text is not None:
        return string(text), i + 1

    if number is not None:
        result = Number(number)
        result.value()
        return result, i + 1

    if word is not None:
        return WORDS[word], i + 1

    if punctuation in END:
        raise ValueError("%s in place of a value" % punctuation)

    close = "}" if punctuation == "{" else "]"
    result = {} if punctuation == "{" else []
    i += 1

    if token(tokens, i)[0] == close:
        return result, i + 1

    while True:
        if isinstance(result, dict):
            if token(tokens, i)[1] is None \
                    or token(tokens, i + 1)[0] != ":":
                raise ValueError("no name")

            key = string(tokens[i][1])

            if key in result:
                raise ValueError("a key is there twice")

            result[key], i = value(tokens, i + 2)

        else:
            member, i = value(tokens, i)
            result.append(member)

        end = token(tokens, i)[0]
        i += 1

        if end == close:
            return result, i

        if end != ",":
            raise ValueError("no comma")


def skeleton(text):
    """The text with "s" for a scalar: white space and structure."""

    return re.sub(r'("(?:[^"\\]|\\.)*")|[^][{},: \t\r\n]+', "s", text)


def same(a, b):
    """Equal to the letter, but for white space."""

    if type(a) is not type(b):
        return False

    if isinstance(a, String):
        return a.raw == b.raw

    if isinstance(a, (dict, list)):
        a, b = children(a), children(b)

        return len(a) == len(b) and all(
            getattr(k, "raw", k) == getattr(l, "raw", l) and same(x, y)
            for (k, x), (l, y) in zip(a, b))

    return a == b


def steps(pointer):
    return pointer.split("/")[1:]


def children(node):
    if isinstance(node, dict):
        return list(node.items())

    if isinstance(node, list):
        return [(str(i), child) for i, child in enumerate(node)]

    return []


def find(root, pointer):
    """(container, key) of all places, where "*" is any step; the root's
    container is None."""

    found = [(None, None, root)]

    for step in steps(pointer):
        found = [(node, key, child) for _, _, node in found
                 for key, child in children(node)
                 if step in ("*", escape(key))]

    return found


def escape(key):
    return key.replace("~", "~0").replace("/", "~1")


def get(node, key):
    return node[int(key)] if isinstance(node, list) else node[key]


def put(node, key, value):
    if isinstance(node, list):
        node[int(key)] = value
    else:
        node[key] = value


def pointers(root, below=""):
    """(pointer, leaf) of every scalar."""

    kids = children(root)

    if not kids and not isinstance(root, (dict, list)):
        yield below, root

    for key, child in kids:
        yield from pointers(child, below + "/" + escape(key))


def rank(numbers):
    """Indices, the greatest first; of equals the first; NaN last."""

    def order(i):
        value = numbers[i].value()

        if value.is_nan():
            return (1, 0, i)

        return (0, -value, i)

    return sorted(range(len(numbers)), key=order)


def rounded(number, digits):
    value = number.value()

    if not value.is_finite():
        return value

    return value.quantize(decimal.Decimal(1).scaleb(-digits),
                          decimal.ROUND_HALF_EVEN)


def vector(numbers, treatment):
    """Per number what it may become: None is hidden."""

    order = rank(numbers)
    top = order[0]

    if treatment.get("label_only"):
        return [Choice(decimal.Decimal(1)) if i == top else None
                for i in range(len(numbers))]

    kept = set(order[:treatment.get("top", len(numbers))])
    digits = treatment["round"]
    unit = decimal.Decimal(1).scaleb(-digits)
    result = []
    highest = rounded(numbers[top], digits)

    for i, number in enumerate(numbers):
        value = rounded(number, digits)

        if i not in kept:
            result.append(None)

        elif value.is_nan():
            result.append(number)

        elif not value.is_finite():
            result.append(Choice(value))

        elif i == top and value == 0:

            # raised if another would have to go below zero

            result.append(Choice(value, unit))

        elif i != top and value >= highest \
                and number.value() != numbers[top].value():
            result.append(Choice(highest - unit, highest))

        elif i != top and value == highest:

            # equal as it came: lowered if it stands before the top

            result.append(Choice(value, value - unit))

        else:
            result.append(Choice(value))

    return result


def lone(number, treatment):
    value = number.value()

    if treatment.get("label_only"):
        return Choice(decimal.Decimal(1 if value > decimal.Decimal("0.5")
                                      else 0))

    if not value.is_finite():
        return number

    return Choice(rounded(number, treatment["round"]))


def hide(results):
    """Values for what is hidden but keeps its place."""

    hidden = Below(min((min(r.values) for r in results
                        if isinstance(r, Choice)),
                       default=decimal.Decimal(0)))

    return [hidden if r is None else r for r in results]


FRACTION = re.compile(r"-?[0-9]+(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?"
                      r"|[eE][-+]?[0-9]+)")


class Text:
    """A string: pieces that stay, and numbers between them."""

    def __init__(self, pieces, values):
        self.values = values
        self.pattern = re.compile("(-?[0-9]+(?:\\.[0-9]+)?)".join(
            re.escape(piece) for piece in pieces), re.S)

    def accepts(self, got):
        found = isinstance(got, String) and self.pattern.fullmatch(got)

        return bool(found) and all(
            v.accepts(Number(n)) if not isinstance(v, Number) else v == n
            for v, n in zip(self.values, found.groups()))


class Floats:
    """Little-endian float32 in base64, each one of several values."""

    def __init__(self, raw, values):
        self.raw = raw
        self.values = values

    def accepts(self, got):
        if not isinstance(got, String) or len(got) != len(self.raw) \
                or ("=" in got) != ("=" in self.raw):
            return False

        try:
            numbers = floats(got)
        except ValueError:
            return False

        return len(numbers) == len(self.values) and all(
            n in v for n, v in zip(numbers, self.values))


class Nested:
    """A document in a string."""

    def __init__(self, tree):
        self.tree = tree

    def accepts(self, got):
        try:
            return isinstance(got, String) \
                and not differences(self.tree, parse(str(got)))
        except ValueError:
            return False


def floats(text):
    data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)

    if len(data) % 4:
        raise ValueError("no float32")

    return struct.unpack("<%df" % (len(data) // 4), data)


def float32(value):
    return struct.unpack("<f", struct.pack("<f", float(value)))[0]


def rounded_float(number, digits):
    """What a float32 may become: rounded as it is, or as its shortest text
    that reads back as the same; as a float32 again."""

    texts = (decimal.Decimal(number), shortest(number))

    return {float32(text.quantize(decimal.Decimal(1).scaleb(-digits),
                                  decimal.ROUND_HALF_EVEN))
            for text in texts}


def shortest(number):
    for digits in range(1, 10):
        text = "%.*e" % (digits - 1, number)

        if float32(text) == number:
            return decimal.Decimal(text)

    return decimal.Decimal(number)


class Expected:
    """The raw tree with Choices, Belows and without what goes."""

    def __init__(self, text, specs, profile):
        self.tree = parse(text)
        self.profile = profile
        self.cut = False
        self.shaped = False
        places = []

        for spec in specs:
            treatment = profile.get(spec[1])

            if treatment is None:
                continue

            if spec[0] == "place":
                if treatment in ("drop", "null"):
                    places.append((spec[2], treatment))

            elif isinstance(treatment, dict):
                getattr(self, spec[0])(treatment, *spec[2:])

        for pointer, treatment in places:
            self.place(pointer, treatment)

    def place(self, pointer, treatment):
        found = find(self.tree, pointer)

        for container, key, node in reversed(found):
            if treatment == "drop" or isinstance(node, (dict, list)):
                self.shaped = True

            if treatment == "null":
                put(container, key, None)

            elif isinstance(container, list):
                del container[int(key)]

            else:
                del container[key]

    def lone(self, treatment, pointer):
        for container, key, number in find(self.tree, pointer):
            if isinstance(number, Number):
                put(container, key, lone(number, treatment))

    def array(self, treatment, pointer):
        for _, _, array in find(self.tree, pointer):
            if len(array) == 1:
                array[0] = lone(array[0], treatment)
            else:
                array[:] = hide(vector(array, treatment))

    def strings(self, treatment, pointer, row):
        """Numbers up to the first colon of strings, in rows."""

        row = int(row)

        for _, _, array in find(self.tree, pointer):
            for i in range(0, len(array), row):
                heads = [Number(text.partition(":")[0])
                         for text in array[i:i + row]]
                results = hide(vector(heads, treatment)) if row > 1 \
                    else [lone(heads[0], treatment)]

                for j, result in enumerate(results):
                    head, colon, rest = array[i + j].partition(":")
                    array[i + j] = Text(["", colon + rest], [result])

    def text(self, treatment, pointer):
        for container, key, text in find(self.tree, pointer):
            numbers = [Number(n) for n in FRACTION.findall(text)]

            results = hide(vector(numbers, treatment)) if len(numbers) > 1 \
                else [lone(numbers[0], treatment)]

            put(container, key, Text(FRACTION.split(text), results))

    def base64(self, treatment, pointer):
        for container, key, text in find(self.tree, pointer):
            if isinstance(text, String):
                put(container, key, Floats(str(text), [
                    rounded_float(n, treatment["round"])
                    for n in floats(text)]))

    def nested(self, treatment, pointer, *inner):
        for container, key, text in find(self.tree, pointer):
            below = Expected(str(text), [[inner[0], "inner", *inner[1:]]],
                             {"inner": treatment})
            put(container, key, Nested(below.tree))

    def tensor(self, treatment, pointer, row):
        row = int(row)

        for _, _, array in find(self.tree, pointer):
            for i in range(0, len(array), row):
                part = array[i:i + row]
                array[i:i + row] = [lone(part[0], treatment)] if row == 1 \
                    else hide(vector(part, treatment))

    def records(self, treatment, pointer, member):
        for _, _, array in find(self.tree, pointer):
            key = steps(member)[0]
            result = vector([get(record, key) for record in array], treatment)

            for record, value in zip(array, result):
                put(record, key, value)

            self.cut_array(array, result)

    def map(self, treatment, pointer):
        for _, _, members in find(self.tree, pointer):
            result = vector(list(members.values()), treatment)

            for key, value in zip(list(members), result):
                if value is None:
                    self.cut = True
                    del members[key]
                else:
                    members[key] = value

    def parallel(self, treatment, pointer, labels):
        for (_, _, array), (_, _, other) in zip(find(self.tree, pointer),
                                                find(self.tree, labels)):
            result = vector(array, treatment)
            array[:] = result
            self.cut_array(other, result)
            self.cut_array(array, result)

    def cut_array(self, array, result):
        if None in result:
            self.cut = True

        array[:] = [element for element, value in zip(array, result)
                    if value is not None]


def differences(expected, got, at=""):
    """Where a tree is not as expected; keys must keep their order, and what
    is not treated how it is written."""

    if hasattr(expected, "accepts"):
        return [] if expected.accepts(got) \
            else ["%s is %.100s" % (at or "/", got)]

    if type(expected) is not type(got):
        return ["%s is of another type" % (at or "/")]

    if isinstance(expected, (dict, list)):
        a, b = children(expected), children(got)

        if [getattr(key, "raw", key) for key, _ in a] \
                != [getattr(key, "raw", key) for key, _ in b]:
            return ["%s has %s and not %s" % (at or "/",
                                              [k for k, _ in b][:20],
                                              [k for k, _ in a][:20])]

        return [line for (key, x), (_, y) in zip(a, b)
                for line in differences(x, y, at + "/" + key)]

    return [] if same(expected, got) else ["%s is %.100s" % (at or "/", got)]


def digits_of(number):
    """Decimals as they are written, an exponent taken into account."""

    value = number.value()

    return max(0, -value.as_tuple().exponent) if value.is_finite() else 0
