#!/usr/bin/env bash
# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# Regenerates everything and fails if a file is changed, added or removed: then the sources (metadata.yaml, the Configs,
# builder-config.yaml, the rules) and the generated files are inconsistent.
#
# It compares with the working tree, not with the last commit, so that it also works before a commit.
set -euo pipefail
cd "$(dirname "$0")/.."

# The folders into which mdatagen, schemagen, the builder and prometheusrule.sh write.
checksums() {
	find cmd/otelcol-tasker connector deploy exporter extension internal processor receiver telemetry tests/peers/collector -type f -exec sha256sum {} + | sort -k 2
}

before="$(checksums)"
make generate
after="$(checksums)"

if [[ "$before" == "$after" ]]; then
	echo "Generated files are in step."
	exit 0
fi
echo
echo "Generated files are not in step with metadata.yaml, the Configs, builder-config.yaml and the rules:"
diff <(echo "$before") <(echo "$after") | awk '/^[<>]/ { print "  " $3 }' | sort -u
echo "They have been generated anew: look at the changes and commit them."
exit 1
