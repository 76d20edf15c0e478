// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package sqltext

import (
	"slices"
	"strings"
)

// schemaName is ActiveRecord's name for its schema queries.
const schemaName = "SCHEMA"

// AboutSchema reports whether a query reads the database's schema or settings rather than application data: SHOW, EXPLAIN,
// DESCRIBE and PRAGMA, queries of the catalog (information_schema, pg_catalog, tables that begin with pg_ or sqlite_,
// performance_schema), and queries that ActiveRecord names SCHEMA. They belong to connections rather than to work and are
// not measured. If a query reads several tables, the first one decides.
func AboutSchema(name, sql string) bool {
	if strings.EqualFold(name, schemaName) {
		return true
	}
	switch firstWord(sql) {
	case "SHOW", "EXPLAIN", "DESCRIBE", "DESC", "PRAGMA":
		return true
	}
	if !mentionsCatalogue(sql) {
		return false
	}
	operation, table := Describe(sql)
	return operation == "SELECT" && isCatalogue(table)
}

func firstWord(sql string) string {
	scan := scanner{sql}
	for t := scan.next(); t.kind != kindEnd; t = scan.next() {
		if t.text != "(" {
			return t.keyword
		}
	}
	return ""
}

// mentionsCatalogue avoids parsing most queries.
func mentionsCatalogue(sql string) bool {
	for at, c := range []byte(sql) {
		if c != '_' {
			continue
		}
		before, after := sql[:at], sql[at+1:]
		if endsWith(before, "pg") || endsWith(before, "sqlite") || beginsWith(after, "schema") {
			return true
		}
	}
	return false
}

func isCatalogue(table string) bool {
	parts := strings.Split(strings.ToLower(table), ".")
	return slices.ContainsFunc(parts[:len(parts)-1], func(part string) bool {
		return part == "information_schema" || part == "pg_catalog" || part == "performance_schema"
	}) || beginsWith(parts[len(parts)-1], "pg_") || beginsWith(parts[len(parts)-1], "sqlite_")
}

func endsWith(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

func beginsWith(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
