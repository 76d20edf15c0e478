// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package sqltext_test

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/tasker-otel/otelcol-tasker/internal/sqltext"
)

func TestSanitize(t *testing.T) {
	for name, test := range map[string]struct{ sql, want string }{
		"empty":                {"", ""},
		"string":               {"SELECT * FROM users WHERE email = 'bob@example.com'", "SELECT * FROM users WHERE email = ?"},
		"doubled quote":        {"SELECT 'it''s', 'b'", "SELECT ?, ?"},
		"numbers":              {"a = 1 AND b=-2.5e-3 OR c = 0xFF LIMIT 10", "a = ? AND b=-? OR c = ? LIMIT ?"},
		"number in a name":     {"SELECT a1 FROM t2.x3", "SELECT a1 FROM t2.x3"},
		"placeholders":         {"a = $1 AND b = ? AND c = :name", "a = $1 AND b = ? AND c = :name"},
		"comments":             {"SELECT 1 -- bob\n/* bob /* bob */ bob */ FROM t # bob", "SELECT ? FROM t"},
		"json operator":        {"SELECT a #>> '{x}' FROM t", "SELECT a #>> ? FROM t"},
		"white space":          {"  SELECT\n\t a  ,b \n", "SELECT a ,b"},
		"dollar quotes":        {"SELECT $$bob$$, $t$bob $$ $t$, $1", "SELECT ?, ?, $1"},
		"prefixes":             {`SELECT E'b\'ob', N'bob', x'b0b', _utf8'bob', U&'bob'`, "SELECT ?, ?, ?, ?, ?"},
		"unterminated string":  {"SELECT 'bob", "SELECT ?"},
		"unterminated comment": {"SELECT a /* bob", "SELECT a"},
		"backslash":            {`SELECT 'a\n', b`, `SELECT ?, b`},
		"unsure":               {`a = 'bob\' AND b = 'bob'`, "a = ?…"},
		"postgres names": {`SELECT "users".* FROM "users" WHERE "users"."email" = $1 ORDER BY "id"`,
			`SELECT "users".* FROM "users" WHERE "users"."email" = $1 ORDER BY "id"`},
		"insert": {`INSERT INTO "t" ("a", "b") VALUES ('x', 2) RETURNING "id"`,
			`INSERT INTO "t" ("a", "b") VALUES (?, ?) RETURNING "id"`},
		"double-quoted values": {`SELECT a FROM t WHERE a = "bob" AND b IN ("bob", "eve") AND c LIKE "bob" AND d BETWEEN "a" AND "b"`,
			`SELECT a FROM t WHERE a = ? AND b IN (?) AND c LIKE ? AND d BETWEEN ? AND ?`},
		"lists":                   {`a IN (1,2, 3) AND b not in ('x' ,'y') AND c IN (-1, $$x$$) AND d IN (1) AND min(1, 2) > 0`, `a IN (?) AND b not in (?) AND c IN (?) AND d IN (?) AND min(?, ?) > ?`},
		"list of names":           {"a IN (b, 1, 2) AND begin (1, 2)", "a IN (b, ?, ?) AND begin (?, ?)"},
		"merge":                   {"MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = 'bob'", "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = ?"},
		"double-quoted inserts":   {`INSERT INTO t VALUES ("bob", "eve"), ("mallory", "x")`, `INSERT INTO t VALUES (?, ?), (?, ?)`},
		"double-quoted arguments": {`SELECT concat("bob", "eve") FROM t`, `SELECT concat(?, ?) FROM t`},
		"mysql":                   {"SELECT `a` FROM `t` ORDER BY \"bob\"", "SELECT `a` FROM `t` ORDER BY ?"},
		"no name":                 {`SELECT "bob@example.com" FROM t`, `SELECT ? FROM t`},
		"brackets":                {"SELECT [a] FROM [dbo].[t] WHERE b[1] = 2", "SELECT [a] FROM [dbo].[t] WHERE b[?] = ?"},
		"oracle quotes":           {`a = q'[it's bob]' AND b = Nq'!it's bob!' AND c = Q'{b}'`, "a = ? AND b = ? AND c = ?"},
		"open oracle quotes":      {`a = q'[it's bob]`, "a = ?"},
		"mysql escapes":           {`a = "it\"s bob" AND b = 'x'`, "a = ?…"},
		"mysql character sets":    {`SELECT a FROM t WHERE a = _binary "bob"`, "SELECT a FROM t WHERE a = _binary ?"},
		"open brackets":           {"a[[b [c", "a[[b [c"},
		"long brackets":           {"a = [" + strings.Repeat("b", 65) + "]", "a = [" + strings.Repeat("b", 65) + "]"},
		"unicode":                 {"SELECT größe FROM übersicht", "SELECT größe FROM übersicht"},
		"not utf-8":               {"SELECT \xff FROM t", "SELECT ? FROM t"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, sqltext.Sanitize(test.sql))
		})
	}
}

