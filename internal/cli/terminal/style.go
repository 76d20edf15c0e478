// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// Style is a text style: the parameters of a terminal's SGR sequence.
type Style string

// The styles in use. They are readable on dark and light backgrounds.
const (
	Plain  Style = ""
	Bold   Style = "1"
	Dim    Style = "2"
	Red    Style = "31"
	Green  Style = "32"
	Yellow Style = "33"
	Cyan   Style = "36"
)

// Palette applies styles, or leaves texts unchanged.
type Palette bool

// Paint returns a text in a style.
func (p Palette) Paint(style Style, text string) string {
	if !bool(p) || style == Plain || text == "" {
		return text
	}
	return "\x1b[" + string(style) + "m" + text + "\x1b[0m"
}

// Values of the flag --color.
const (
	ColorAuto   = "auto"
	ColorAlways = "always"
	ColorNever  = "never"
)

// Colors decides whether to use color: with ColorAuto on a terminal only, and unless NO_COLOR is set
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

// Columns returns the width of the stream's terminal, or otherwise if it is none.
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
