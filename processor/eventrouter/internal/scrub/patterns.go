// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package scrub

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// Patterns select the secrets that are masked inside texts, under any key.
type Patterns struct {
	BearerTokens, CardNumbers, EmailAddresses, URLCredentials bool
}

// Names of the patterns, as users write them.
const (
	BearerTokens   = "bearer_tokens"
	CardNumbers    = "card_numbers"
	EmailAddresses = "email_addresses"
	URLCredentials = "url_credentials"
)

// ParsePatterns reads the names of a setting. Its error joins those that are not known or listed twice.
func ParsePatterns(setting string, names []string) (p Patterns, err error) {
	var mistakes []error
	for i, name := range names {
		var on *bool
		switch name {
		case BearerTokens:
			on = &p.BearerTokens
		case CardNumbers:
			on = &p.CardNumbers
		case EmailAddresses:
			on = &p.EmailAddresses
		case URLCredentials:
			on = &p.URLCredentials
		default:
			mistakes = append(mistakes, configerr.OneOf(configerr.Index(setting, i), name, BearerTokens, CardNumbers, EmailAddresses, URLCredentials))
			continue
		}
		if *on {
			mistakes = append(mistakes, configerr.New(configerr.Index(setting, i), name, "is listed already", "remove one of the two"))
		}
		*on = true
	}
	return p, errors.Join(mistakes...)
}

func (p Patterns) any() bool {
	return p.BearerTokens || p.CardNumbers || p.EmailAddresses || p.URLCredentials
}

// The expressions are linear in the text, as all of Go's are.
var (
	// bearerToken matches what RFC 6750 allows after "Bearer", and webToken a JSON Web Token alone.
	bearerToken = regexp.MustCompile(`(?i)\bbearer[\s:=]+[A-Za-z0-9\-._~+/]+=*`)
	webToken    = regexp.MustCompile(`\beyJ[A-Za-z0-9_\-]{4,}\.[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]*)?`)
	// urlCredentials matches everything before the last @ of a URL's authority: a password may contain one, and the user may be a
	// token.
	urlCredentials = regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.\-]*://)[^\s/?#"'<>]+@`)
	// emailAddress matches letters of every script.
	emailAddress = regexp.MustCompile(`[\pL\pN._%+'\-]+@[\pL\pN\-]+(?:\.[\pL\pN\-]+)*\.[\pL\pN\-]{2,}`)
)

// Mask replaces each secret by the mask. A text without secrets is returned unchanged.
func (p Patterns) Mask(text, mask string) string {
	if p.BearerTokens {
		if containsBearer(text) {
			text = bearerToken.ReplaceAllLiteralString(text, "Bearer "+mask)
		}
		if strings.Contains(text, "eyJ") {
			text = webToken.ReplaceAllLiteralString(text, mask)
		}
	}
	// Before addresses: a password followed by its host looks like one.
	if p.URLCredentials && strings.Contains(text, "://") {
		text = urlCredentials.ReplaceAllString(text, "${1}"+strings.ReplaceAll(mask, "$", "$$")+"@")
	}
	if p.EmailAddresses && strings.IndexByte(text, '@') >= 0 {
		text = emailAddress.ReplaceAllLiteralString(text, mask)
	}
	if p.CardNumbers && hasCardDigits(text) {
		text = maskCards(text, mask)
	}
	return text
}

// containsBearer searches for "bearer" in any case, without copying the text.
func containsBearer(text string) bool {
	const word = "bearer"
	for i := 0; i+len(word) <= len(text); i++ {
		next := strings.IndexAny(text[i:], "bB")
		if next < 0 || i+next+len(word) > len(text) {
			return false
		}
		if i += next; strings.EqualFold(text[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

// Bounds of the digits of a card number (ISO/IEC 7812).
const (
	minCardDigits = 13
	maxCardDigits = 19
)

// hasCardDigits reports cheaply whether a text has enough digits.
func hasCardDigits(text string) bool {
	digits := 0
	for i := range len(text) {
		if isDigit(text[i]) {
			if digits++; digits == minCardDigits {
				return true
			}
		}
	}
	return false
}

func maskCards(text, mask string) string {
	var masked strings.Builder
	done := 0
	for i := 0; i < len(text); {
		if !isDigit(text[i]) || i > 0 && isDigit(text[i-1]) {
			i++
			continue
		}
		end := cardAt(text, i)
		if end < 0 {
			i++
			continue
		}
		masked.WriteString(text[done:i])
		masked.WriteString(mask)
		done, i = end, end
	}
	if done == 0 {
		return text
	}
	masked.WriteString(text[done:])
	return masked.String()
}

// cardAt returns the end of the longest card number that begins at i, or -1. Its digits may be in groups, with one blank, dash or
// point between them.
func cardAt(text string, i int) (end int) {
	var digits [maxCardDigits]byte
	n := 0
	end = -1
	for ; i < len(text) && n < maxCardDigits; i++ {
		switch c := text[i]; {
		case isDigit(c):
			digits[n] = c - '0'
			n++
		case (c == ' ' || c == '-' || c == '.') && isDigit(text[i-1]):
			continue
		default:
			return end
		}
		if n >= minCardDigits && (i+1 == len(text) || !isDigit(text[i+1])) && isCard(digits[:n]) {
			end = i + 1
		}
	}
	return end
}

// isCard checks the issuer's digits and the check digit (Luhn).
func isCard(digits []byte) bool {
	issuer := int(digits[0])*1000 + int(digits[1])*100 + int(digits[2])*10 + int(digits[3])
	if first := digits[0]; (first < 3 || first > 6) && (issuer < 2221 || issuer > 2720) {
		return false
	}
	sum := 0
	for i, digit := range digits {
		d := int(digit)
		if (len(digits)-i)%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// isCardNumber reports whether an integer is a card number.
func isCardNumber(n int64) bool {
	if n <= 0 {
		return false
	}
	text := strconv.FormatInt(n, 10)
	return len(text) >= minCardDigits && cardAt(text, 0) == len(text)
}

// isNumber reports whether a text has digits only.
func isNumber(text string) bool {
	for i := range len(text) {
		if !isDigit(text[i]) {
			return false
		}
	}
	return text != ""
}

func isDigit(c byte) bool { return c-'0' < 10 }
