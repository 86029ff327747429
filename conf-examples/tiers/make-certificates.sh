#!/bin/sh
#
# Copyright (C) the modelguard authors
#
# Makes a certificate authority, a server's certificate for 127.0.0.1 and one
# for each client named:
#
#     make-certificates.sh FOLDER NAME ...
#
# For trying things: whoever can read the folder can sign.

set -eu

FOLDER=$1
shift

mkdir -p "$FOLDER"
cd "$FOLDER"
umask 077


# one NAME SUBJECT EXTENSION: NAME.key, and NAME.pem signed by the authority

one()
{
    openssl req -newkey rsa:2048 -nodes -sha256 -subj "$2" -keyout "$1.key" \
        -out "$1.csr" 2>/dev/null
    printf '%s\n' "$3" > "$1.ext"
    openssl x509 -req -sha256 -days 30 -in "$1.csr" -CA ca.pem -CAkey ca.key \
        -CAcreateserial -extfile "$1.ext" -out "$1.pem" 2>/dev/null
    rm "$1.csr" "$1.ext"
}


openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 30 \
    -subj "/CN=an authority" -keyout ca.key -out ca.pem 2>/dev/null

one server "/CN=127.0.0.1" "subjectAltName = IP:127.0.0.1"

for name in "$@"; do
    one "$name" "/O=customers/CN=$name" "extendedKeyUsage = clientAuth"
done
