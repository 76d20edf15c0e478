// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package waterfall

import (
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/treeview"
)

func (g *glyphs) duration(nanos int64) string { return g.ascii(treeview.Duration(nanos)) }

func (g *glyphs) tickText(nanos int64) string { return g.ascii(treeview.TickText(nanos)) }

func (g *glyphs) ascii(text string) string { return strings.Replace(text, "µ", g.micro, 1) }
