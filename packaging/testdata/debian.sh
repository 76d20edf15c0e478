# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# Installs, upgrades, removes and purges the .deb: debian.sh installed.sh OLD.deb NEW.deb
. ./installed.sh
export DEBIAN_FRONTEND=noninteractive
rm -f /etc/dpkg/dpkg.cfg.d/* # as images have, to leave pages out
tree >/tmp/before

dpkg -i "$2"
mode_is root:root:600 /etc/otelcol-tasker/otelcol-tasker.env
mode_is root:root:644 /etc/otelcol-tasker/standalone.yaml
mode_is otelcol-tasker:otelcol-tasker:750 /var/lib/otelcol-tasker
[[ -L /etc/systemd/system/multi-user.target.wants/otelcol-tasker.service ]] || fail "the service is not enabled"
[[ ! -e /etc/systemd/system/timers.target.wants/taskerotel-export.timer ]] || fail "the timer is enabled, and nobody asked for it"
[[ "$(getent passwd otelcol-tasker | cut -d: -f7)" == /usr/sbin/nologin ]] || fail "the user can log in"
systemd-analyze verify --man=no /usr/lib/systemd/system/{otelcol-tasker.service,taskerotel-export.service,taskerotel-export.timer}
otelcol-tasker --version
man -w taskerotel otelcol-tasker taskerotel-export >/dev/null
bash -c '. /usr/share/bash-completion/completions/taskerotel && complete -p taskerotel' >/dev/null
works
logrotate_is() { if command -v logrotate >/dev/null; then logrotate --debug /etc/logrotate.d/otelcol-tasker >/dev/null 2>&1 || fail "logrotate refuses its file"; fi; }
logrotate_is

# The administrator's changes are kept, the rest is updated.
echo '# mine' >>/etc/otelcol-tasker/standalone.yaml
systemctl disable otelcol-tasker.service
dpkg --force-confold -i "$3"
grep -q '^# mine$' /etc/otelcol-tasker/standalone.yaml || fail "the configuration was overwritten"
grep -q '^# new$' /etc/otelcol-tasker/standalone.yaml.dpkg-dist || fail "the new configuration is not beside it"
grep -q '^# new$' /etc/otelcol-tasker/secure.yaml || fail "a configuration that nobody changed is still the old one"
[[ ! -e /etc/systemd/system/multi-user.target.wants/otelcol-tasker.service ]] || fail "the upgrade enabled what was disabled"
works

dpkg -r otelcol-tasker
[[ ! -e /usr/bin/otelcol-tasker && ! -e /usr/lib/systemd/system/otelcol-tasker.service ]] || fail "programs are left"
[[ -e /etc/otelcol-tasker/standalone.yaml && -d /var/lib/otelcol-tasker/storage ]] || fail "removing took the configuration or the state"

# Reinstall with the remaining files.
dpkg -i "$3"
works
dpkg -P otelcol-tasker
nothing_left /tmp/before
