# Copyright (C) the modelguard authors

"""CPU time over plain nginx as an SVG: a column of bars for each size, on one
logarithmic scale, with the number at the end of each bar."""

import math
import xml.sax.saxutils

from schema import SIZES

import tables

LEFT = 285                  # for the names of the variants
TOP = 104
ROW = 26
BAR = 15
PANEL = 196                 # of a size, with the room for its numbers
SCALE = 140                 # of the bars in it
BOTTOM = 46

LOW, HIGH = 0.5, 200        # the ends of the scale
TICKS = (1, 10, 100)

BACKGROUND = '#ffffff'
INK = '#1f2328'
FAINT = '#59636e'
GRID = '#d1d9e0'
OURS = '#0969da'
NGINX = '#8c959f'
PEER = '#c9822b'
OTHER = '#e6c79c'           # not the same work

STYLE = 'font-family="Helvetica, Arial, sans-serif"'


def place(value):
    value = min(max(value, LOW), HIGH)

    return SCALE * math.log(value / LOW) / math.log(HIGH / LOW)


def text(x, y, what, **attributes):
    attributes.setdefault('font_size', 13)
    attributes.setdefault('fill', INK)

    return '<text x="%.1f" y="%.1f" %s>%s</text>' % (
        x, y, ' '.join('%s="%s"' % (key.replace('_', '-'), value)
                       for key, value in attributes.items()),
        xml.sax.saxutils.escape(what))


def rect(x, y, width, height, fill):
    return ('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>'
            % (x, y, width, height, fill))


def variants(result):
    """Plain nginx, then what has numbers, the cheapest at 4 KB first."""

    ratios = result['cpu_ratio']
    wanted = [one for one in tables.order(result)
              if one != 'untouched' and ratios.get(one)]

    return ['plain'] + sorted(wanted, key=lambda one: ratios[one].get(
        '40KB', 0))


def colour(result, variant):
    if variant in ('plain', 'limit_req'):
        return NGINX

    if variant not in result['peers']:
        return OURS

    works = result['peers'][variant]['work'].values()

    return PEER if all(one['same'] for one in works) else OTHER


def name(result, variant):
    if variant in result['peers']:
        return result['peers'][variant]['title']

    return {'plain': 'plain nginx', 'limit_req': 'nginx, limit_req',
            'modelguard': 'modelguard: budget and rewriting',
            'budget': 'modelguard: budget only',
            'rewrite': 'modelguard: rewriting only',
            'unguarded': 'modelguard: loaded, unguarded'}[variant]


def panel(result, size, left, rows, height):
    yield text(left, TOP - 26, size.replace('B', ' B').replace('K ', ' K')
               .replace('M ', ' M'), font_size=14, font_weight='bold')

    for tick in TICKS:
        x = left + place(tick)
        yield ('<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="%s"/>'
               % (x, TOP - 6, x, height - BOTTOM, GRID))
        yield text(x, TOP - 10, '%dx' % tick, font_size=11, fill=FAINT,
                   text_anchor='middle')

    for number, variant in enumerate(rows):
        y = TOP + number * ROW + (ROW - BAR) / 2
        value = result['cpu_ratio'][variant].get(size)

        if value is None:
            yield text(left + place(1) + 4, y + 12, 'failed', font_size=11,
                       fill=FAINT)
            continue

        # a bar grows from 1, what plain nginx costs, either way

        start, end = sorted((place(1), place(value)))
        yield rect(left + start - 1, y, max(end - start, 1) + 1, BAR,
                   colour(result, variant))
        yield text(left + end + 5, y + 12, tables.short(value), font_size=12,
                   font_weight='bold' if variant == 'modelguard'
                   else 'normal')


def legend(height):
    x = LEFT

    for fill, what in ((NGINX, 'nginx'), (OURS, 'modelguard'),
                       (PEER, 'others, the same work'),
                       (OTHER, 'others, not the same work')):
        yield rect(x, height - 24, 12, 12, fill)
        yield text(x + 18, height - 14, what, font_size=12)
        x += 42 + 7 * len(what)


def svg(result):
    rows = variants(result)
    width = LEFT + PANEL * len(SIZES) + 10
    height = TOP + ROW * len(rows) + BOTTOM

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d"'
        ' viewBox="0 0 %d %d" %s>' % (width, height, width, height, STYLE),
        rect(0, 0, width, height, BACKGROUND),
        text(16, 28, 'CPU time of a request over plain nginx, by the size of'
             ' the model\'s answer', font_size=17, font_weight='bold'),
        text(16, 48, 'logarithmic scale, medians of interleaved rounds; less'
             ' is better', fill=FAINT),
    ]

    for number, variant in enumerate(rows):
        parts.append(text(LEFT - 14, TOP + number * ROW + ROW / 2 + 5,
                          name(result, variant), text_anchor='end',
                          font_weight='bold' if variant == 'modelguard'
                          else 'normal'))

    for number, size in enumerate(SIZES):
        parts += panel(result, size, LEFT + PANEL * number, rows, height)

    return '\n'.join(parts + list(legend(height)) + ['</svg>']) + '\n'
