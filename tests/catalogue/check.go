// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package catalogue

import (
	"errors"
	"fmt"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

// Check parses an expression. It returns the possible labels of its result, and an error that names every unknown metric
// and label.
func (c *Catalogue) Check(expression string) (result []string, err error) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
	if err != nil {
		return nil, fmt.Errorf("parse %q: %w", expression, err)
	}
	check := checker{catalogue: c}
	result = check.labels(expr)
	if err := errors.Join(check.problems...); err != nil {
		return nil, fmt.Errorf("in %q:\n%w", expression, err)
	}
	return result, nil
}

// checker walks an expression and collects errors.
type checker struct {
	catalogue *Catalogue
	problems  []error
}

func (k *checker) problem(format string, args ...any) {
	k.problems = append(k.problems, fmt.Errorf(format, args...))
}

// labels returns the possible labels of an expression's value.
func (k *checker) labels(expr parser.Expr) []string {
	switch e := expr.(type) {
	case *parser.VectorSelector:
		return k.selector(e)
	case *parser.MatrixSelector:
		return k.labels(e.VectorSelector)
	case *parser.SubqueryExpr:
		return k.labels(e.Expr)
	case *parser.ParenExpr:
		return k.labels(e.Expr)
	case *parser.UnaryExpr:
		return k.labels(e.Expr)
	case *parser.StepInvariantExpr:
		return k.labels(e.Expr)
	case *parser.AggregateExpr:
		return k.aggregate(e)
	case *parser.BinaryExpr:
		return k.binary(e)
	case *parser.Call:
		return k.call(e)
	}
	return nil // numbers and strings
}

func (k *checker) selector(e *parser.VectorSelector) []string {
	known, found := k.catalogue.Labels(e.Name)
	if !found {
		k.problem("unknown metric %s%s", e.Name, k.catalogue.hint(e.Name))
		return nil
	}
	for _, matcher := range e.LabelMatchers {
		if matcher.Name != model.MetricNameLabel {
			k.require(known, matcher.Name, e.Name)
		}
	}
	return known
}

func (k *checker) require(known []string, label, of string) {
	if !slices.Contains(known, label) {
		k.problem("%s has no label %s", of, label)
	}
}

func (k *checker) aggregate(e *parser.AggregateExpr) []string {
	inner := k.labels(e.Expr)
	for _, label := range e.Grouping {
		k.require(inner, label, e.Expr.String())
	}
	if e.Op == parser.TOPK || e.Op == parser.BOTTOMK {
		return inner
	}
	if e.Without {
		return slices.DeleteFunc(slices.Clone(inner), func(l string) bool { return slices.Contains(e.Grouping, l) })
	}
	return e.Grouping
}

func (k *checker) binary(e *parser.BinaryExpr) []string {
	left, right := k.labels(e.LHS), k.labels(e.RHS)
	matching := e.VectorMatching
	switch {
	case matching == nil && left == nil:
		return right
	case matching == nil:
		return left
	}
	if matching.On {
		for _, label := range matching.MatchingLabels {
			k.require(left, label, e.LHS.String())
			k.require(right, label, e.RHS.String())
		}
	}
	switch {
	case e.Op == parser.LOR:
		return union(left, right)
	case e.Op.IsSetOperator(), matching.Card == parser.CardManyToOne:
		return union(left, matching.Include)
	case matching.Card == parser.CardOneToMany:
		return union(right, matching.Include)
	case matching.On:
		return matching.MatchingLabels
	}
	return left
}

func (k *checker) call(e *parser.Call) []string {
	var all []string
	for _, argument := range e.Args {
		all = union(all, k.labels(argument))
	}
	switch e.Func.Name {
	case "label_replace", "label_join":
		if target, isText := e.Args[1].(*parser.StringLiteral); isText {
			all = union(all, []string{target.Val})
		}
	case "histogram_quantile":
		all = slices.DeleteFunc(all, func(l string) bool { return l == "le" })
	case "absent", "absent_over_time":
		// The result has the labels of the selector's equality matchers, which are included.
	}
	return all
}

func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, label := range b {
		if !slices.Contains(out, label) {
			out = append(out, label)
		}
	}
	return out
}
