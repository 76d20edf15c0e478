// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/sqltext"
)

const (
	// maxStatements bounds the statements that are remembered. Behind event_router, which takes the literals out, an
	// application has a few hundred.
	maxStatements = 4096
	// maxStatement bounds the length, in bytes, of a statement that is worth the memory.
	maxStatement = 4096
)

// statements remembers what SQL statements do, because reading one costs ten times as much as recording it.
type statements map[string]statement

// statement is what a query does and to which table, or that it asks the database about itself.
type statement struct {
	operation, collection string
	schema                bool
}

// aboutSchema returns a text, because conditions are on texts; it is empty for an ordinary query.
func (s *statement) aboutSchema() string {
	if s.schema {
		return "true"
	}
	return ""
}

// describe is [sqltext.Describe] and [sqltext.AboutSchema] with a memory. When the memory is full it begins anew: the statements that matter are
// back at once.
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
