// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtext

import "strings"

// Guard returns text that spreadsheets do not evaluate. A cell that begins with = + - @ tab or CR would be a formula; it
// gets a leading apostrophe, which spreadsheets read as "this is text". Plain decimal numbers, such as -5, are not changed.
func Guard(text string) string {
	if text == "" || !strings.ContainsRune("=+-@\t\r", rune(text[0])) || isNumber(text) {
		return text
	}
	return "'" + text
}

// isNumber reports whether text is a decimal number: sign, digits, fraction, exponent.
func isNumber(text string) bool {
	rest := strings.TrimLeft(text, "+-")
	if len(text)-len(rest) > 1 {
		return false
	}
	mantissa, exponent, hasExponent := strings.Cut(strings.ToLower(rest), "e")
	if hasExponent {
		if len(exponent) > 0 && (exponent[0] == '+' || exponent[0] == '-') {
			exponent = exponent[1:]
		}
		if !isDigits(exponent) {
			return false
		}
	}
	whole, fraction, hasFraction := strings.Cut(mantissa, ".")
	return isDigits(whole) && (!hasFraction || isDigits(fraction))
}

func isDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}

// Unguard reverses Guard.
func Unguard(cell string) string {
	if text, found := strings.CutPrefix(cell, "'"); found && Guard(text) == cell {
		return text
	}
	return cell
}
