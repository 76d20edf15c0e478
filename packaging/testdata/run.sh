# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# Runs a script of this folder in a copy of this machine: run.sh SCRIPT FILE...
. "$(dirname "$0")/installed.sh"
in_a_copy "$@"
