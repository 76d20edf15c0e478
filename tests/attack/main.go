// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// isolatedEnv is set in the process that runs in a network namespace.
const isolatedEnv = "TASKER_ATTACK_ISOLATED"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	failed, err := run(ctx, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || failed {
		stop()
		os.Exit(1)
	}
}

// run runs all attacks, or those that match one of the texts.
func run(ctx context.Context, only []string) (failed bool, err error) {
	if os.Getenv(isolatedEnv) == "" {
		if code, done := isolate(ctx); done {
			return code != 0, nil
		}
	} else if err := loopbackUp(); err != nil {
		return false, fmt.Errorf("the network namespace has no loopback: %w", err)
	}
	all, err := find(".", named())
	if err != nil {
		return false, err
	}
	started := time.Now()
	var results []result
	for first := 0; first < len(all) && ctx.Err() == nil; {
		last := first
		for last < len(all) && all[last].pkg == all[first].pkg {
			last++
		}
		some, err := try(ctx, all[first:last], only)
		if err != nil {
			return false, err
		}
		results = append(results, some...)
		first = last
	}
	return report(os.Stdout, results, time.Since(started)), ctx.Err()
}

// result is the result of an attack.
type result struct {
	attack
	// outcome is that of go test: pass, fail, skip, or empty if the test did not end.
	outcome string
	seconds float64
	// output is the output of the test.
	output []string
}

// event is a line of go test -json.
type event struct {
	Action, Test, Output string
	Elapsed              float64
}

// try runs the attacks of one package.
func try(ctx context.Context, some []attack, only []string) ([]result, error) {
	var tests []string
	var results []result
	for _, a := range some {
		if matches(a.test, only) {
			tests = append(tests, a.test)
			results = append(results, result{attack: a})
		}
	}
	if len(tests) == 0 {
		return nil, nil
	}
	fmt.Fprintf(os.Stderr, "%s: %s\n", some[0].pkg, strings.Join(tests, ", "))
	command := exec.CommandContext(ctx, "go", "test", "-json", "-count=1", "-vet=off", "-timeout=9m", "-parallel=6",
		"-run", "^("+strings.Join(tests, "|")+")$", some[0].pkg)
	command.Env = append(os.Environ(), "TASKER_ATTACK=1")
	command.Stderr = os.Stderr
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	rest := collect(out, results)
	err = command.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	for i := range results {
		if results[i].outcome == "" { // it did not compile, or panicked
			results[i].output = append(results[i].output, rest...)
		}
	}
	return results, nil
}

// matches reports whether a test's name contains one of the texts; true without texts.
func matches(test string, only []string) bool {
	for _, text := range only {
		if strings.Contains(test, text) {
			return true
		}
	}
	return len(only) == 0
}

// collect assigns the output of go test to the results, and returns the rest.
func collect(out io.Reader, results []result) (rest []string) {
	byName := map[string]*result{}
	for i := range results {
		byName[results[i].test] = &results[i]
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			rest = append(rest, lines.Text())
			continue
		}
		name, _, isPart := strings.Cut(e.Test, "/")
		of := byName[name]
		switch {
		case e.Action == "output" && of == nil:
			rest = append(rest, strings.TrimRight(e.Output, "\n"))
		case of == nil:
		case e.Action == "output":
			of.output = append(of.output, strings.TrimRight(e.Output, "\n"))
		case !isPart && (e.Action == "pass" || e.Action == "fail" || e.Action == "skip"):
			of.outcome, of.seconds = e.Action, e.Elapsed
		}
	}
	return rest
}

// finding is the prefix of log lines that are included in the table.
const finding = "finding: "

// report writes the table and the output of failed tests. It reports whether any failed.
func report(w io.Writer, results []result, took time.Duration) (failed bool) {
	for _, r := range results {
		if r.broken() {
			failed = true
			fmt.Fprintf(w, "\n==== %s %s\n%s\n", r.pkg, r.test, strings.Join(r.output, "\n")) //nolint:errcheck // no other output
		}
	}
	fmt.Fprintln(w) //nolint:errcheck // as above
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TRIED\tFOUND\tSECONDS\tTEST") //nolint:errcheck // as above
	broken, skipped := 0, 0
	for _, r := range results {
		if r.broken() {
			broken++
		}
		if r.outcome == "skip" {
			skipped++
		}
		fmt.Fprintf(table, "%s\t%s\t%.1f\t%s %s\n", clip(r.tried, 90), clip(r.found(), 100), r.seconds, r.pkg, r.test) //nolint:errcheck // as above
	}
	_ = table.Flush()                                                                                             // as above
	fmt.Fprintf(w, "\n%d tried in %s: %d held, %d broken, %d not tried\n", len(results), took.Round(time.Second), //nolint:errcheck // as above
		len(results)-broken-skipped, broken, skipped)
	return failed
}

func (r *result) broken() bool { return r.outcome != "pass" && r.outcome != "skip" }

// found returns the result as text.
func (r *result) found() string {
	said, last := "", ""
	for _, line := range r.output {
		if _, text, is := strings.Cut(line, finding); is {
			said = text
		}
		if text := strings.TrimSpace(line); text != "" && !strings.HasPrefix(text, "---") && !strings.HasPrefix(text, "===") {
			last = text
		}
	}
	switch {
	case r.outcome == "skip":
		return "not tried: " + last
	case r.outcome == "fail":
		return "BROKEN"
	case r.outcome == "":
		return "BROKEN: it did not come to its end"
	case said != "":
		return "held: " + said
	}
	return "held"
}

func clip(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
