# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# Sourced by the other scripts: a disposable overlay of this machine in which packages can be installed, and checks.
set -euo pipefail

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

# in_a_copy SCRIPT FILE... runs the script of this folder, with the files in its working directory, in an overlay of / and
# a separate network namespace.
in_a_copy() {
	local root
	root=$(mktemp -d)
	mount -t tmpfs tmpfs "$root"
	mkdir "$root/upper" "$root/work" "$root/copy"
	mount -t overlay overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" "$root/copy"
	mount -t proc proc "$root/copy/proc"
	mount --bind /dev "$root/copy/dev"
	mount -t tmpfs tmpfs "$root/copy/tmp"
	mount -t tmpfs tmpfs "$root/copy/run" # there is no systemd that runs
	cp -- "$@" "$root/copy/tmp/"
	ip link set lo up
	chroot "$root/copy" bash -c 'cd /tmp && bash "$@"' bash "${@##*/}"
}

# tree lists files that packages could leave behind, and the users.
tree() {
	find /etc /usr /var ! -path '/var/lib/dpkg/*' ! -path '/var/lib/rpm*' ! -path '/var/cache/*' ! -path '/var/log/*' \
		! -name 'passwd-' ! -name 'group-' ! -name 'shadow-' ! -name 'gshadow-' ! -name '.pwd.lock' ! -name '.updated' | LC_ALL=C sort
	getent passwd
	getent group
}

# nothing_left BEFORE checks that the tree is unchanged.
nothing_left() {
	local left
	left=$(diff "$1" <(tree) || true)
	[[ -z $left ]] || fail "left behind:"$'\n'"$left"
}

# mode_is OWNER:GROUP:MODE FILE
mode_is() { [[ "$(stat -c %U:%G:%a "$2")" == "$1" ]] || fail "$2 is $(stat -c %U:%G:%a "$2"), not $1"; }

# works starts the service's command as its user with its settings, sends a task, and stops it.
works() {
	local unit=/usr/lib/systemd/system/otelcol-tasker.service command
	command=$(sed -n 's/^ExecStart=//p' $unit)
	export TASKER_DATA=/var/lib/otelcol-tasker TASKER_INSTANCE=here
	set -a
	# shellcheck source=/dev/null
	. <(sed -E 's/^([A-Z_]+)=(.*)$/\1="\2"/' /etc/otelcol-tasker/otelcol-tasker.env)
	set +a
	# Word splitting is intended.
	# shellcheck disable=SC2086,SC2046
	eval setpriv --reuid otelcol-tasker --regid otelcol-tasker --clear-groups ${command/\$OTELCOL_OPTIONS/${OTELCOL_OPTIONS:-}} '>/tmp/collector.log 2>&1 &'
	local collector=$!
	for _ in $(seq 600); do
		taskerotel status --retries 0 >/dev/null 2>&1 && break
		kill -0 $collector 2>/dev/null || fail "the collector ended: $(tail -5 /tmp/collector.log)"
		sleep 0.1
	done
	echo '{"event":"task.completed","service":"shop","payload":{"task_id":1,"task_name":"order"}}' | taskerotel send - || fail "not accepted"
	taskerotel sync || fail "not on disk: $(tail -5 /tmp/collector.log)"
	kill $collector
	wait $collector || fail "it did not stop in order: $(tail -5 /tmp/collector.log)"
	[[ -n "$(find /var/lib/otelcol-tasker/storage -type f -user otelcol-tasker)" ]] || fail "no state in /var/lib/otelcol-tasker"
}
