# Copyright (C) the modelguard authors

"""What a guarded answer must look like, worked out from the raw one without
any of the module's code: documents as trees with numbers as they are written,
exact decimal arithmetic."""

import decimal
import json

decimal.getcontext().prec = 2000


class Number(str):
    """A number as it is written."""

    def value(self):
        return decimal.Decimal(str(self))


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


def parse(text):
    def members(pairs):
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a key is there twice")

        return dict(pairs)

    return json.loads(text, parse_float=Number, parse_int=Number,
                      parse_constant=Number, object_pairs_hook=members)


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


class Expected:
    """The raw tree with Choices, Belows and without what goes."""

    def __init__(self, text, specs, profile):
        self.tree = parse(text)
        self.profile = profile
        self.treated = set()
        self.cut = False
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

        for container, key, _ in reversed(found):
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
    """Where a tree is not as expected; keys must keep their order."""

    if isinstance(expected, (Choice, Below)):
        return [] if expected.accepts(got) \
            else ["%s is %s" % (at or "/", got)]

    if type(expected) is not type(got):
        return ["%s is of another type" % (at or "/")]

    if isinstance(expected, (dict, list)):
        a, b = children(expected), children(got)

        if [key for key, _ in a] != [key for key, _ in b]:
            return ["%s has %s and not %s" % (at or "/",
                                              [k for k, _ in b][:20],
                                              [k for k, _ in a][:20])]

        return [line for (key, x), (_, y) in zip(a, b)
                for line in differences(x, y, at + "/" + key)]

    return [] if expected == got else ["%s is %s" % (at or "/", got)]


def digits_of(number):
    """Decimals as they are written, an exponent taken into account."""

    value = number.value()

    return max(0, -value.as_tuple().exponent) if value.is_finite() else 0
