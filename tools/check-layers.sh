#!/usr/bin/env bash
#
# Copyright (C) the modelguard authors
#
# Checks the layers: who may include whom, who may use what, and that the
# pure layer compiles alone and needs nothing.
#
#     check-layers.sh [includes | objects]     both by default
#     check-layers.sh objects FILE             the same for one file
#     check-layers.sh --self-test              shows that every rule can fail
#
#     3  module  conf  commands            sees everything; others see only
#                                          the types of conf.h
#     2  access  body  filter  variables   (and every noun not named here)
#     1  zone  state  secret  regex  codec  zlib  brotli  zstd  log  sync  json
#     0  modelguard_*                      no nginx, no clock, no malloc

set -euo pipefail

. "$(dirname "$0")/common.sh"

PREFIX=ngx_http_modelguard_
PROBLEMS=$BUILD/layers/problems

# vector instructions have headers of the compiler, not of a library, and
# files of their own

PURE_HEADERS=" <stddef.h> <stdint.h> <string.h> <limits.h> "
VECTOR_FILES="modelguard_@(scan|simd|simd_*).[ch]"
VECTOR_HEADERS=" <emmintrin.h> <immintrin.h> <arm_neon.h> "

# locks between processes are those of the C library

LOCK_FILE=modelguard_lock
LOCK_HEADERS=" <pthread.h> <errno.h> "

STRICT="-std=c99 -O2 -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion
    -Werror -fno-pic -fno-pie"


problem()
{
    printf '%s\n' "$*" | tee -a "$PROBLEMS"
}


layer_of()
{
    local noun

    case $1 in
        modelguard_*)
            echo 0
            return
        ;;
    esac

    noun=${1#"$PREFIX"}

    case ${noun%.*} in
        zone | zone_* | state* | secret)   echo 1 ;;
        regex | log | sync | json)         echo 1 ;;
        codec | zlib | brotli | zstd)      echo 1 ;;
        module | conf | commands)          echo 3 ;;
        *)                                 echo 2 ;;
    esac
}


includes_of()
{
    sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*//p' "$1"
}


check_pure_includes()
{
    local name=$1 header

    includes_of "$SOURCES/$name" | while read -r header; do
        case $header in

            \"modelguard_*.h\")
            ;;

            *)
                case "$PURE_HEADERS" in
                    *" $header "*) continue ;;
                esac

                # shellcheck disable=SC2053
                if [[ $name == $VECTOR_FILES ]]; then
                    case "$VECTOR_HEADERS" in
                        *" $header "*) continue ;;
                    esac
                fi

                if [ "${name%.*}" = $LOCK_FILE ]; then
                    case "$LOCK_HEADERS" in
                        *" $header "*) continue ;;
                    esac
                fi

                problem "$name: the pure layer may not include $header"
            ;;

        esac
    done
}


check_nginx_includes()
{
    local name=$1 header included mine theirs

    mine=$(layer_of "$name")

    includes_of "$SOURCES/$name" | while read -r header; do
        included=${header#\"}
        included=${included%\"}

        case $included in
            "$PREFIX"*)  ;;
            *)           continue ;;
        esac

        theirs=$(layer_of "$included")

        if [ "$theirs" -gt "$mine" ] && [ "$included" != "${PREFIX}conf.h" ]
        then
            problem "$name: layer $mine includes $included of layer $theirs"
        fi

        case "$name $included" in
            "$PREFIX"access.[ch]\ "$PREFIX"filter.h \
            | "$PREFIX"filter.[ch]\ "$PREFIX"access.h)
                problem "$name: access and filter meet only in the context"
            ;;
        esac
    done
}


# Things that only one noun may touch, or two: a pattern, its owners, and what
# it is.

