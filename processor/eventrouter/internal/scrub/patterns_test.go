// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package scrub_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter/internal/scrub"
)

func TestPatterns(t *testing.T) {
	all := scrub.Patterns{BearerTokens: true, CardNumbers: true, EmailAddresses: true, URLCredentials: true}
	for text, want := range map[string]string{
		"Authorization: Bearer abc.DEF-123_~+/==, retry": "Authorization: Bearer #, retry",
		"bearer\tx":     "Bearer #",
		"BEARER: t0ken": "Bearer #",
		"the forbearer": "the forbearer",
		"token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln_-x was refused": "token # was refused",
		"eyJ of nothing": "eyJ of nothing",

		"no such user: a.b+c@mail.example.co.uk!": "no such user: #!",
		"<jürgen@bücher.example>":                 "<#>",
		"a@b, @all, x@localhost, 1@2.3":           "a@b, @all, x@localhost, 1@2.3",
		"a@b.example c@d.example":                 "# #",

		"connect to postgres://bob:p@ss@db.example.com:5432/shop failed": "connect to postgres://#@db.example.com:5432/shop failed",
		"https://ghp_abc@github.com/a@b and ssh://git@[::1]/x":           "https://#@github.com/a@b and ssh://#@[::1]/x",
		"REDIS://:secret@cache, http://host/?q=a:b@c":                    "REDIS://#@cache, http://host/?q=a:b@c",
		"a://b c@d, ://x@y": "a://b c@d, ://x@y",

		"card 4111111111111111 was declined":       "card # was declined",
		"4111 1111 1111 1111":                      "#",
		"4111-1111-1111-1111,5500.0000.0000.0004":  "#,#",
		"378282246310005/6011111111111117":         "#/#",
		"2223003122003222":                         "#",
		"order 12 4111 1111 1111 1111 of today":    "order 12 # of today",
		"4111111111111112, wrong by one":           "4111111111111112, wrong by one",
		"41111111111111111111, too long":           "41111111111111111111, too long",
		"1747000000000000000 ns, 1747000000000 ms": "1747000000000000000 ns, 1747000000000 ms",
		"4111  1111 1111 1111, two blanks":         "4111  1111 1111 1111, two blanks",
		"x4111111111111111y":                       "x#y",
		"":                                         "",
	} {
		assert.Equal(t, want, all.Mask(text, "#"), text)
		assert.Equal(t, text, scrub.Patterns{}.Mask(text, "#"))
	}
}

func TestParsePatterns(t *testing.T) {
	patterns, err := scrub.ParsePatterns("patterns", []string{"card_numbers", "email_addresses", "bearer_tokens", "url_credentials"})
	require.NoError(t, err)
	assert.Equal(t, scrub.Patterns{BearerTokens: true, CardNumbers: true, EmailAddresses: true, URLCredentials: true}, patterns)
	_, err = scrub.ParsePatterns("patterns", []string{"card_numbers", "card_numbers"})
	assert.ErrorContains(t, err, `patterns[1]: "card_numbers" is listed already`)
	_, err = scrub.ParsePatterns("patterns", []string{"cards"})
	assert.ErrorContains(t, err, `patterns[0]: "cards" is not known; use "bearer_tokens", "card_numbers", "email_addresses" or "url_credentials"`)
}

func TestSecretsInRecords(t *testing.T) {
	const card = "4111 1111 1111 1111"
	scrubber := scrub.New(scrub.Settings{
		Sensitive: []string{"passw", "error_message"}, Mask: "#", MaxValueBytes: 64, MaxStructureBytes: 4096, MaxBacktraceLines: 3,
		Patterns: scrub.Patterns{CardNumbers: true, EmailAddresses: true}, Only: []string{"note", "payment"},
	})
	logs := plog.NewLogs()
	record := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.SetEventName("step.failed")
	record.Body().SetStr("step charge of task 4111111111111111 failed: a@b.example")
	require.NoError(t, record.Attributes().FromRaw(map[string]any{
		"tasker.task_id": "4111111111111111", "tasker.step_name": "charge", "tasker.error_message": "a@b.example", "tasker.step_ids": []any{int64(4111111111111111)},
		"tasker.note":    strings.Repeat("x", 50) + " " + card,
		"tasker.payment": map[string]any{"number": int64(4111111111111111), "list": []any{card, []byte(card)}, "order_id": int64(4111111111111111), "a@b.example": 1},
		"tasker.other":   "left out", "http.url": "left out",
	}))
	pass := scrubber.NewPass()
	pass.Scrub(record)
	assert.Equal(t, map[string]any{
		"tasker.task_id": "4111111111111111", "tasker.step_name": "charge", "tasker.step_ids": []any{int64(4111111111111111)},
		"tasker.note":    strings.Repeat("x", 50) + " #", // masked before it is cut
		"tasker.payment": map[string]any{"number": "#", "list": []any{"#", []byte("#")}, "order_id": int64(4111111111111111)},
	}, record.Attributes().AsRaw())
	assert.Equal(t, "step charge of task 4111111111111111 failed", record.Body().Str(), "the line says no more than the attributes")
	assert.Equal(t, scrub.Counts{Removed: 4, Masked: 4}, pass.Counts)
}

