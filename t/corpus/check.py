# Copyright (C) the modelguard authors

"""What must hold for an answer of the corpus after a guard."""

import collections
import json
import re

import expect
import fields
import frames

ROUND2 = {"round": 2}
TOP3 = {"round": 2, "top": 3}

# the same three in nginx's words and for t/corpus/expect.py; "flat" is "top"
# without ranks

CONF = """
    modelguard_profile round {
        scores round=2; logits round=2; logprobs round=2; embedding round=2;
        metadata drop;
    }
    modelguard_profile top {
        scores round=2 top=3; logits round=2 top=3; logprobs drop;
        embedding round=3; metadata drop;
    }
    modelguard_profile flat {
        scores round=2; logits round=2; logprobs drop; embedding round=3;
        metadata drop;
    }
    modelguard_profile label {
        scores label_only; logits drop; logprobs null; embedding drop;
        metadata null; usage drop;
    }
"""

PROFILES = {
    "round": dict(scores=ROUND2, logits=ROUND2, logprobs=ROUND2,
                  embedding=ROUND2, metadata="drop"),
    "top": dict(scores=TOP3, logits=TOP3, logprobs="drop",
                embedding={"round": 3}, metadata="drop"),
    "label": dict(scores={"label_only": True}, logits="drop",
                  logprobs="null", embedding="drop", metadata="null",
                  usage="drop"),
}

# most decimals that a listed number may have

DIGITS = {"round": 2, "top": 3, "label": 0}

ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

NUMBER = re.compile(r"(?<![0-9.])-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")


def matches(pattern, pointer):
    a, b = pattern.split("/"), pointer.split("/")

    return len(a) == len(b) and all(x in ("*", y) for x, y in zip(a, b))


def walk(tree, pattern):
    """(pointer, node) of all places of a pointer with "*" in it."""

    found = [("", tree)]

    for step in expect.steps(pattern):
        found = [(pointer + "/" + expect.escape(key), child)
                 for pointer, node in found
                 for key, child in expect.children(node)
                 if step == "*" or step == expect.escape(key)]

    return found


class Raw:
    """An answer as the model server gives it, with what the oracle lists and
    the table says of it."""

    def __init__(self, entry, row, oracle):
        self.entry = entry
        self.row = row
        self.oracle = oracle
        self.frames = frames.split(entry.body, entry.framing)
        self.texts = [frame.document() for frame in self.frames]
        self.trees = [expect.parse(text) for text in self.texts
                      if text is not None]
        self.listed = [self.places(i, tree)
                       for i, tree in enumerate(self.trees)]

    def places(self, i, tree):
        """Pointers of what the oracle lists for a document."""

        found, start = set(), ""

        if self.entry.framing != "json":
            start = "%d:" % i

        for places in self.oracle.values():
            if isinstance(places, dict):
                found |= {p for pattern in places["patterns"] for p, _
                          in walk(tree, "/" + pattern.replace(".", "/"))}
            else:
                found |= {place[len(start):] for place in places
                          if place.startswith(start)}

        return found

    def extra(self, pointer):
        return any(matches(pattern, pointer) for pattern in self.row.extra)

    def secrets(self, digits):
        """What must not come out: numbers of more decimals, with how often
        they may, for they stand elsewhere, too; base64."""

        found = collections.Counter()
        strings = set()

        for tree, places in zip(self.trees, self.listed):
            for pointer, leaf in expect.pointers(tree):
                if pointer not in places and not self.extra(pointer):
                    continue

                if isinstance(leaf, expect.Number):
                    found[str(leaf)] += 1

                elif re.fullmatch("[0-9A-Za-z+/_-]{24,}=*", leaf):
                    strings.add(str(leaf))

                else:
                    found.update(NUMBER.findall(leaf))

        there = collections.Counter(NUMBER.findall(
            "\n".join(text for text in self.texts if text is not None)))

        return {text: there[text] - n for text, n in found.items()
                if expect.digits_of(expect.Number(text)) > digits}, strings


def named(specs, tree):
    """Pointers of what the specs treat."""

    found = set()

    for spec in specs:
        kind, pointer = spec[0], spec[2]

        if kind == "place":
            continue

        if kind == "records":
            pointer += "/*" + spec[3]

        elif kind not in ("lone", "text", "base64", "nested"):
            pointer += "/*"

        wanted = expect.Number if kind in ("lone", "array", "tensor", "map",
                                           "records", "parallel") \
            else expect.String

        found |= {p for p, leaf in walk(tree, pointer)
                  if isinstance(leaf, wanted)}

    return found


def vectors(specs, tree):
    """(label, number) pairs of every vector: what must stay on top."""

    for spec in specs:
        kind, pointer = spec[0], spec[2]

        if kind not in ("array", "map", "records", "parallel", "tensor",
                        "strings"):
            continue

        for _, _, node in expect.find(tree, pointer):
            if kind == "array":
                yield [(str(i), n) for i, n in enumerate(node)]

            elif kind == "map":
                yield list(node.items())

            elif kind == "records":
                key = expect.steps(spec[3])[0]
                yield [(json.dumps([v for k, v in expect.children(r)
                                    if k != key]), expect.get(r, key))
                       for r in node]

            elif kind == "tensor":
                for i in range(0, len(node), int(spec[3])):
                    yield [(str(i + j), n) for j, n
                           in enumerate(node[i:i + int(spec[3])])]

            elif kind == "strings":
                yield [(text.partition(":")[2],
                        expect.Number(text.partition(":")[0]))
                       for text in node]

        if kind == "parallel":
            for (_, _, node), (_, _, labels) in zip(
                    expect.find(tree, pointer), expect.find(tree, spec[3])):
                yield list(zip(labels, node))


