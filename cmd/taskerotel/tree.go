// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/offline"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/send"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/terminal"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/waterfall"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/printable"
	"github.com/tasker-otel/otelcol-tasker/internal/treeview"
)

// treeFlags are the flags of tree.
type treeFlags struct {
	tasks   []string
	from    string // the address of live pages; empty for files
	asked   scrapeFlags
	service string
	limit   int
	json    bool
	color   string
	drawing waterfall.Options
}

// Defaults of flags.
const (
	defaultTasks = 10
	// shownRefusals is the maximum number of refused items that are listed.
	shownRefusals = 20
)

func newTree(s streams) *cobra.Command {
	f := treeFlags{asked: newScrapeFlags()}
	cmd := &cobra.Command{
		Use:   "tree {FILE… | --from URL TASK…}",
		Short: "Show the tasks of event files as waterfalls",
		Long: `tree assembles the tasks of event files as a collector would, and shows each of them: its passes, batches, steps and
handlers, the waits in the queue and for a retry, over a common time axis. A file is NDJSON, or JSON objects and arrays,
plain, gzip or zstd; - is standard input. No collector is needed, and nothing is sent.

Events may be in any order and repeated. The first --limit tasks are shown, sorted by start. All events
of the selected tasks are held in memory; --task reduces that. Routes, sampling and redaction of a collector's
configuration do not apply: every event is shown, and error messages are not redacted.

  ✓ success   ✗ failure   ⊘ cancelled   ✎ resolved by hand   … no end yet   ★ on the critical path
  ━ time spent   █ on the critical path   ░ waiting   ▶ unknown end
  incomplete: its end was not announced.   synthesized: inferred, no event announced it.

With --from it shows the current tasks of a running collector, by their ids or by keys that taskerotel tasks --json
lists, as routed by the collector's configuration. It queries the live pages (the extension tasker_pages, port 8890).

Exit status: 0 when all went well, 1 when items were refused, a file could not be read, or no task was found, 2 for a
mistake in the command line.`,
		Example: `  taskerotel tree events.ndjson
  taskerotel tree --task 42 --depth 4 events.ndjson
  taskerotel tree --from http://localhost:8890 42
  taskerotel tree --json events.ndjson.gz | jq -r 'select(.status == "failure") | .trace_id'`,
		Args: someFiles,
		RunE: func(cmd *cobra.Command, files []string) error {
			if f.json && !cmd.Flags().Changed("limit") {
				f.limit = 0
			}
			if f.from != "" {
				return treeFrom(cmd.Context(), s, f, files)
			}
			return showTrees(cmd.Context(), s, f, files)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "the `URL` of a collector's live pages, instead of files")
	f.asked.register(flags)
	flags.StringArrayVar(&f.tasks, "task", nil, "show only the task with this `ID`; may be repeated")
	flags.StringVar(&f.service, "service", "", "the service of events without one")
	flags.IntVar(&f.limit, "limit", defaultTasks, "how many tasks to show; 0 shows all, which is the default with --json")
	flags.IntVar(&f.drawing.Depth, "depth", 0, "how many levels to show: 1 is tasks, 2 passes, 3 batches, 4 steps, 5 handlers; 0 shows all")
	flags.IntVar(&f.drawing.Width, "width", 0, "columns to use; 0 is the terminal's width, or 100")
	flags.StringVar(&f.color, "color", terminal.ColorAuto, "auto, always or never; auto respects NO_COLOR")
	flags.BoolVar(&f.drawing.ASCII, "ascii", false, "draw with ASCII characters only")
	flags.BoolVar(&f.json, "json", false, "write one JSON object per task, with its spans, instead of drawings")
	return cmd
}

func (f *treeFlags) validate() error {
	return errors.Join(
		configerr.OrZero("--limit", f.limit, "for all"),
		configerr.OrZero("--depth", f.drawing.Depth, "for all"),
		configerr.OrZero("--width", f.drawing.Width, "for the terminal's"),
	)
}

func showTrees(ctx context.Context, s streams, f treeFlags, files []string) error {
	if err := f.prepare(s); err != nil {
		return err
	}
	source, err := openSource(ctx, s, files)
	if err != nil {
		return err
	}
	defer source.Close() //nolint:errcheck // only read

	first := newEarliest(f.limit)
	refusals := refusalList{out: s.err}
	counts, readErr := offline.Assemble(ctx, source, offline.Options{
		Tasks: f.tasks, Service: f.service, Tree: first.add, Refused: refusals.add,
	})
	refusals.close(counts.Refused)
	out := bufio.NewWriter(s.out)
	if err := f.write(out, first.trees, first.seen); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if readErr != nil {
		return fmt.Errorf("the input was not read completely: %w", readErr)
	}
	if first.seen == 0 {
		return noTask(f.tasks, counts)
	}
	if counts.Refused > 0 {
		return errFailed
	}
	return nil
}

// prepare checks the flags, and sets the width and colors of drawings.
func (f *treeFlags) prepare(s streams) error {
	if err := f.validate(); err != nil {
		return usageError{err}
	}
	palette, err := terminal.Colors(f.color, s.out, s.getenv)
	if err != nil {
		return usageError{err}
	}
	f.drawing.Palette = palette
	if f.drawing.Width == 0 {
		f.drawing.Width = terminal.Columns(s.out, waterfall.DefaultWidth)
	}
	return nil
}

// treeFrom shows tasks of a running collector.
func treeFrom(ctx context.Context, s streams, f treeFlags, tasks []string) error {
	if err := f.prepare(s); err != nil {
		return err
	}
	client, err := f.asked.live(f.from)
	if err != nil {
		return err
	}
	var trees []*tree.Tree
	for _, task := range append(tasks, f.tasks...) {
		found, err := client.Trees(ctx, task)
		if err != nil {
			return err
		}
		trees = append(trees, found...)
	}
	out := bufio.NewWriter(s.out)
	if err := f.write(out, trees, len(trees)); err != nil {
		return err
	}
	return out.Flush()
}

func (f *treeFlags) write(out io.Writer, trees []*tree.Tree, seen int) error {
	for i, t := range trees {
		if f.json {
			if err := treeview.WriteJSON(out, t); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			if _, err := io.WriteString(out, "\n"); err != nil {
				return err
			}
		}
		if err := waterfall.Draw(out, t, f.drawing); err != nil {
			return err
		}
	}
	rest := seen - len(trees)
	if rest == 0 || f.json {
		return nil
	}
	_, err := fmt.Fprintf(out, "\n%d more not shown: raise --limit (now %d), or select one with --task.\n", rest, f.limit)
	return err
}

func noTask(wanted []string, counts offline.Counts) error {
	if len(wanted) > 0 {
		return fmt.Errorf("none of the %d events belongs to a task with the id %q", counts.Events, wanted)
	}
	return fmt.Errorf("none of the %d events belongs to a task", counts.Events)
}

// earliest keeps the trees with the earliest starts, up to a limit.
type earliest struct {
	limit, seen int
	trees       []*tree.Tree
}

func newEarliest(limit int) *earliest {
	if limit == 0 {
		limit = math.MaxInt
	}
	return &earliest{limit: limit}
}

// add copies the tree if it is kept.
func (e *earliest) add(tree *tree.Tree) {
	e.seen++
	at, _ := slices.BinarySearchFunc(e.trees, tree, byStart)
	if at >= e.limit {
		return
	}
	if len(e.trees) == e.limit {
		e.trees = e.trees[:e.limit-1]
	}
	e.trees = slices.Insert(e.trees, at, tree.Clone())
}

// byStart sorts trees by start, and by ID for a stable order.
func byStart(a, b *tree.Tree) int {
	return cmp.Or(
		cmp.Compare(a.Spans[0].Start, b.Spans[0].Start),
		bytes.Compare(a.Trace[:], b.Trace[:]),
		bytes.Compare(a.Spans[0].ID[:], b.Spans[0].ID[:]),
	)
}

// refusalList lists the first refused items.
type refusalList struct {
	out   io.Writer
	named int
}

func (l *refusalList) add(where, field, reason, remedy string) {
	if l.named == shownRefusals {
		return
	}
	l.named++
	refusal := send.Refusal{Where: where, Field: field, Reason: reason, Remedy: remedy}
	fmt.Fprintf(l.out, "refused %s\n", printable.Line(refusal.String())) //nolint:errcheck // no other output
}

func (l *refusalList) close(refused int) {
	if refused > l.named {
		fmt.Fprintf(l.out, "… and %d more refused\n", refused-l.named) //nolint:errcheck // no other output
	}
}
