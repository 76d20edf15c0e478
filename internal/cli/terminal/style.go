// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// Style is how a text is shown: the parameters of a terminal's SGR sequence.
type Style string

// The styles in use. They are readable on dark and on light grounds.
const (
	Plain  Style = ""
	Bold   Style = "1"
	Dim    Style = "2"
	Red    Style = "31"
	Green  Style = "32"
	Yellow Style = "33"
	Cyan   Style = "36"
)

// Palette shows styles, or leaves texts as they are.
type Palette bool

// Paint shows a text in a style.
func (p Palette) Paint(style Style, text string) string {
	if !bool(p) || style == Plain || text == "" {
		return text
	}
	return "\x1b[" + string(style) + "m" + text + "\x1b[0m"
}

// Words of the flag --color.
const (
	ColorAuto   = "auto"
	ColorAlways = "always"
	ColorNever  = "never"
)

// Colors decides whether to use colour: with ColorAuto on a terminal only, and not where the environment asks for none
// (https://no-color.org).
func Colors(when string, out io.Writer, getenv func(string) string) (Palette, error) {
	switch when {
	case ColorAlways:
		return true, nil
	case ColorNever:
		return false, nil
	case ColorAuto:
		return Palette(Is(out) && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"), nil
	}
	return false, configerr.OneOf("--color", when, ColorAuto, ColorAlways, ColorNever)
}

// Is reports whether the stream is a terminal.
func Is(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Columns returns the width of the terminal that the stream is, or the other number when it is none.
func Columns(stream any, otherwise int) int {
	file, ok := stream.(*os.File)
	if !ok {
		return otherwise
	}
	columns, _, err := term.GetSize(int(file.Fd()))
	if err != nil || columns <= 0 {
		return otherwise
	}
	return columns
}
