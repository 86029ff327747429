# Copyright (C) the modelguard authors

"""What others may expect of bench.json.  More keys may stand beside."""

SIZES = ('0.4KB', '4KB', '40KB', '400KB', '4MB')

# measured by callgrind, which has no time for the largest

COUNTED = SIZES[:4]

#   variants without which there is no result, and the sizes of each

OURS = ('plain', 'limit_req', 'unguarded', 'budget', 'rewrite', 'modelguard')
COUNTED_VARIANTS = OURS + ('budget2', 'budget4', 'budget8')

KERNELS = ('modelguard_40KB', 'modelguard_4MB', 'modelguard_text',
           'jansson_40KB', 'memcpy_40KB')

STRUCTURES = ('table', 'tree')


def number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) \
        and value >= 0


def variants(result, key, wanted, sizes):
    table = result[key]

    for variant in wanted:
        if variant not in table:
            yield '%s has no %s' % (key, variant)
            continue

        for size in sizes if isinstance(table[variant], dict) else ():
            if size not in table[variant]:
                yield '%s.%s has no %s' % (key, variant, size)

    for variant, values in table.items():
        if not isinstance(values, dict):
            yield '%s.%s is no object' % (key, variant)
            continue

        for size, value in values.items():
            if not number(value):
                yield '%s.%s.%s is no number' % (key, variant, size)


def flat(result, key, wanted):
    for name in wanted:
        if name not in result[key]:
            yield '%s has no %s' % (key, name)

    for name, value in result[key].items():
        if not number(value):
            yield '%s.%s is no number' % (key, name)


def found(result):
    parts = (
        ('cpu_ratio', lambda key: variants(result, key, OURS, SIZES)),
        ('rss_kb', lambda key: variants(result, key, OURS, SIZES)),
        ('instructions', lambda key: variants(result, key, COUNTED_VARIANTS,
                                              COUNTED)),
        ('kernel_gbs', lambda key: flat(result, key, KERNELS)),
        ('charge_ns', lambda key: variants(result, key, STRUCTURES,
                                           ('uniform', 'hot'))),
        ('bytes_per_client', lambda key: flat(result, key, ('1', '8'))),
    )

    for key, look in parts:
        if not isinstance(result.get(key), dict):
            yield 'no %s' % key
        else:
            yield from look(key)


def problems(result):
    """Sentences; none if all is there."""

    return list(found(result))
