// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/sqltext"
)

const (
	// maxStatements bounds the cached statements. Behind event_router, which removes literals, an application has a few
	// hundred.
	maxStatements = 4096
	// maxStatement is the length in bytes of the longest cached statement.
	maxStatement = 4096
)

// statements caches parsed SQL statements, because parsing costs ten times as much as recording.
type statements map[string]statement

// statement holds a query's operation and table, and whether it reads the database's schema.
type statement struct {
	operation, collection string
	schema                bool
}

// aboutSchema returns a text, because conditions are on texts; empty for an ordinary query.
func (s *statement) aboutSchema() string {
	if s.schema {
		return "true"
	}
	return ""
}

// describe is a cached [sqltext.Describe] and [sqltext.AboutSchema]. A full cache is cleared; frequent statements soon
// return.
func (s statements) describe(sql string) statement {
	if known, found := s[sql]; found {
		return known
	}
	operation, collection := sqltext.Describe(sql)
	is := statement{operation, collection, sqltext.AboutSchema("", sql)}
	if len(sql) > maxStatement {
		return is
	}
	if len(s) >= maxStatements {
		clear(s)
	}
	is.operation, is.collection = strings.Clone(operation), strings.Clone(collection)
	s[strings.Clone(sql)] = is
	return is
}
