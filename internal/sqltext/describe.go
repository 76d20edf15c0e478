// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package sqltext

import (
	"slices"
	"strings"
)

// OperationOther is the operation of a query that begins with an unknown keyword. It bounds the number of operations.
const OperationOther = "OTHER"

// maxTokens bounds the work per query. The operation and the table are near the beginning.
const maxTokens = 512

// Describe returns a query's operation as an upper-case keyword and its first table, unquoted and otherwise as written:
// "SELECT" and "public.orders". A common table expression is not a table; if a query reads only such, the table is the
// first one that they read. Either is empty if there is none.
func Describe(sql string) (operation, table string) {
	q := parse(sql)
	main := q.mainVerb()
	if main < 0 {
		return "", ""
	}
	return q.operation(main), q.table(main)
}

// query is a tokenized query.
type query struct {
	tokens []token
	depths []int
	// inQuery reports for each token whether its innermost parentheses hold a query (or there are none).
	inQuery []bool
	// expressions are the names of common table expressions.
	expressions []string
}

func parse(sql string) *query {
	const usual = 64
	q := &query{tokens: make([]token, 0, usual), depths: make([]int, 0, usual), inQuery: make([]bool, 0, usual)}
	scan := scanner{sql}
	scopes := []bool{true}
	opened := false
	for t := scan.next(); t.kind != kindEnd && len(q.tokens) < maxTokens; t = scan.next() {
		if opened {
			scopes[len(scopes)-1] = beginsQuery(t)
		}
		if opened = t.text == "("; opened {
			scopes = append(scopes, false)
		} else if t.text == ")" && len(scopes) > 1 {
			scopes = scopes[:len(scopes)-1]
		}
		q.tokens = append(q.tokens, t)
		q.depths = append(q.depths, len(scopes)-1)
		q.inQuery = append(q.inQuery, scopes[len(scopes)-1])
	}
	for i := range q.tokens {
		if name, ok := q.expressionAt(i); ok {
			q.expressions = append(q.expressions, name)
		}
	}
	return q
}

// beginsQuery also accepts "((SELECT", as in unions.
func beginsQuery(t token) bool {
	return t.text == "(" || t.keyword == "WITH" || isMainVerb(t.keyword)
}

// isMainVerb reports whether a keyword is the verb of a query that may follow WITH.
func isMainVerb(keyword string) bool {
	switch keyword {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE":
		return true
	}
	return false
}

// isKnownVerb reports whether a keyword is a distinct operation.
func isKnownVerb(keyword string) bool {
	switch keyword {
	case "CREATE", "ALTER", "DROP", "TRUNCATE", "BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET",
		"SHOW", "EXPLAIN", "CALL", "EXECUTE", "PREPARE", "DEALLOCATE", "COPY", "LOCK", "UNLOCK", "VACUUM", "ANALYZE",
		"PRAGMA", "VALUES", "USE", "LISTEN", "NOTIFY", "REFRESH", "GRANT", "REVOKE", "DESCRIBE", "DECLARE", "FETCH",
		"CLOSE", "WITH":
		return true
	}
	return isMainVerb(keyword)
}

// isNoise reports whether a keyword may be between a verb and its table.
func isNoise(keyword string) bool {
	switch keyword {
	case "ONLY", "LATERAL", "IGNORE", "LOW_PRIORITY", "DELAYED", "QUICK", "OR", "ABORT", "FAIL", "ROLLBACK", "REPLACE",
		"TABLE", "IF", "NOT", "EXISTS":
		return true
	}
	return false
}