check_owners()
{
    local pattern owner what name

    while read -r pattern owner what; do
        (cd "$SOURCES" && grep -lE "$pattern" ./*.[ch] || true) \
            | while read -r name; do
            name=${name#./}
            [[ $name =~ ^$PREFIX($owner)\.[ch]$ ]] \
                || problem "$name: only $PREFIX$owner.c uses $what"
        done
    done << 'END'
#[[:space:]]*include[[:space:]]*["<]pcre2?[a-z]*\.h regex PCRE2
\bpcre2_[a-z_]+\( regex PCRE2
#[[:space:]]*include[[:space:]]*["<]zlib\.h zlib zlib
\b(inflate|deflate)[A-Z][A-Za-z0-9]*\(|\binflate\( zlib zlib
#[[:space:]]*include[[:space:]]*["<]brotli/ brotli brotli
\bBrotli[A-Z][A-Za-z]*\( brotli brotli
#[[:space:]]*include[[:space:]]*["<](zstd|zdict) zstd zstd
\bZSTD_[A-Za-z]+\( zstd zstd
#[[:space:]]*include[[:space:]]*["<]jansson json jansson
\bjson_(t|loadb|dumps|object|array|integer)\b json jansson
\bngx_shmtx_[a-z]+\( zone locks
\bngx_slab_[a-z_]+\( zone_init|stat shared memory
\bngx_shared_memory_add\( zone_conf|stat shared memory
\b(flock|mmap|munmap)\( state mapped files
END
}


# The include graph has no cycle: tsort says so, and names the files.

check_cycles()
{
    local name header cycle

    cycle=$(
        for name in $(cd "$SOURCES" && ls ./*.h); do
            includes_of "$SOURCES/$name" | sed -n 's/^"\(.*\)"$/\1/p' \
                | while read -r header; do
                echo "${name#./} $header"
            done
        done | tsort 2>&1 >/dev/null | tr '\n' ' '
    ) || true

    [ -z "$cycle" ] || problem "headers include each other: $cycle"
}


# What config lists is what there is.

check_config()
{
    local listed present

    listed=$(grep -o 'modelguard_dir/[a-z0-9_]*\.[ch]' "$TOP/config" \
                 | sed 's#.*/##' | sort)
    present=$(cd "$SOURCES" && ls | grep '\.[ch]$' | sort)

    comm -23 <(echo "$listed") <(echo "$present") | while read -r name; do
        problem "$name: config lists it, the folder does not have it"
    done

    comm -13 <(echo "$listed") <(echo "$present") | while read -r name; do
        problem "$name: config does not list it"
    done
}


check_includes()
{
    local path name

    for path in "$SOURCES"/*.[ch]; do
        name=${path##*/}

        case $name in
            modelguard_*)  check_pure_includes "$name" ;;
            "$PREFIX"*)    check_nginx_includes "$name" ;;
            *)             problem "$name: neither modelguard_ nor $PREFIX" ;;
        esac
    done

    check_owners
    check_cycles
    check_config
}


# Files of the pure layer, each alone, with every warning.

compile_pure()
{
    local compiler=$1 files=$2 dir=$BUILD/layers/$1 path name
    mkdir -p "$dir"

    for path in "$SOURCES"/$files; do
        name=${path##*/}

        # shellcheck disable=SC2086
        case $name in
            *.c)
                "$compiler" $STRICT -c -o "$dir/${name%.c}.o" "$path" \
                    || problem "$name: does not compile alone with $compiler"
            ;;
            *.h)
                printf '#include "%s"\nextern int  none;\n' "$name" \
                    | "$compiler" $STRICT -Wno-unused-function -I "$SOURCES" \
                        -fsyntax-only -x c - \
                    || problem "$name: does not stand alone with $compiler"
            ;;
        esac
    done
}


check_objects()
{
    local files=$1 dir name symbol type

    rm -rf "$BUILD/layers/gcc" "$BUILD/layers/clang"
    compile_pure gcc "$files"
    compile_pure clang "$files"

    for dir in "$BUILD/layers/gcc" "$BUILD/layers/clang"; do

        ls "$dir"/*.o >/dev/null 2>&1 || continue

        # what the objects need: memory functions, and what a compiler adds

        nm -A -u "$dir"/*.o | sed 's#.*/##; s/: *U / /' \
            | while read -r name symbol; do
            case $symbol in
                mem* | bcmp | strlen | __*mem*_chk)                    ;;
                modelguard_* | __stack_chk_fail)                       ;;
                __cpu_model | __cpu_indicator_init)                    ;;
                _GLOBAL_OFFSET_TABLE_ | __*[td]i[34])                  ;;
                pthread_mutex_* | pthread_mutexattr_*)
                    [ "${name%.*}" = $LOCK_FILE ] \
                        || problem "$name: the pure layer needs $symbol"
                ;;
                *)  problem "$name: the pure layer needs $symbol" ;;
            esac
        done

        # what they define: names of ours, and no variable

        nm -A --defined-only "$dir"/*.o | sed 's#.*/##; s/:[0-9a-f]* / /' \
            | while read -r name type symbol; do
            case "$type $symbol" in
                [BbDdCGgSs]\ *)
                    problem "$name: $symbol is a variable"
                ;;
                [A-Z]\ modelguard_*)
                ;;
                [A-Z]\ *)
                    problem "$name: $symbol has no prefix modelguard_"
                ;;
            esac
        done
    done

    # the whole module, if it has been built: one prefix for each kind

    dir=$BUILD/module-gcc/objs/addon/ngx_http_modelguard_module

    if ls "$dir/$PREFIX"*.o >/dev/null 2>&1; then
        nm -A -g --defined-only "$dir/$PREFIX"*.o \
            | sed 's#.*/##; s/:[0-9a-f]* / /' \
            | while read -r name type symbol; do
            case $symbol in
                "$PREFIX"*)  ;;
                *)  problem "$name: $symbol has no prefix $PREFIX" ;;
            esac
        done
    fi
}


# Adds a line to a file of a copy of the tree, and sees the check fail.

