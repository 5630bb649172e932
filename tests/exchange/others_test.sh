#!/bin/sh
# Exports, read by the programs that they are for; those that are not installed are skipped and named.
exec /usr/bin/python3 "$2" "$1" "$3" models