func TestSanitizeCuts(t *testing.T) {
	got := sqltext.Sanitize("SELECT " + strings.Repeat("größe, ", 500) + "'bob'")
	assert.Equal(t, sqltext.MaxRunes, utf8.RuneCountInString(got))
	assert.True(t, strings.HasSuffix(got, "…"))
}

func TestDescribe(t *testing.T) {
	for name, test := range map[string]struct{ sql, operation, table string }{
		"empty":             {"", "", ""},
		"select":            {"select * from orders where id = 1", "SELECT", "orders"},
		"quoted":            {`SELECT "o".* FROM "shop"."orders" "o"`, "SELECT", "shop.orders"},
		"back quotes":       {"SELECT * FROM `shop`.`orders`", "SELECT", "shop.orders"},
		"insert":            {"INSERT INTO orders(id) SELECT id FROM carts", "INSERT", "orders"},
		"insert ignore":     {"INSERT IGNORE INTO orders VALUES (1)", "INSERT", "orders"},
		"update":            {"UPDATE ONLY orders SET a = 1 FROM carts", "UPDATE", "orders"},
		"upsert":            {"INSERT INTO a (x) VALUES (1) ON CONFLICT (x) DO UPDATE SET x = 2", "INSERT", "a"},
		"merge":             {`MERGE INTO "shop"."orders" o USING carts c ON c.id = o.id WHEN MATCHED THEN DELETE`, "MERGE", "shop.orders"},
		"delete":            {"DELETE FROM orders USING carts", "DELETE", "orders"},
		"lock":              {"SELECT 1 FROM a FOR UPDATE", "SELECT", "a"},
		"function":          {"SELECT EXTRACT(EPOCH FROM made_at) FROM orders", "SELECT", "orders"},
		"comparison":        {"SELECT a IS DISTINCT FROM b FROM orders", "SELECT", "orders"},
		"subquery":          {"SELECT * FROM (SELECT * FROM orders) AS sub", "SELECT", "orders"},
		"expression":        {"WITH recent AS (SELECT * FROM orders) SELECT * FROM recent", "SELECT", "orders"},
		"expression joined": {"WITH r (a, b) AS (SELECT 1) SELECT * FROM r JOIN carts ON true", "SELECT", "carts"},
		"writing expression": {"WITH gone AS (DELETE FROM orders RETURNING *) INSERT INTO archive SELECT * FROM gone",
			"INSERT", "archive"},
		"materialized": {"WITH r AS NOT MATERIALIZED (SELECT * FROM orders) SELECT * FROM r", "SELECT", "orders"},
		"rows":         {"SELECT * FROM generate_series(1, 2)", "SELECT", ""},
		"no table":     {"SELECT 1", "SELECT", ""},
		"union":        {"(SELECT a FROM orders) UNION (SELECT a FROM carts)", "SELECT", "orders"},
		"comment":      {"/* app */ UPDATE orders SET a = 1", "UPDATE", "orders"},
		"ddl":          {"CREATE TABLE IF NOT EXISTS orders (id int)", "CREATE", "orders"},
		"truncate":     {"TRUNCATE orders", "TRUNCATE", "orders"},
		"truncate all": {"TRUNCATE TABLE orders", "TRUNCATE", "orders"},
		"transaction":  {"BEGIN", "BEGIN", ""},
		"unknown":      {"bob's uncle", "OTHER", ""},
		"lower case":   {"update orders set a = 1", "UPDATE", "orders"},
		"no words":     {"1 + 1", "", ""},
		"sanitized":    {`SELECT "a" FROM "t" WHERE b = ? LIMIT ?`, "SELECT", "t"},
	} {
		t.Run(name, func(t *testing.T) {
			operation, table := sqltext.Describe(test.sql)
			assert.Equal(t, test.operation, operation)
			assert.Equal(t, test.table, table)
		})
	}
}

// A string literal is redacted wherever it is, provided that the text before it is complete.
func FuzzSanitize(f *testing.F) {
	for _, seed := range []string{
		"", "bob", "it's", "a b -- c", "/* x", "$$", "\"", "`", "]", "E'", "\xff", "1e", "0x1", "$tag$", "(", "))",
	} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, wild, value string) {
		got := sqltext.Sanitize(wild)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > sqltext.MaxRunes {
			t.Fatalf("%q", got)
		}
		if strings.Contains(got, "'") {
			t.Fatalf("a string in %q", got)
		}
		sqltext.Describe(wild)
		sqltext.Describe(got)

		sqltext.AboutSchema(value, wild)

		const secret = "S3CR3T"
		literal := "'" + secret + strings.ReplaceAll(value, "'", "''") + secret + "'"
		if got := sqltext.Sanitize("UPDATE t SET a = " + literal + ", b = " + literal); strings.Contains(got, secret) {
			t.Fatalf("%q", got)
		}
	})
}