spoil()
{
    local part=$1 file=$2 line=$3 expected=$4 copy=$BUILD/layers/copy

    rm -rf "$copy"
    mkdir -p "$copy/tools"
    cp "$TOP/config" "$copy/"
    cp "$TOP/tools/common.sh" "$TOP/tools/check-layers.sh" "$copy/tools/"
    cp -R "$SOURCES" "$copy/"

    printf '%s\n' "$line" >> "$copy/ngx_http_modelguard_module/$file"

    # the rules of objects are about each of them

    if "$copy/tools/check-layers.sh" "$part" "$file" > "$copy/output" 2>&1
    then
        problem "not seen in $file: $line"

    elif ! grep -q -- "$expected" "$copy/output"; then
        problem "not named in $file: $line"
        cat "$copy/output"
    fi
}


self_test()
{
    local h="#include" n=ngx_http_modelguard

    spoil includes modelguard_hash.c "$h <stdlib.h>" 'pure layer may not'
    spoil includes modelguard_hash.c "$h <ngx_core.h>" 'pure layer may not'
    spoil includes modelguard_hash.c "$h <emmintrin.h>" 'pure layer may not'
    spoil includes modelguard_json.c "$h <immintrin.h>" 'pure layer may not'
    spoil includes modelguard_hash.c "$h <pthread.h>" 'pure layer may not'
    spoil includes modelguard_table.c "$h <errno.h>" 'pure layer may not'
    spoil includes modelguard_lock.c "$h <stdlib.h>" 'pure layer may not'
    spoil includes modelguard_hash.h "$h \"${n}_ctx.h\"" 'pure layer may not'
    spoil includes ${n}_zone.c "$h \"${n}_access.h\"" 'layer 1 includes'
    spoil includes ${n}_ctx.c "$h \"${n}_module.h\"" 'layer 2 includes'
    spoil includes ${n}_access.c "$h \"${n}_filter.h\"" 'meet only in'
    spoil includes ${n}_filter.c "$h \"${n}_access.h\"" 'meet only in'
    spoil includes ${n}_filter.c "$h <pcre2.h>" 'uses PCRE2'
    spoil includes ${n}_coding.c "$h <zlib.h>" 'uses zlib'
    spoil includes ${n}_coding.c 'inflateEnd(&z);' 'uses zlib'
    spoil includes ${n}_zlib.c "$h <brotli/decode.h>" 'uses brotli'
    spoil includes ${n}_zlib.c 'BrotliDecoderIsFinished(b);' 'uses brotli'
    spoil includes ${n}_brotli.c "$h <zstd_errors.h>" 'uses zstd'
    spoil includes ${n}_brotli.c 'ZSTD_freeDStream(z);' 'uses zstd'
    spoil includes ${n}_zstd.c "$h \"${n}_coding.h\"" 'layer 1 includes'
    spoil includes ${n}_access.c "$h <jansson.h>" 'uses jansson'
    spoil includes ${n}_stat.c 'ngx_shmtx_lock(&p->mutex);' 'uses locks'
    spoil includes ${n}_body.c 'ngx_shmtx_lock(&p->mutex);' 'uses locks'
    spoil includes ${n}_ctx.c 'ngx_slab_alloc(p, 1);' 'uses shared memory'
    spoil includes modelguard_base.h "$h \"modelguard_path.h\"" 'each other'
    spoil includes modelguard_extra.c '' 'config does not list'
    spoil includes stray.c '' 'neither'
    spoil objects modelguard_hash.c \
        'void *malloc(size_t); void *modelguard_m(void);
         void *modelguard_m(void) { return malloc(1); }' 'needs malloc'
    spoil objects modelguard_hash.c \
        'int pthread_mutex_lock(void *); int modelguard_m(void);
         int modelguard_m(void) { return pthread_mutex_lock((void *) 8); }' \
        'needs pthread_mutex_lock'
    spoil objects modelguard_lock.c \
        'void *malloc(size_t); void *modelguard_m(void);
         void *modelguard_m(void) { return malloc(1); }' 'needs malloc'
    spoil objects modelguard_hash.c 'int modelguard_v; ' 'is a variable'
    spoil objects modelguard_hash.c \
        'int stray(void); int stray(void) { return 0; }' 'no prefix'
    spoil objects modelguard_hash.c \
        'static unsigned char modelguard_n(int n) { return n; }' \
        'does not compile alone'
    spoil objects modelguard_hash.h 'no_such_type_t  modelguard_x(void);' \
        'does not stand alone'
}


main()
{
    local part=${1:-both} files=${2:-'modelguard_*.[ch]'}

    mkdir -p "$BUILD/layers"
    : > "$PROBLEMS"

    case $part in

        both)
            check_includes
            check_objects "$files"
        ;;

        includes)
            check_includes
        ;;

        objects)
            check_objects "$files"
        ;;

        --self-test)
            self_test
        ;;

        *)
            die "no such part: $part"
        ;;

    esac

    say "layers, $part: $(grep -c . "$PROBLEMS" || true) problems"
    [ ! -s "$PROBLEMS" ]
}


main "$@"