// expressionAt returns the name if NAME AS ( SELECT or NAME (columns) AS ( begins at i.
func (q *query) expressionAt(i int) (string, bool) {
	if q.tokens[i].keyword != "AS" || i == 0 {
		return "", false
	}
	body := i + 1
	for body < len(q.tokens) && (q.tokens[body].keyword == "NOT" || q.tokens[body].keyword == "MATERIALIZED") {
		body++
	}
	if body >= len(q.tokens) || q.tokens[body].text != "(" || !q.queryFollows(body) {
		return "", false
	}
	name := i - 1
	if q.tokens[name].text == ")" {
		for name > 0 && q.tokens[name].text != "(" {
			name--
		}
		name--
	}
	if name < 0 || !isNameToken(q.tokens[name]) {
		return "", false
	}
	return unquote(q.tokens[name].text), true
}

func (q *query) queryFollows(parenthesis int) bool {
	return parenthesis+1 < len(q.tokens) && beginsQuery(q.tokens[parenthesis+1])
}

// mainVerb returns the index of the operation's keyword, or -1.
func (q *query) mainVerb() int {
	first := slices.IndexFunc(q.tokens, func(t token) bool { return t.kind == kindWord })
	if first < 0 || q.tokens[first].keyword != "WITH" {
		return first
	}
	for i := first + 1; i < len(q.tokens); i++ {
		if q.depths[i] == q.depths[first] && isMainVerb(q.tokens[i].keyword) {
			return i
		}
	}
	return first
}

func (q *query) operation(main int) string {
	if verb := q.tokens[main].keyword; isKnownVerb(verb) {
		return verb
	}
	return OperationOther
}

// table prefers a table at the main verb's nesting level to any other.
func (q *query) table(main int) string {
	for i := main; i < len(q.tokens); i++ {
		if q.depths[i] == q.depths[main] {
			if name := q.tableAfter(i, main); name != "" {
				return name
			}
		}
	}
	for i := range q.tokens {
		if name := q.tableAfter(i, main); name != "" {
			return name
		}
	}
	return ""
}

// tableAfter returns the table that the keyword at i introduces; empty if it introduces none.
func (q *query) tableAfter(i, main int) string {
	if !q.introducesTable(i, main) {
		return ""
	}
	from := q.tokens[i].keyword == "FROM" || q.tokens[i].keyword == "JOIN"
	for i++; i < len(q.tokens) && isNoise(q.tokens[i].keyword); {
		i++
	}
	name, end := q.nameAt(i)
	if slices.ContainsFunc(q.expressions, func(e string) bool { return strings.EqualFold(e, name) }) {
		return ""
	}
	if from && end < len(q.tokens) && q.tokens[end].text == "(" {
		return "" // a set-returning function
	}
	return name
}

func (q *query) introducesTable(i, main int) bool {
	switch q.tokens[i].keyword {
	case "FROM":
		// IS DISTINCT FROM is a comparison; EXTRACT(x FROM y) and the like are functions.
		return q.inQuery[i] && (i == 0 || q.tokens[i-1].keyword != "DISTINCT")
	case "JOIN", "INTO":
		return true
	case "UPDATE":
		// Not FOR UPDATE, ON DUPLICATE KEY UPDATE, DO UPDATE.
		return i == main || i > 0 && q.tokens[i-1].text == "("
	case "TABLE", "TRUNCATE":
		return i <= main+2 && q.tokens[main].keyword != "SELECT"
	}
	return false
}

// nameAt returns the name at i, which may be qualified as in schema.table, and the index after it.
func (q *query) nameAt(i int) (string, int) {
	if i >= len(q.tokens) || !isNameToken(q.tokens[i]) {
		return "", i
	}
	name := unquote(q.tokens[i].text)
	for i++; i+1 < len(q.tokens) && q.tokens[i].text == "." && isNameToken(q.tokens[i+1]); i += 2 {
		name += "." + unquote(q.tokens[i+1].text)
	}
	return name, i
}

func isNameToken(t token) bool {
	switch t.kind {
	case kindWord:
		return t.keyword != "SELECT" && t.keyword != "VALUES"
	case kindQuoted, kindDouble:
		return isName(unquote(t.text))
	}
	return false
}
