// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtext

import "strings"

// Guard returns text made safe for spreadsheets: a cell that begins with = + - @ tab or CR would be run as a formula, so
// it gets a leading apostrophe, which spreadsheets take as "this is text". Text that is a plain decimal number, such as
// -5, is no formula and stays as it is.
func Guard(text string) string {
	if text == "" || !strings.ContainsRune("=+-@\t\r", rune(text[0])) || isNumber(text) {
		return text
	}
	return "'" + text
}

// isNumber reports whether text is a decimal number and nothing else: sign, digits, fraction, exponent.
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

// Unguard returns the text that Guard was given.
func Unguard(cell string) string {
	if text, found := strings.CutPrefix(cell, "'"); found && Guard(text) == cell {
		return text
	}
	return cell
}
