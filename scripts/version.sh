#!/usr/bin/env bash
# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# Prints version, commit and date of the build, separated by "|". The version is the tag's (v1.2.3); after a tag it is that
# of the next patch, as 1.2.4-pre7 after seven commits, which dpkg, rpm and apk accept too. A fourth field, "dirty", means uncommitted changes.
#
# Without a repository, as in an image or a source archive: VERSION, COMMIT and DATE from the environment.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ -n ${VERSION:-} ]]; then
	echo "${VERSION#v}|${COMMIT:-}|${DATE:-}"
	exit 0
fi
if ! commit=$(git rev-parse --verify HEAD 2>/dev/null); then
	exit 0 # the binary reports an unknown version
fi
date=$(TZ=UTC git show --no-patch --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ HEAD)
if ! version=$(git describe --tags --match 'v[0-9]*.[0-9]*.[0-9]*' --exact-match 2>/dev/null); then
	tag=$(git describe --tags --match 'v[0-9]*.[0-9]*.[0-9]*' --abbrev=0 2>/dev/null || echo v0.0.0)
	range=HEAD
	if [[ $tag != v0.0.0 ]]; then
		range=$tag..HEAD
	fi
	release=${tag%%-*}
	if [[ $tag == "$release" && $tag != v0.0.0 ]]; then
		release=${release%.*}.$((${release##*.} + 1))
	fi
	version=$release-pre$(git rev-list --count "$range")
fi
dirty=
if [[ -n $(git status --porcelain --untracked-files=no) ]]; then
	dirty='|dirty'
fi
echo "${version#v}|$commit|$date$dirty"
