#!/usr/bin/env bash
# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# Builds a release into dist/: archives for each target, packages for Linux, an SBOM for each archive, and
# checksums. It needs no network if the modules are in the module cache. `make release` runs it.
#
#   TARGETS     os/arch pairs
#   PACKAGERS   any of deb, rpm, apk
#   BUILT       the output of scripts/version.sh
set -euo pipefail
cd "$(dirname "$0")/.."

TARGETS=${TARGETS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64}
PACKAGERS=${PACKAGERS-deb rpm apk}
IFS='|' read -r version commit date dirty <<<"${BUILT:-$(scripts/version.sh)}"
readonly version commit date dirty dist=dist work=dist/.work
if [[ -z ${version:-} ]]; then
	echo "There is no repository here: make release VERSION=1.2.3 COMMIT=… DATE=2026-06-01T12:00:00Z" >&2
	exit 1
fi
DATE=${date:-1970-01-01T00:00:00Z}
SOURCE_DATE_EPOCH=$(date -u -d "$DATE" +%s)
export DATE SOURCE_DATE_EPOCH

say() { printf '\033[1m%s\033[0m\n' "$*"; }

# A release is built from a clean tag, and the manifests must name the image of that version.
if [[ $version != *-* ]]; then
	if [[ -n ${dirty:-} ]]; then
		echo "There are changes that are not in v$version: commit them, and tag that." >&2
		exit 1
	fi
	if stale=$(grep -rnE '^ *(newTag|tag): [0-9]' deploy/kubernetes deploy/helm | grep -vE ": \"?${version//./\\.}\"?\$"); then
		printf 'These name another version than %s:\n%s\n' "$version" "$stale" >&2
		exit 1
	fi
	if ! grep -qF "## [$version]" CHANGELOG.md; then
		echo "CHANGELOG.md has no section [$version]." >&2
		exit 1
	fi
fi

if [[ $TARGETS == *windows* ]] && ! command -v zip >/dev/null; then
	echo "zip is missing, for the archives of Windows: install it, or leave those TARGETS out." >&2
	exit 1
fi

rm -rf $dist
mkdir -p $work

# archive NAME OS DIRECTORY: reproducible, with sorted files owned by root and dated by the commit.
archive() {
	find "$3" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	if [[ $2 == windows ]]; then
		(cd "$3/.." && find "${3##*/}" -type f | LC_ALL=C sort | TZ=UTC zip -qX -@ "$OLDPWD/$dist/$1.zip")
	else
		tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -C "$3/.." -cf - "${3##*/}" | gzip -n9 >"$dist/$1.tar.gz"
	fi
}

# sbom PROGRAM FILE: the modules of the program with versions and checksums, dated by the commit.
sbom() {
	bin/tools/cyclonedx-gomod bin -json -output-version 1.6 -noserial -version "v$version" -output "$2" "$1"
	sed -i "s|^\(    \"timestamp\": \)\"[^\"]*\"|\1\"$DATE\"|" "$2"
}

for target in $TARGETS; do
	os=${target%/*} arch=${target#*/}
	name=otelcol-tasker_${version}_${os}_${arch}
	suffix=
	if [[ $os == windows ]]; then
		suffix=.exe
	fi
	say "$target"
	bin=$work/bin-$os-$arch
	mkdir -p "$bin"
	GOOS=$os GOARCH=$arch make build COLLECTOR="$bin/otelcol-tasker$suffix" CLI="$bin/taskerotel$suffix"
	for program in otelcol-tasker taskerotel; do
		sbom "$bin/$program$suffix" "$dist/${name/otelcol-tasker/$program}.cdx.json"
	done

	folder=$work/$name
	mkdir -p "$folder/completions" "$folder/man"
	cp "$bin"/* README.md CHANGELOG.md LICENSE config.yaml "$folder/"
	cp -r deploy/otelcol "$folder/otelcol"
	rm -f "$folder/otelcol/kustomization.yaml"
	bin/tools/taskerotel man "$folder/man"
	for shell in bash zsh fish powershell; do
		bin/tools/taskerotel completion $shell >"$folder/completions/taskerotel.$shell"
	done
	archive "$name" "$os" "$folder"

	if [[ $os == linux ]]; then
		stage=$work/stage-$arch
		PREFIX=/usr UNITS='' BIN=$bin TASKEROTEL=bin/tools/taskerotel scripts/stage.sh "$stage"
		for packager in $PACKAGERS; do
			packaged=$stage
			if [[ $packager != apk ]]; then
				packaged=$stage-systemd
				rm -rf "$packaged"
				cp -a "$stage" "$packaged"
				mkdir -p "$packaged/usr/lib/systemd/system"
				cp deploy/systemd/*.service deploy/systemd/*.timer "$packaged/usr/lib/systemd/system/"
			fi
			if [[ $packager == deb ]]; then # Debian's zsh uses another directory
				mv "$packaged/usr/share/zsh/site-functions" "$packaged/usr/share/zsh/vendor-completions"
			fi
			VERSION=$version ARCH=$arch STAGE=$packaged bin/tools/nfpm package --config packaging/nfpm.yaml --packager "$packager" --target $dist/
		done
	fi
done

rm -rf $work
(cd $dist && LC_ALL=C sha256sum -- * >checksums.txt)
say "dist/: version $version${commit:+, commit ${commit:0:12}}"
ls -l $dist
