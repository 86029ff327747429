#!/usr/bin/env python3
#
# Copyright (C) the modelguard authors
#
# Checks the nginx style of our C sources, and the few rules that hold for
# every text file of the repository.
#
#     check-style.py [FILE ...]      all files of the repository by default
#     check-style.py --self-test     shows that every rule can fail

import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), '..'))

WIDTH = 80
FILE_LINES = 700
FUNCTION_LINES = 110

COPYRIGHT = 'Copyright (C) the modelguard authors'

# spelled so that this file passes
UNFINISHED = re.compile('TO' 'DO|FIX' 'ME|X' 'XX')
MACHINE = re.compile(r'(^|[^A-Za-z0-9._])/(' 'work|' 'farm|' 'root)/')

TYPE = (r'(?:(?:const|struct|enum|union|volatile|unsigned|signed|long) )*'
        r'[A-Za-z_]\w*')
DECLARATION = re.compile(r'^ {4}(' + TYPE + r')( +)(\**)(\w+)'
                         r'((?:\[[^]]*\])*)(?: =|[,;:]|$)')
KEYWORDS = {'return', 'goto', 'else', 'case', 'break', 'continue', 'static',
            'extern', 'typedef', 'do', 'if', 'for', 'while', 'switch'}

problems = []


def problem(path, line, text):
    problems.append('%s:%d: %s' % (path, line, text))


def blanked(text):
    """The text with the insides of comments and literals made blank."""

    pattern = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'
                         r"'(?:\\.|[^'\\\n])*'", re.S)

    def blank(match):
        found = match.group(0)
        if found.startswith('/*'):
            return re.sub(r'[^\n]', ' ', found)
        return found[0] + re.sub(r'[^\n]', '_', found[1:-1]) + found[-1]

    return pattern.sub(blank, text)


def check_text(path, text):
    lines = text.split('\n')

    for number, line in enumerate(lines, 1):
        if line != line.rstrip() and not path.endswith('.t'):
            problem(path, number, 'trailing space')
        if UNFINISHED.search(line):
            problem(path, number, 'a mark of unfinished work')
        if MACHINE.search(line):
            problem(path, number, 'a path of one machine')

    if not text.endswith('\n') or text.endswith('\n\n\n'):
        problem(path, len(lines), 'the file must end with one newline')


def check_lines(path, text, lines, code):
    for number, line in enumerate(lines, 1):
        if len(line) > WIDTH:
            problem(path, number, 'wider than %d columns' % WIDTH)
        if '\t' in line:
            problem(path, number, 'a tab')

    for number, line in enumerate(code, 1):
        before = lines[number - 2] if number > 1 else ''

        if '//' in line:
            problem(path, number, 'a // comment')
        if re.search(r'\bfor \(;;\)|\bfor \( *; *;\)|\bfor \(;', line):
            problem(path, number, 'an empty clause is written "for ( ;; )"')
        if re.search(r'\b(if|for|while|switch)\(', line):
            problem(path, number, 'no space between a keyword and "("')
        if re.match(r' +\} else\b', line) and before.strip() != '':
            problem(path, number, 'no blank line before "} else"')
        if re.match(r' *else\b', line):
            problem(path, number, '"else" stands behind its brace')
        if re.search(r'\bif \(.*[^=!<>]=[^=].*\) \{$', line) \
                and '==' not in line and '= ' in line and '!=' not in line \
                and '<' not in line and '>' not in line:
            problem(path, number, 'an assignment in a condition')

    if len(lines) - 1 > FILE_LINES and not path.startswith('t/'):
        problem(path, FILE_LINES, 'longer than %d lines' % FILE_LINES)

    if not text.startswith('\n/*\n * %s\n' % COPYRIGHT):
        problem(path, 1, 'the file starts with an empty line and "%s"'
                % COPYRIGHT)


def check_guard(path, text):
    if not path.endswith('.h'):
        return

    guard = re.sub(r'\W', '_', os.path.basename(path)).upper() + '_INCLUDED'

    if '\n#ifndef %s\n#define %s\n' % (guard, guard) not in text \
            or not text.endswith('\n#endif /* %s */\n' % guard):
        problem(path, 1, 'no header guard %s' % guard)


