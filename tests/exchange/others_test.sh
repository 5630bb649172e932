#!/bin/sh
# Exports, read by the programs that they are for; those that are not installed are skipped and named.
if ! /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
  echo "skipped: comparing needs numpy at least; apt-get install --no-install-recommends python3-onnx python3-opencv python3-torch"
  exit 0
fi
exec /usr/bin/python3 "$2" "$1" "$3" models
