#!/usr/bin/env python3

# Copyright (C) the modelguard authors

"""Small pictures of digits: three fonts of 5x7 dots, drawn by hand for this
file, put somewhere on an 8x8 grid and spoiled in the way a bad scanner does.
A picture is a list of 64 numbers, row by row, 0 for paper and 1 for ink."""

SIDE = 8
WIDTH, HEIGHT = 5, 7

# one row of text holds the same line of all ten digits, 0 to 9

FONTS = (
    """
    .###.  ..#..  .###.  .###.  ...#.  #####  .###.  #####  .###.  .###.
    #...#  .##..  #...#  #...#  ..##.  #....  #....  ....#  #...#  #...#
    #..##  ..#..  ....#  ....#  .#.#.  ####.  #....  ...#.  #...#  #...#
    #.#.#  ..#..  ...#.  ..##.  #..#.  ....#  ####.  ..#..  .###.  .####
    ##..#  ..#..  ..#..  ....#  #####  ....#  #...#  ..#..  #...#  ....#
    #...#  ..#..  .#...  #...#  ...#.  #...#  #...#  .#...  #...#  ....#
    .###.  .###.  #####  .###.  ...#.  .###.  .###.  .#...  .###.  .###.
    """,
    """
    #####  ...#.  ####.  #####  #...#  #####  #####  #####  #####  #####
    #...#  ..##.  ....#  ....#  #...#  #....  #....  ....#  #...#  #...#
    #...#  ...#.  ....#  ....#  #...#  #....  #....  ....#  #...#  #...#
    #...#  ...#.  .###.  .####  #####  ####.  #####  ...#.  #####  #####
    #...#  ...#.  #....  ....#  ....#  ....#  #...#  ...#.  #...#  ....#
    #...#  ...#.  #....  ....#  ....#  ....#  #...#  ...#.  #...#  ....#
    #####  ...#.  #####  #####  ....#  ####.  #####  ...#.  #####  ....#
    """,
    """
    ..#..  ..#..  .##..  ###..  #..#.  ####.  ..##.  ####.  .##..  .##..
    .#.#.  .##..  #..#.  ...#.  #..#.  #....  .#...  ...#.  #..#.  #..#.
    #...#  #.#..  ...#.  ...#.  #..#.  #....  #....  ...#.  #..#.  #..#.
    #...#  ..#..  ..#..  .##..  #####  ###..  ###..  .###.  .##..  .###.
    #...#  ..#..  ..#..  ...#.  ...#.  ...#.  #..#.  ..#..  #..#.  ...#.
    .#.#.  ..#..  .#...  ...#.  ...#.  ...#.  #..#.  ..#..  #..#.  ..#..
    ..#..  ..#..  ####.  ###..  ...#.  ###..  .##..  ..#..  .##..  .#...
    """,
)


def font_rows(font):
    return [line.split() for line in FONTS[font].split("\n") if line.strip()]


def clean(digit, font=0, left=1, top=0):
    """The digit as the font has it, at that place."""

    pixels = [0.0] * (SIDE * SIDE)

    for y, row in enumerate(font_rows(font)):
        for x, dot in enumerate(row[digit]):
            if dot == "#":
                pixels[(top + y) * SIDE + left + x] = 1.0

    return pixels


def spoiled(digit, rng, noise=0.3):
    """The digit in a random font, place and ink, with noise; all from
    rng.random(), whose sequence no release of Python has changed."""

    font = int(rng.random() * len(FONTS))
    left = int(rng.random() * (SIDE - WIDTH + 1))
    top = int(rng.random() * (SIDE - HEIGHT + 1))
    ink = 0.6 + 0.4 * rng.random()

    pixels = []

    for dot in clean(digit, font, left, top):
        value = dot * ink

        if rng.random() < 0.03:
            value = ink - value

        value += noise * (rng.random() + rng.random() - 1.0)
        pixels.append(round(min(1.0, max(0.0, value)), 3))

    return pixels


def blend(first, second, share):
    """What lies between two pictures; share 0 is the first."""

    return [round(a + (b - a) * share, 9) for a, b in zip(first, second)]


def drawing(pixels):
    """Eight lines of text to look at."""

    ramp = " .:-=+*#%@"
    lines = []

    for y in range(SIDE):
        row = pixels[y * SIDE:(y + 1) * SIDE]
        lines.append("".join(ramp[int(v * (len(ramp) - 1) + 0.5)] * 2
                             for v in row))

    return lines