def check_braces(path, code):
    """Every if, else, for, while and do has its braces."""

    text = '\n'.join('' if line.startswith('#') else line for line in code)
    text = re.sub(r'^.*\\$', '', text, flags=re.M)

    for match in re.finditer(r'\b(if|for|while|else|do)\b', text):
        at = match.end()

        if match.group(1) not in ('else', 'do'):
            at = text.find('(', at)
            depth = 0
            while 0 <= at < len(text):
                depth += {'(': 1, ')': -1}.get(text[at], 0)
                at += 1
                if depth == 0:
                    break

        rest = text[at:].lstrip()

        if rest.startswith('{') \
                or match.group(1) == 'else' and rest.startswith('if') \
                or match.group(1) == 'while' and rest.startswith(';'):
            continue

        problem(path, text.count('\n', 0, match.start()) + 1,
                'no braces after "%s"' % match.group(1))


def check_declarations(path, code, first):
    """The declarations at the top of a function: sorted and aligned."""

    columns = set()
    lengths = []

    for number in range(first, len(code)):
        line = code[number]

        # "conf_t *prev = parent;" and the like form a block of their own

        if re.match(r'    \w[\w ]* +\**\w+ = ', line) \
                or line.strip() == '' and not lengths:
            continue

        if line.strip() == '' or line.startswith('#') \
                or re.match(r'    (static|extern) ', line):
            break

        match = DECLARATION.match(line)

        if line.startswith('     '):
            continue

        if not match or match.group(1).split(' ')[0] in KEYWORDS:
            break

        columns.add(match.start(4))

        # arrays come last, whatever their type
        if not match.group(5):
            lengths.append((len(match.group(1)), number))

        if len(match.group(2)) < 2:
            problem(path, number + 1,
                    'two spaces between the longest type and the name')

    if len(columns) > 1:
        problem(path, first + 1, 'the declared names are not aligned')

    for (length, _), (following, number) in zip(lengths, lengths[1:]):
        if following < length:
            problem(path, number + 1,
                    'the declarations are not sorted by length of type')


def check_functions(path, lines, code):
    for number, line in enumerate(code):

        if line == '}':
            after = number + 1
            while after < len(lines) and lines[after].strip() == '':
                after += 1
            if after < len(lines) and after - number != 3 \
                    and not lines[after].startswith('#'):
                problem(path, number + 1, 'not two blank lines after "}"')

        if line != '{':
            continue

        head = number
        while head > 0 and code[head - 1].strip() != '' \
                and code[head].startswith((' ', '{', ')')):
            head -= 1

        if not re.match(r'\w+\(', code[head]) \
                or not re.match(r'[A-Za-z_][\w \*]*$', code[head - 1]):
            problem(path, head + 1, 'the return type has a line of its own')

        end = number
        while end < len(code) and code[end] != '}':
            end += 1

        if end - number - 1 > FUNCTION_LINES:
            problem(path, head + 1, 'a function of %d lines, the limit is %d'
                    % (end - number - 1, FUNCTION_LINES))

        check_declarations(path, code, number + 1)


def check_file(path):
    with open(path, encoding='utf-8', newline='') as file:
        text = file.read()

    name = os.path.relpath(path, TOP)

    if '\r' in text:
        problem(name, 1, 'a carriage return')

    check_text(name, text)

    if path.endswith(('.c', '.h')):
        lines = text.split('\n')
        code = blanked(text).split('\n')
        code = [line.rstrip() for line in code]

        check_lines(name, text, lines, code)
        check_guard(name, text)
        check_braces(name, code)
        check_functions(name, lines, code)


def repository_files():
    """What git would track; data is left alone."""

    listed = subprocess.run(
        ['git', '-c', 'safe.directory=*', '-C', TOP, 'ls-files', '-co',
         '--exclude-standard'], capture_output=True, text=True, check=True)

    skipped = ('t/data/', 't/corpus/', 'docs/notes/')
    texts = ('.c', '.h', '.sh', '.py', '.pl', '.pm', '.t', '.md', '.mk',
             '.conf', '/config', '/run', 'Makefile')

    for name in sorted(listed.stdout.split('\n')):
        if name and not name.startswith(skipped) \
                and ('/' + name).endswith(texts) \
                and os.path.isfile(os.path.join(TOP, name)):
            yield os.path.join(TOP, name)


