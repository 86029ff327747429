#!/usr/bin/env python3

# Copyright (C) the modelguard authors

"""Trains the classifier of the demo and writes weights.json; takes about half
a minute and always gives the same file.

    train.py             train, print the accuracy, write weights.json
    train.py --check     train, and compare with the weights.json at hand
"""

import sys

sys.dont_write_bytecode = True

import json
import random

import glyphs
import model

SEED = 20240229
TRAIN, HELD_OUT = 4000, 1000        # pictures; new ones in each epoch
EPOCHS = 20
RATE = 0.05
DECAY = 0.0008          # keeps the weights small and the scores less than sure


def pictures(count, seed):
    rng = random.Random(seed)

    return [(glyphs.spoiled(i % 10, rng), i % 10) for i in range(count)]


def held_out():
    """Pictures from a stream of random numbers that training never sees."""

    return pictures(HELD_OUT, SEED + 1)


def fresh(rng):
    def matrix(rows, columns):
        scale = (6.0 / (rows + columns)) ** 0.5

        return [[scale * (2.0 * rng.random() - 1.0) for _ in range(columns)]
                for _ in range(rows)]

    return {
        "w1": matrix(model.HIDDEN, model.INPUTS),
        "b1": [0.0] * model.HIDDEN,
        "w2": matrix(model.CLASSES, model.HIDDEN),
        "b2": [0.0] * model.CLASSES,
    }


def descend(rows, bias, x, slope, rate):
    """One step of gradient descent for one layer."""

    keep = 1.0 - rate * DECAY

    for i, s in enumerate(slope):
        if s == 0.0:
            continue

        bias[i] -= rate * s
        step = rate * s
        rows[i] = [w * keep - step * v for w, v in zip(rows[i], x)]


def learn(net, x, digit, rate):
    hidden, logits = model.forward(net, x)
    slope = model.softmax(logits)
    slope[digit] -= 1.0

    back = []

    for j, value in enumerate(hidden):
        total = 0.0

        if value > 0.0:
            for s, row in zip(slope, net["w2"]):
                total += s * row[j]

        back.append(total)

    descend(net["w2"], net["b2"], hidden, slope, rate)
    descend(net["w1"], net["b1"], x, back, rate)


def train(say):
    rng = random.Random(SEED)
    net = fresh(rng)

    for epoch in range(EPOCHS):
        data = pictures(TRAIN, SEED + 2 + epoch)
        rate = RATE * (1.0 - epoch / EPOCHS)

        for x, digit in data:
            learn(net, x, digit, rate)

        say("epoch %2d of %d: %.3f of the training pictures"
            % (epoch + 1, EPOCHS, model.accuracy(net, data)))

    for name in ("w1", "w2"):
        net[name] = [[round(w, 5) for w in row] for row in net[name]]

    for name in ("b1", "b2"):
        net[name] = [round(w, 5) for w in net[name]]

    net["seed"] = SEED
    net["held_out"] = HELD_OUT
    net["accuracy"] = model.accuracy(net, held_out())

    return net


def text(net):
    """JSON with a line for each row of weights."""

    def row(values):
        return json.dumps(values, separators=(",", ":"))

    lines = ['"seed": %d' % net["seed"],
             '"held_out": %d' % net["held_out"],
             '"accuracy": %s' % net["accuracy"]]

    for name in ("w1", "w2"):
        lines.append('"%s": [\n%s\n]' % (name, ",\n".join(map(row,
                                                              net[name]))))

    for name in ("b1", "b2"):
        lines.append('"%s": %s' % (name, row(net[name])))

    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.stderr.write(__doc__)
        return 2

    net = train(print)
    made = text(net)

    print("held-out accuracy: %.3f of %d pictures"
          % (net["accuracy"], net["held_out"]))

    if not arguments:
        with open(model.WEIGHTS, "w", encoding="ascii") as file:
            file.write(made)

        return 0

    with open(model.WEIGHTS, encoding="ascii") as file:
        if file.read() != made:
            sys.stderr.write("train: weights.json is not what train.py "
                             "makes here\n")
            return 1

    print("weights.json is what train.py makes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
