#!/bin/sh
#
# Copyright (C) the modelguard authors
#
# Makes a key, what jwt.js has to know of it, and a token for each NAME=TIER,
# good for an hour:
#
#     make-tokens.sh FOLDER NAME=TIER ...
#
# Stands for your identity provider: of a real one take the public key.

set -eu

FOLDER=$1
shift

mkdir -p "$FOLDER"
cd "$FOLDER"
umask 077


base64url()
{
    openssl base64 -A | tr '+/' '-_' | tr -d =
}


openssl genrsa -out jwt.key 2048 2>/dev/null

printf '{"alg": "RS256", "aud": "models", "key": "%s"}\n' \
    "$(openssl rsa -in jwt.key -pubout -outform DER 2>/dev/null \
       | openssl base64 -A)" > jwt.json

for client in "$@"; do
    token=$(printf '{"alg":"RS256","typ":"JWT"}' | base64url).$(
        printf '{"sub":"%s","tier":"%s","aud":"models","exp":%s}' \
            "${client%%=*}" "${client#*=}" $(($(date +%s) + 3600)) \
        | base64url)

    printf '%s.%s' "$token" \
        "$(printf '%s' "$token" | openssl dgst -sha256 -sign jwt.key -binary \
           | base64url)" > "${client%%=*}.jwt"
done