GOOD = '''
/*
 * Copyright (C) the modelguard authors
 */


#include "sample.h"


static int
sample_one(const char *text, size_t size)
{
    int          found;
    size_t       i, n;
    const char  *p;

    found = 0;

    for (i = 0; i < size; i++) {

        if (text[i] == '{') {     /* not a // comment */
            found++;

        } else {
            p = &text[i];
        }
    }

    for ( ;; ) {
        break;
    }

    return found;
}


int
sample_two(void)
{
    return sample_one("http://x", 8);
}
'''

# what to replace in the good file, with what, and the complaint it must cause

SPOILED = (
    ('    found = 0;', '    found = 0; ', 'trailing space'),
    ('    found = 0;', '\tfound = 0;', 'a tab'),
    ('    found = 0;', '    found = 0;' + ' ' * 60 + '/* far out */',
     'wider than'),
    ('    found = 0;', '    found = 0;  // zero', 'a // comment'),
    ('    found = 0;', '    found = 0;  /* TO' 'DO */', 'unfinished'),
    ('    found = 0;', '    found = 0;  /* see /ro' 'ot/x */', 'one machine'),
    ('    found = 0;', '\n' * 700, 'longer than'),
    ('    found = 0;', '    found++;\n' * 111, 'a function of'),
    ('}\n\n\nint\n', '}\n\nint\n', 'two blank lines'),
    ('}\n\n\nint\n', '}\n\n\n\nint\n', 'two blank lines'),
    ('int\nsample_two', 'int sample_two', 'return type'),
    ('for ( ;; )', 'for (;;)', 'empty clause'),
    ('if (text', 'if(text', 'no space between'),
    ('\n\n        } else', '\n        } else', 'no blank line before'),
    ('\n/*\n * Copy', '/*\n * Copy', 'starts with an empty line'),
    ('the modelguard authors', 'someone', 'starts with an empty line'),
    ('    for ( ;; ) {\n        break;\n    }', '    if (found)\n'
     '        found = 1;', 'no braces'),
    ('    int          found;', '    int         found;', 'not aligned'),
    ('    int          found;\n    size_t       i, n;',
     '    size_t       i, n;\n    int          found;', 'not sorted'),
    ('return sample_one("http://x", 8);\n}\n',
     'return sample_one("http://x", 8);\n}', 'one newline'),
    ('    found = 0;', '    found = 0;\r', 'carriage return'),
)


def run_on(directory, name, text):
    path = os.path.join(directory, name)

    with open(path, 'w', encoding='utf-8', newline='') as file:
        file.write(text)

    problems.clear()
    check_file(path)

    return list(problems)


def self_test():
    failed = 0

    os.makedirs(os.path.join(TOP, 'build'), exist_ok=True)

    with tempfile.TemporaryDirectory(dir=os.path.join(TOP, 'build')) as where:

        found = run_on(where, 'sample.c', GOOD)
        if found:
            print('the good sample fails: %s' % found)
            failed += 1

        for old, new, complaint in SPOILED:
            assert old in GOOD, old
            found = run_on(where, 'sample.c', GOOD.replace(old, new, 1))
            if not any(complaint in one for one in found):
                print('not found: "%s", but %s' % (complaint, found))
                failed += 1

        found = run_on(where, 'sample.h', GOOD)
        if not any('header guard' in one for one in found):
            print('not found: a missing header guard')
            failed += 1

    print('style check: %d rules can fail, %d cannot'
          % (len(SPOILED) + 1 - failed, failed))

    return failed


def main():
    if sys.argv[1:] == ['--self-test']:
        sys.exit(1 if self_test() else 0)

    files = [os.path.realpath(name) for name in sys.argv[1:]] \
        or list(repository_files())

    for path in files:
        check_file(path)

    for text in problems:
        print(text)

    print('style: %d files, %d problems' % (len(files), len(problems)))
    sys.exit(1 if problems else 0)


main()
