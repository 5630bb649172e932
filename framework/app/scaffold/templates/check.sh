#!/bin/sh
# For `bazel test check`: the trainer's verdict.
exec "${TRAINER:-{{prefix}}/bin/trainer}" plugin check "$1"