// A literal of any form is redacted anywhere in a well-formed query.
func FuzzLiterals(f *testing.F) {
	f.Add("bob", uint64(17), uint8(0))
	f.Add("it's \\ $$ -- /* \"", uint64(1), uint8(77))
	f.Fuzz(func(t *testing.T, text string, n uint64, form uint8) {
		const secret, digits = "S3CR3T", "8675309"
		text = strings.NewReplacer("\n", "", "*", "").Replace(text) // would end the comments below
		doubled := secret + strings.ReplaceAll(text, "'", "''") + secret
		number := strconv.FormatUint(n, 10)
		literals := []string{
			"'" + doubled + "'",
			"E'" + secret + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + secret + "'",
			"N'" + doubled + "'",
			"q'[" + secret + strings.ReplaceAll(text, "]", "") + secret + "]'",
			`"` + secret + " " + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + secret + `"`,
			"$$" + secret + strings.ReplaceAll(text, "$", "") + secret + "$$",
			"$tag$" + secret + strings.ReplaceAll(text, "$tag$", "") + secret + "$tag$",
			"x'" + digits + "'",
			digits + number, digits + "." + number, "-" + digits, "1e" + digits, "0x" + digits, "." + digits,
			"(" + digits + ", '" + doubled + "')",
		}
		literal := literals[int(form)%len(literals)]
		for _, query := range []string{
			"SELECT a FROM t WHERE a = LITERAL AND b IN (LITERAL, 1,LITERAL) ORDER BY c",
			"INSERT INTO t (a, b) VALUES (LITERAL, LITERAL), (LITERAL, NULL)",
			`WITH r AS (SELECT * FROM "s"."t" WHERE a LIKE LITERAL) UPDATE t SET a = LITERAL FROM r -- LITERAL`,
			"DELETE FROM `t` /* LITERAL */ WHERE a BETWEEN LITERAL AND LITERAL LIMIT 1",
			"MERGE INTO t USING (SELECT LITERAL AS a) s ON (t.a = s.a) WHEN NOT MATCHED THEN INSERT VALUES (LITERAL)",
		} {
			got := sqltext.Sanitize(strings.ReplaceAll(query, "LITERAL", literal))
			if strings.Contains(got, secret) || strings.Contains(got, digits) {
				t.Fatalf("%q of %q", got, literal)
			}
		}
	})
}

func TestAboutSchema(t *testing.T) {
	for sql, want := range map[string]bool{
		"":                                   false,
		"SHOW max_identifier_length":         true,
		"  /* x */ explain SELECT 1":         true,
		"DESC orders":                        true,
		"DESCRIBE orders":                    true,
		"PRAGMA table_info(orders)":          true,
		"SELECT * FROM sqlite_master":        true,
		"SELECT a FROM pg_catalog.pg_type t": true,
		"SELECT a FROM pg_attribute a LEFT JOIN pg_attrdef d ON true": true,
		`SELECT "c" FROM "information_schema"."columns"`:              true,
		"SELECT c FROM INFORMATION_SCHEMA.TABLES":                     true,
		"SELECT * FROM orders WHERE note = 'pg_catalog'":              false,
		"SELECT * FROM pages JOIN pg_class ON true":                   false,
		"SELECT description, show FROM orders":                        false,
		"UPDATE workflow_steps SET a = 1":                             false,
		"SELECT * FROM schema_migrations":                             false,
		"INSERT INTO pg_stuff VALUES (1)":                             false,
		"(SELECT a FROM orders)":                                      false,
	} {
		assert.Equal(t, want, sqltext.AboutSchema("Order Load", sql), sql)
	}
	assert.True(t, sqltext.AboutSchema("SCHEMA", "SELECT * FROM orders"))
}

func BenchmarkAboutSchema(b *testing.B) {
	const sql = `SELECT "workflow_steps".* FROM "workflow_steps" WHERE "workflow_steps"."task_id" = 17 AND "name" = 'bob' LIMIT 1`
	b.ReportAllocs()
	for b.Loop() {
		sqltext.AboutSchema("", sql)
	}
}

func BenchmarkSanitize(b *testing.B) {
	const sql = `SELECT "workflow_steps".* FROM "workflow_steps" WHERE "workflow_steps"."task_id" = 17 AND "name" = 'bob' LIMIT 1`
	b.ReportAllocs()
	for b.Loop() {
		sqltext.Sanitize(sql)
	}
}

func BenchmarkDescribe(b *testing.B) {
	const sql = `SELECT "workflow_steps".* FROM "workflow_steps" WHERE "workflow_steps"."task_id" = 17 AND "name" = 'bob' LIMIT 1`
	b.ReportAllocs()
	for b.Loop() {
		sqltext.Describe(sql)
	}
}
