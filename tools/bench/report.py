#!/usr/bin/env python3

# Copyright (C) the modelguard authors

"""Writes what was measured.

    report.py           build/bench.md and build/bench.svg from
                        build/bench.json, and the tables to the output
    report.py --docs    the tables between the markers of docs/performance.md
                        and the chart beside it, too"""

import sys

sys.dont_write_bytecode = True

import json

import chart
import programs
import schema
import tables
import targets

BUILD = programs.TOP / 'build'
DOCS = programs.TOP / 'docs'
PAGE = DOCS / 'performance.md'
CHART = 'performance.svg'
IMAGE = '![CPU time of a request over plain nginx](%s)\n\n' % CHART

BEGIN = '<!-- tables: begin -->'
END = '<!-- tables: end -->'


def markdown(result):
    lines = ['# modelguard beside what people would use instead', '',
             result['setting'], '',
             'Measured in %d seconds%s.' % (
                 result['seconds'], ', with --quick: these numbers say nothing'
                 if result['quick'] else ''), '']

    return '\n'.join(lines + list(tables.everything(result)))


def charges(result):
    return '\n'.join(['# The table of clients', '']
                     + list(tables.charges(result))
                     + list(tables.compared(targets.of_charges(result))))


def write(result):
    """Into the build folder; the Markdown."""

    text = markdown(result)

    (BUILD / 'bench.md').write_text(text + '\n')
    (BUILD / 'bench.svg').write_text(chart.svg(result))

    return text


def between(page, text):
    """The page with the text between its markers."""

    head, rest = page.split(BEGIN)
    _, tail = rest.split(END)

    return '%s%s\n\n%s\n%s%s' % (head, BEGIN, text, END, tail)


def headings(text):
    """One level below those of the page."""

    return '\n'.join(line.replace('## ', '### ', 1)
                     if line.startswith('## ') else line
                     for line in text.split('\n')[2:])


def docs(result):
    text = IMAGE + headings(markdown(result))

    PAGE.write_text(between(PAGE.read_text(), text))
    (DOCS / CHART).write_text(chart.svg(result))


def main():
    result = json.loads((BUILD / 'bench.json').read_text())
    problems = schema.problems(result)

    if problems:
        sys.exit('report: build/bench.json: ' + '; '.join(problems))

    print(write(result))

    if '--docs' in sys.argv[1:]:
        if result['quick']:
            sys.exit('report: a quick run is nothing for docs/')

        docs(result)


if __name__ == '__main__':
    main()
