#!/usr/bin/env python3

# Copyright (C) the modelguard authors

"""The classifier: 64 inputs, one hidden layer of rectified units, ten
classes.  Sums are written out as loops: sum() of floats changed in Python
3.12, and the script that made the weights must make them again."""

import json
import math
import os

WEIGHTS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "weights.json")
INPUTS, HIDDEN, CLASSES = 64, 24, 10


def affine(rows, bias, x):
    out = []

    for row, total in zip(rows, bias):
        for weight, value in zip(row, x):
            total += weight * value

        out.append(total)

    return out


def forward(net, x):
    """The hidden layer and the logits of one picture."""

    hidden = [v if v > 0.0 else 0.0
              for v in affine(net["w1"], net["b1"], x)]

    return hidden, affine(net["w2"], net["b2"], hidden)


def softmax(logits):
    peak = max(logits)
    powers = [math.exp(v - peak) for v in logits]
    total = math.fsum(powers)

    return [p / total for p in powers]


def argmax(values):
    """The index of the largest value; of equal ones, the lowest index."""

    return max(range(len(values)), key=lambda i: (values[i], -i))


def accuracy(net, pictures):
    """The share of (pixels, digit) pairs that the net gets right."""

    right = 0

    for pixels, digit in pictures:
        if argmax(forward(net, pixels)[1]) == digit:
            right += 1

    return right / len(pictures)


def load(path=WEIGHTS):
    with open(path, encoding="ascii") as file:
        net = json.load(file)

    shapes = (len(net["w1"]), len(net["b1"]), len(net["w2"]), len(net["b2"]))

    if shapes != (HIDDEN, HIDDEN, CLASSES, CLASSES) \
       or any(len(row) != INPUTS for row in net["w1"]) \
       or any(len(row) != HIDDEN for row in net["w2"]):
        raise ValueError("%s does not hold a net of %d, %d and %d units"
                         % (path, INPUTS, HIDDEN, CLASSES))

    return net
