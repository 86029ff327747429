#!/usr/bin/env bash
#
# Copyright (C) the modelguard authors
#
# Shows that the fuzz targets find bugs: puts one into a copy of the sources
# for each of them, and wants a find within FUZZ_TIME=60 seconds, from the
# seeds alone.
#
#     fuzz-planted.sh [TARGET ...]

set -euo pipefail

. "$(dirname "$0")/common.sh"

FUZZ_TIME=${FUZZ_TIME:-60}
WORK=$BUILD/fuzz-planted

# target @ file @ sed command @ what it breaks.  Some break memory, some a
# digit or a byte.

bugs()
{
    cat << 'END'
budget   @ modelguard_budget.c @ s/if (cost > total) {/if (cost > total + 1) {/ @ a cost of one more than the limit never waits
directives @ ngx_http_modelguard_field.c @ s/labels\[field->nlabels++\]/labels[field->nlabels++ + 2]/ @ the fourth label is written behind the array
encoded  @ modelguard_rewrite_document.c @ s/if (c < 0x20 || c == /if (c == / @ control characters of a document in a string go out bare
frame    @ modelguard_frame_events.c @ s/(frame->end - frame->p > EVENTS_NAME$/(frame->end - frame->p >= EVENTS_NAME/ @ a byte behind the piece is read
inflate  @ ngx_http_modelguard_coding.c @ s/coding->total > coding->limit)/coding->total > coding->limit + 1)/ @ a byte more than the limit goes out
json     @ modelguard_json.c @ s/json->high = 0x9f;/json->high = 0xbf;/ @ surrogates in UTF-8 are accepted
meter    @ modelguard_meter_read.c @ s/read_part(read, json->p);/(void) json;/ @ numbers that are cut in two are not counted whole
number   @ modelguard_number.c @ s/cut.whole += (p < cut.end) | (cut.whole \& 1);/cut.whole += 1;/ @ a half is rounded up, not to even
path     @ modelguard_automaton.c @ s/high = s->nindexes;/high = s->nindexes - (s->nindexes > 0);/ @ the last index of a path is not found
rewrite  @ modelguard_rank.c @ s/(rc == 0 \&\& a < b)/(rc == 0 \&\& a > b)/ @ of equals the last one is the top
state    @ modelguard_table_repair.c @ s/journal->number <= modelguard_table_records(table)/journal->number + 1 > 0/ @ a journal writes where it says, not in the table
walk     @ modelguard_inspect_edit.c @ s/\&\& note->before != state->comma)/\&\& 1)/ @ of two members cut from the first on, the comma between them is cut twice
END
}


plant()
{
    local name=$1 file=$2 command=$3
    local dir=$WORK/$name

    rm -rf "$dir"
    mkdir -p "$dir/objs"
    cp -Rp "$SOURCES" "$dir/sources"

    sed -i "$command" "$dir/sources/$file"

    if cmp -s "$SOURCES/$file" "$dir/sources/$file"; then
        die "the bug for $name does not apply to $file"
    fi
}


main()
{
    local name file command what failed=0 begin seconds status out

    while IFS=@ read -r name file command what; do
        name=${name// /}

        if [ $# != 0 ] && [[ " $* " != *" $name "* ]]; then
            continue
        fi

        file=${file// /}
        command=${command# }
        command=${command% }
        out=$WORK/$name

        plant "$name" "$file" "$command"

        # all but the changed file comes from the objects without a bug

        if [ -d "$BUILD/fuzz/objs" ]; then
            cp -p "$BUILD"/fuzz/objs/*.o "$out/objs/"
        fi

        FUZZ_OUT=$out FUZZ_SOURCES=$out/sources FUZZ_STEPS=build \
            "$TOP/tools/fuzz.sh" "$name"

        begin=$(date +%s%N)
        status=0

        FUZZ_OUT=$out FUZZ_SOURCES=$out/sources FUZZ_TIME=$FUZZ_TIME \
            FUZZ_STEPS=run "$TOP/tools/fuzz.sh" "$name" > "$out/run" \
            || status=$?

        seconds=$((($(date +%s%N) - begin) / 100000000))
        seconds=$((seconds / 10)).$((seconds % 10))

        if [ $status = 0 ]; then
            printf '%-12s NOT FOUND in %s s:%s\n' "$name" "$seconds" "$what"
            failed=1

        else
            printf '%-12s found in %5s s:%s\n' "$name" "$seconds" "$what"

            # what was found, for it to be seen that it is the bug

            grep -a -m 1 -E '^FIND|ERROR: |runtime error' \
                "$out/$name-find.log" | cut -c 1-120 | sed 's/^/    /' || true
        fi
    done < <(bugs)

    return $failed
}


main "$@"