func TestResources(t *testing.T) {
	scrubber := scrub.New(scrub.Settings{
		Sensitive: []string{"name", "token"}, Mask: "#", MaxValueBytes: 64, MaxStructureBytes: 4096, MaxBacktraceLines: 3,
		Patterns: scrub.Patterns{EmailAddresses: true},
	})
	attrs := plog.NewLogs().ResourceLogs().AppendEmpty().Resource().Attributes()
	require.NoError(t, attrs.FromRaw(map[string]any{
		"service.name": "shop", "service.namespace": "a@b.example", "host.name": "x", "api_token": "x", "owner": "for a@b.example",
	}))
	scrubber.NewPass().ScrubResource(attrs)
	assert.Equal(t, map[string]any{
		"service.name": "shop", "service.namespace": "#", "host.name": "#", "api_token": "#", "owner": "for #",
	}, attrs.AsRaw())
}

// Valid UTF-8 stays valid, and a text grows by at most one mask per byte.
func FuzzMask(f *testing.F) {
	f.Add("Bearer abc, a@b.example, 4111 1111 1111 1111")
	f.Add("eyJhbGciOiJIUzI1NiJ9.e.c@d.ee")
	f.Add("amqp://b:c@d, e://f@g@h")
	f.Add("4111-1111-1111-1111@4111.1111")
	patterns := scrub.Patterns{BearerTokens: true, CardNumbers: true, EmailAddresses: true, URLCredentials: true}
	f.Fuzz(func(t *testing.T, text string) {
		masked := patterns.Mask(text, "[FILTERED]")
		if utf8.ValidString(text) {
			require.True(t, utf8.ValidString(masked))
		}
		require.LessOrEqual(t, len(masked), len(text)*(1+len("[FILTERED]")))
	})
}

// A secret is found anywhere in a text.
func TestPlantedSecretsAreMasked(t *testing.T) {
	patterns := scrub.Patterns{BearerTokens: true, CardNumbers: true, EmailAddresses: true, URLCredentials: true}
	rapid.Check(t, func(t *rapid.T) {
		secret := drawSecret(t)
		around := rapid.StringMatching(`[a-z ,;:!?<>"'{}\n]{0,20}`)
		text := around.Draw(t, "before") + " " + secret + " " + around.Draw(t, "after")
		if masked := patterns.Mask(text, "[FILTERED]"); strings.Contains(masked, secret[strings.IndexByte(secret, ' ')+1:]) {
			t.Fatalf("%q became %q", text, masked)
		}
	})
}

// drawSecret draws a token, an address, the credentials in a URL or a card number.
func drawSecret(t *rapid.T) string {
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		return "Bearer " + rapid.StringMatching(`[A-Za-z0-9._~+/-]{6,40}`).Draw(t, "token")
	case 1:
		return rapid.StringMatching(`[a-z0-9.+_-]{1,12}@[a-z0-9]{1,10}(\.[a-z0-9]{1,5})?\.[a-z]{2,5}`).Draw(t, "address")
	case 2:
		return "at amqp://" + rapid.StringMatching(`[A-Za-z0-9._~@:!$&-]{3,20}`).Draw(t, "user") + "@"
	}
	digits := []byte(rapid.StringMatching(`4[0-9]{11,17}`).Draw(t, "digits"))
	for check := byte('0'); check <= '9'; check++ {
		if number := string(append(digits, check)); luhn(number) {
			return number
		}
	}
	panic("every number has a check digit")
}

// luhn is an independent check of the check digit.
func luhn(number string) bool {
	sum := 0
	for i := range len(number) {
		d := int(number[len(number)-1-i] - '0')
		if i%2 == 1 {
			d = d*2/10 + d*2%10
		}
		sum += d
	}
	return sum%10 == 0
}

func BenchmarkMask(b *testing.B) {
	patterns := scrub.Patterns{BearerTokens: true, CardNumbers: true, EmailAddresses: true, URLCredentials: true}
	for name, text := range map[string]string{
		"plain": "Payment gateway timeout after 3 attempts, order 1234 of shop", "address": "no such user: customer1000@example.com",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				patterns.Mask(text, "[FILTERED]")
			}
		})
	}
}
