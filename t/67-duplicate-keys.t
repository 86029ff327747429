# Copyright (C) the modelguard authors
#
# Ways round the guard: members more than once.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

my $scores = "[$Secret, $Second]";

sub bodies {
    my ($expected, @cases) = @_;

    return map {
        my ($name, $body) = @$_;
        trick($name, reply($body), $expected);
    } @cases;
}

my @tricks = bodies('treated|refused|cut',
    ['twice', qq({"scores": $scores, "scores": $scores})],
    ['the first is harmless', qq({"scores": [0.84], "scores": $scores})],
    ['the second is harmless', qq({"scores": $scores, "scores": [0.84]})],
    ['three of them', qq({"scores": 1, "scores": $scores, "scores": null})],
    ['an escaped one', qq({"scores": [0.84], "\\u0073cores": $scores})],
    ['an escaped one first', qq({"\\u0073cores": $scores, "scores": [0.84]})],
    ['both escaped', qq({"s\\u0063ores": $scores, "sc\\u006fres": $scores})],
    ['far apart', qq({"scores": $scores, "pad": "@{[ 'x' x 70000 ]}", )
                  . qq("scores": $scores})],
    ['a number and an array', qq({"scores": $Secret, "scores": $scores})],
    ['a string and an array', qq({"scores": "$Secret", "scores": $scores})],
    ['null and an array', qq({"scores": null, "scores": $scores})],
    ['empty, then not', qq({"scores": [], "scores": $scores})],
    ['arrays in arrays', qq({"scores": [$scores, $scores], "scores": 0.84})],
    ['metadata twice', qq({"meta": "$Hidden", "meta": "$Hidden", )
                       . qq("scores": [0.84]})],
    ['metadata, one escaped', qq({"meta": "a", "m\\u0065ta": "$Hidden", )
                              . qq("scores": [0.84]})],
    ['metadata and scores in turn', qq({"meta": "$Hidden", "scores": $scores, )
        . qq("meta": {"scores": $scores}, "scores": $scores})],
    ['rows twice', qq({"rows": [{"scores": $scores}], )
                   . qq("rows": [{"scores": $scores}]})],
    ['in each of the rows', '{"rows": ['
        . join(', ', (qq({"scores": $scores, "scores": $scores})) x 20)
        . ']}'],
    ['rows: harmless, then not', '{"rows": [], "rows": '
        . qq([{"scores": 1, "scores": $scores}], "scores": 0.84})],
    ['a thousand times', '{' . join(', ', ("\"scores\": $scores") x 1000)
                         . '}'],
    ['a thousand harmless ones before it',
     '{' . '"scores": [0.84], ' x 1000 . qq("scores": $scores})],
    ['among a thousand others',
     '{' . join(', ', map { qq("$_": 1, "scores": $scores) }
                             'aa' .. 'pp')
     . '}'],
);

# with a label or a shape beside them, said twice: no choice of which one
# counts may let a score pass

push @tricks, bodies('treated|refused|cut|other',
    ['labels twice', qq({"l": ["a", "b"], "s": $scores, "l": ["c"]})],
    ['scores twice, labels once', qq({"s": $scores, "l": ["a", "b"], )
                                  . qq("s": $scores})],
    ['shape twice', qq({"t": {"shape": [1, 2], "data": $scores, )
                    . '"shape": [2, 1]}}'],
    ['shape twice, the first bad', qq({"t": {"shape": "x", "shape": [2], )
                                   . qq("data": $scores}})],
    ['data twice', qq({"t": {"shape": [2], "data": $scores, )
                   . qq("data": $scores}})],
    ['data before and after', qq({"t": {"data": [0.84], "shape": [2], )
                              . qq("data": $scores}})],
    ['type twice: integers, then floats',
     qq({"t": {"type": "INT64", "type": "FP32", "shape": [2], )
     . qq("data": $scores}})],
    ['tensor twice', qq({"t": {"shape": [2], "data": [1, 0.84]}, )
                     . qq("t": {"shape": [2], "data": $scores}})],
    ['a map with a name twice', qq({"m": {"a": $Secret, "a": $Second, )
                                . qq("a": $Secret}})],
    ['a map with names escaped', qq({"m": {"a": $Secret, "\\u0061": $Second}})],
    ['the map twice', qq({"m": {"a": 0.84}, "m": {"a": $Secret}})],
    ['records with a score twice', qq({"r": [{"n": "a", "s": $Secret, )
        . qq("s": $Second}, {"n": "b", "s": 0.1}]})],
    ['records with a label twice', qq({"r": [{"n": "a", "n": "b", )
        . qq("s": $Secret}]})],
);

ways(@tricks, { fields => <<'CONF' });
    modelguard_field scores $.s label=$.l[*];
    modelguard_field scores $.t.data shape=$.t.shape datatype=$.t.type;
    modelguard_field scores $.m.*;
    modelguard_field scores $.r[*].s label=$.r[*].n;
CONF
