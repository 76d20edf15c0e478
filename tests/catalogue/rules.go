// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package catalogue

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"sync"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// templateLabel matches labels in the templates of annotations.
var templateLabel = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\$labels\.([a-zA-Z_][a-zA-Z0-9_]*)`)
})

// Rules reads rule files, adds recorded metrics to the catalogue, and returns the groups in the order of the files. The
// error names every unknown metric and label in a rule or an annotation.
func (c *Catalogue) Rules(pattern string) ([]rulefmt.RuleGroup, error) {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no rule file matches %s", pattern)
	}
	var groups []rulefmt.RuleGroup
	for _, path := range paths {
		file, errs := rulefmt.ParseFile(path, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.Default())
		if len(errs) > 0 {
			return nil, errors.Join(errs...)
		}
		groups = append(groups, file.Groups...)
	}
	var problems []error
	for _, rule := range recordings(groups) {
		if err := c.record(rule); err != nil {
			problems = append(problems, fmt.Errorf("rule %s %w", rule.Record, err))
		}
	}
	for _, group := range groups {
		for _, rule := range group.Rules {
			if rule.Alert == "" {
				continue
			}
			if err := c.alert(rule); err != nil {
				problems = append(problems, fmt.Errorf("alert %s %w", rule.Alert, err))
			}
		}
	}
	return groups, errors.Join(problems...)
}

// recordings returns the recording rules in order.
func recordings(groups []rulefmt.RuleGroup) []rulefmt.Rule {
	var rules []rulefmt.Rule
	for _, group := range groups {
		for _, rule := range group.Rules {
			if rule.Record != "" {
				rules = append(rules, rule)
			}
		}
	}
	return rules
}

// record adds the metric of a recording rule. Several rules may record one name with different labels.
func (c *Catalogue) record(rule rulefmt.Rule) error {
	result, err := c.Check(rule.Expr)
	if err != nil {
		return err
	}
	result = union(result, slices.Sorted(maps.Keys(rule.Labels)))
	if m, found := c.families[rule.Record]; found {
		delete(c.families, rule.Record)
		result = union(m.Labels, result)
	}
	if err := c.Add(Metric{Name: rule.Record, Kind: Gauge, Labels: result}); err != nil {
		return err
	}
	c.series[rule.Record] = result // without a target's labels
	return nil
}

func (c *Catalogue) alert(rule rulefmt.Rule) error {
	result, err := c.Check(rule.Expr)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(rule.Annotations)) {
		for _, used := range templateLabel().FindAllStringSubmatch(rule.Annotations[name], -1) {
			if !slices.Contains(result, used[1]) && rule.Labels[used[1]] == "" {
				err = errors.Join(err, fmt.Errorf("annotation %s: the alert has no label %s", name, used[1]))
			}
		}
	}
	return err
}
