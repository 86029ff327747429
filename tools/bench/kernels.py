# Copyright (C) the modelguard authors

"""The work alone, without nginx: GB/s of input of the module's rewriter and of
other people's parsers doing the same, whose output is compared first.  What
was not built is left out."""

import subprocess

import bodies
import programs
import same

BODIES = ('40KB', '4MB', bodies.TEXT)

#   program: what its method "modelguard" is called

PROGRAMS = {
    'kernel': 'modelguard',
    'kernel_sse2': 'modelguard_sse2',
    'kernel_portable': 'modelguard_portable',
    'kernel_yajl': None,
    'kernel_rapidjson': None,
    'kernel_simdjson': None,
}

PATIENCE = 120


def run(program, *arguments):
    result = subprocess.run(
        programs.pinned(programs.GUARDED_CORE,
                        [str(programs.WORK / program), *arguments]),
        capture_output=True, timeout=PATIENCE)

    if result.returncode != 0:
        raise programs.Failure(result.stderr.decode().strip() or
                               '%s has ended with %d' % (program,
                                                         result.returncode))

    return result.stdout


def file_of(name):
    return str(programs.WORK / 'bodies' / bodies.file_of(name))


def check(program, method, prints):
    if not prints:
        return

    for name in BODIES:
        output = run(program, 'print', method, file_of(name))

        if method.startswith('modelguard'):
            problem = same.complaint(name, output)
        else:
            found = same.difference(name, output)
            problem = found.shape or (found.differing and '%d numbers differ'
                                      % found.differing)

        if problem:
            raise programs.Failure('%s, %s: %s' % (method, name, problem))


def measure_one(program, called):
    result = {}

    for line in run(program, 'methods').decode().splitlines():
        method, prints = line.split()
        check(program, method, int(prints))

    for line in run(program, 'time', *('%s=%s' % (name, file_of(name))
                                       for name in BODIES)) \
            .decode().splitlines():
        key, value = line.split()

        # of the levels, only what differs

        if program in ('kernel_sse2', 'kernel_portable'):
            if not key.startswith('modelguard_') or '_whole_' in key:
                continue
            key = key.replace('modelguard', called, 1)

        result[key] = float(value)

    return result


def measure(say):
    result, why = {}, {}

    for program, called in PROGRAMS.items():
        say('the kernel alone: ' + program)

        if not (programs.WORK / program).exists():
            why[program] = 'not built'
            continue

        try:
            result.update(measure_one(program, called))
        except (programs.Failure, subprocess.SubprocessError) as error:
            if called:
                raise

            why[program] = str(error)[:300]
            say('%s is left out: %s' % (program, why[program]))

    return result, why
