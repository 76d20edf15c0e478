#!/usr/bin/env bash
# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# Copies everything to be installed below a directory: `make install` on a machine, packages into a staging directory.
#
#   stage.sh DESTDIR
#
#   PREFIX       for programs and man pages; default /usr/local
#   SYSCONFDIR   for the configuration; default /etc
#   BIN          the directory with the two programs to install; default bin
#   TASKEROTEL   a taskerotel for this machine, which writes completions and man pages; default that of BIN
#   UNITS        for systemd units, whose paths are adapted to PREFIX and SYSCONFDIR; empty for none
set -euo pipefail
cd "$(dirname "$0")/.."

readonly dest=${1?the directory, which may be empty: stage.sh DESTDIR}
readonly prefix=${PREFIX:-/usr/local} sysconf=${SYSCONFDIR:-/etc} bin=${BIN:-bin}
readonly taskerotel=${TASKEROTEL:-$bin/taskerotel}
umask 022

# put MODE FILE... DIRECTORY copies files and creates missing directories.
put() {
	local mode=$1 directory=${*: -1}
	install -d -m 755 "$directory"
	install -m "$mode" "${@:2:$#-2}" "$directory/"
}

share=$dest$prefix/share
put 755 "$bin"/otelcol-tasker "$bin"/taskerotel "$dest$prefix/bin"
put 755 deploy/cron/export-stamp "$dest$prefix/lib/otelcol-tasker"
put 644 README.md CHANGELOG.md LICENSE "$share/doc/otelcol-tasker"
install -m 644 packaging/copyright "$share/doc/otelcol-tasker/copyright"
put 644 deploy/systemd/tls.conf deploy/cron/taskerotel-export.cron "$share/doc/otelcol-tasker/examples"
put 644 deploy/prometheus/prometheus.yml "$share/otelcol-tasker/prometheus"
put 644 deploy/prometheus/rules/*.yaml "$share/otelcol-tasker/prometheus/rules"
put 644 deploy/grafana/dashboards/*.json "$share/otelcol-tasker/grafana"

install -d -m 755 "$share/bash-completion/completions" "$share/zsh/site-functions" "$share/fish/vendor_completions.d" "$share/man/man1"
"$taskerotel" completion bash >"$share/bash-completion/completions/taskerotel"
"$taskerotel" completion zsh >"$share/zsh/site-functions/_taskerotel"
"$taskerotel" completion fish >"$share/fish/vendor_completions.d/taskerotel.fish"
"$taskerotel" man "$share/man/man1"
cp packaging/otelcol-tasker.1 "$share/man/man1/"
gzip -nf9 "$share"/man/man1/otelcol-tasker.1 "$share"/man/man1/taskerotel*.1

# Keep an administrator's changes.
install -d -m 755 "$dest$sysconf/otelcol-tasker"
for file in deploy/otelcol/{standalone,secure,tls}.yaml deploy/systemd/otelcol-tasker.env; do
	target=$dest$sysconf/otelcol-tasker/${file##*/}
	if [[ ! -e $target ]]; then
		mode=644
		if [[ $file == *.env ]]; then
			mode=600
		fi
		install -m $mode "$file" "$target"
	elif ! cmp -s "$file" "$target"; then
		echo "$target is kept; the new one is $target.new"
		install -m 644 "$file" "$target.new"
	fi
done

if [[ -n ${UNITS:-} ]]; then
	install -d -m 755 "$dest$UNITS"
	for unit in deploy/systemd/*.{service,timer}; do
		sed -e "s|/usr/bin/|$prefix/bin/|g" -e "s|/usr/lib/otelcol-tasker/|$prefix/lib/otelcol-tasker/|g" \
			-e "s|/etc/otelcol-tasker/|$sysconf/otelcol-tasker/|g" "$unit" >"$dest$UNITS/${unit##*/}"
		chmod 644 "$dest$UNITS/${unit##*/}"
	done
fi

# For reproducible packages.
if [[ -n $dest && -n ${SOURCE_DATE_EPOCH:-} ]]; then
	find "$dest" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
fi