def top_label(vector):
    return vector[expect.rank([number for _, number in vector])[0]][0]


def check_fields(raw, lines):
    """What the file of fields names, read without the module's code, is what
    the oracle lists and the table says."""

    table, shipped = [], []

    for i, tree in enumerate(raw.trees):
        names = fields.named(lines, plain(tree))
        treated = {p for role in fields.TREATED for p in names[role]}
        listed = raw.listed[i]

        shipped += ["%d:%s" % (i, p) for p in treated ^ listed
                    if not raw.extra(p)]
        table += ["%d:%s" % (i, p) for p in named(raw.row.specs, tree) ^ listed
                  if not raw.extra(p)]

    yield not shipped, "%s names what the oracle lists" % raw.row.fields, \
        sorted(shipped)[:10]
    yield not table, "the table names what the oracle lists", \
        sorted(table)[:10]


def plain(tree):
    """The tree as json.loads() would give it."""

    if isinstance(tree, dict):
        return {str(key): plain(child) for key, child in tree.items()}

    if isinstance(tree, list):
        return [plain(child) for child in tree]

    if isinstance(tree, expect.Number):
        return 0.5

    return str(tree) if isinstance(tree, expect.String) else tree


def check_answer(raw, profile, answer):
    """(holds, name, why) for one answer."""

    status, kind, body = answer
    entry, row = raw.entry, raw.row

    yield (status, kind) == (entry.status, entry.type), \
        "status and type are the same", "%s %s %s" % (status, kind, body[:300])

    if (status, kind) != (entry.status, entry.type):
        return

    guarded = frames.split(body, entry.framing)

    yield [f.around for f in guarded] == [f.around for f in raw.frames], \
        "%d frames are framed as they were" % len(raw.frames), \
        [(a.around, b.around) for a, b in zip(raw.frames, guarded)
         if a.around != b.around][:3] or (len(raw.frames), len(guarded))

    try:
        texts = [frame.document() for frame in guarded]
        trees = [expect.parse(text) for text in texts if text is not None]

        if len(trees) != len(raw.trees):
            raise ValueError("%d documents of %d"
                             % (len(trees), len(raw.trees)))

        yield from check_trees(raw, profile, texts, trees)

    except ERRORS as error:
        yield False, "its shape is kept", "%r %s" % (error, body[:300])

    # the whole of the output, and not only where numbers are looked for

    output = body.decode("utf-8", "replace")
    there = collections.Counter(NUMBER.findall(output))
    numbers, strings = raw.secrets(DIGITS[profile])
    leaked = [text for text, n in numbers.items() if there[text] > n] \
        + [text for text in strings if text in output]

    yield not leaked, "no forbidden digit anywhere", leaked[:10]


def check_trees(raw, profile, texts, trees):
    row = raw.row
    wrong, spaces, long, tops, lost = [], [], [], [], []
    kept = 0
    texts = [text for text in texts if text is not None]
    sources = [text for text in raw.texts if text is not None]

    for i, (text, source, tree, before) in enumerate(
            zip(texts, sources, trees, raw.trees)):
        expected = expect.Expected(source, row.specs, PROFILES[profile])

        wrong += ["%d:%s" % (i, line)
                  for line in expect.differences(expected.tree, tree)]

        if not expected.cut and not expected.shaped:
            kept += 1

            if expect.skeleton(source) != expect.skeleton(text):
                spaces.append(i)

        places = named(row.specs, tree) if expected.cut \
            else raw.listed[i] | named(row.specs, tree)
        long += ["%d:%s: %s" % (i, p, n) for p, n in expect.pointers(tree)
                 if p in places and isinstance(n, expect.Number)
                 and expect.digits_of(n) > DIGITS[profile]]

        tops += ["%d: %s" % (i, a) for a, b in zip(
                    map(top_label, vectors(row.specs, before)),
                    map(top_label, vectors(row.specs, tree))) if a != b]

        lost += ["%d:%s" % (i, p) for p in row.survive
                 if not survives(p, before, tree, expected.cut)]

    absent = [p for p in row.survive
              if not any(expect.find(tree, p) for tree in raw.trees)]

    yield not wrong, "treated as it should be, and all else is as it was " \
        "written", wrong[:10]
    yield not spaces, "white space is kept in %d documents" % kept, spaces[:10]
    yield not long, "no number is longer than allowed", long[:10]
    yield not tops, "top labels are kept", tops[:10]
    yield not lost and not absent, "%d things survive" % len(row.survive), \
        (lost + absent)[:10]


def survives(pointer, before, after, cut):
    a = [node for _, _, node in expect.find(before, pointer)]
    b = [node for _, _, node in expect.find(after, pointer)]

    if cut:
        return not a or bool(b) and all(any(expect.same(x, y) for x in a)
                                        for y in b)

    return len(a) == len(b) and all(map(expect.same, a, b))
