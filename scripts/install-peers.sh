#!/usr/bin/env bash
# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# Installs the programs that the tests with real peers use, where apt-get is available:
#   prometheus  promtool, which checks the exposition format and the rules, and the server, which evaluates and serves them
#   chromium    in which the live pages are tested
#   ruby        which runs the bridge for applications, minitest, ActiveSupport, and ActiveRecord on SQLite and PostgreSQL
#   node, npm   which run the OpenTelemetry SDK for JavaScript, and DuckDB
#   pandas, sqlite3, and LibreOffice if LIBREOFFICE=1 (250 MB), which read the CSV files
#   rpm         which installs the .rpm, as dpkg does the .deb; shellcheck, which checks the scripts
set -euo pipefail

missing=()
command -v rpm >/dev/null || missing+=(rpm)
command -v shellcheck >/dev/null || missing+=(shellcheck)
command -v chromium >/dev/null || missing+=(chromium fonts-inter)
command -v promtool >/dev/null || missing+=(prometheus)
command -v ruby >/dev/null || missing+=(ruby)
command -v ruby >/dev/null && ruby -e 'require "minitest"' 2>/dev/null || missing+=(ruby-minitest)
command -v ruby >/dev/null && ruby -e 'require "active_support"' 2>/dev/null || missing+=(ruby-activesupport)
command -v ruby >/dev/null && ruby -e 'require "active_record"; require "sqlite3"; require "pg"' 2>/dev/null || missing+=(ruby-activerecord ruby-sqlite3 ruby-pg)
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
command -v npm >/dev/null || missing+=(nodejs npm)
command -v sqlite3 >/dev/null || missing+=(sqlite3)
/usr/bin/python3 -c 'import pandas' 2>/dev/null || missing+=(python3-pandas)
if [[ ${LIBREOFFICE:-} == 1 ]]; then
	command -v soffice >/dev/null || missing+=(libreoffice-calc-nogui)
fi
if [[ ${#missing[@]} -eq 0 ]]; then
	exit 0
fi
if ! command -v apt-get >/dev/null; then
	echo "Not installed: ${missing[*]}. There is no apt-get here: install them by hand." >&2
	exit 1
fi

as_root=()
if [[ $(id -u) -ne 0 ]]; then
	as_root=(sudo)
fi
echo "Installing ${missing[*]} ..."
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
