// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package promset

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/glob"
)

// Policy says how the gauges of several instances become one.
type Policy string

// The policies.
const (
	PolicySum Policy = "sum"
	PolicyMax Policy = "max"
	PolicyMin Policy = "min"
	PolicyAvg Policy = "avg"
	// PolicyDrop leaves the metric out.
	PolicyDrop Policy = "drop"
)

// Policies returns all policies.
func Policies() []Policy { return []Policy{PolicySum, PolicyMax, PolicyMin, PolicyAvg, PolicyDrop} }

// Rule gives the gauges whose name matches a pattern (* and ?) a policy.
type Rule struct {
	Pattern string
	Policy  Policy
}

// DefaultRules are those for gauges that no rule of the operator names. A sum is right for what each instance counts of
// its own: a task is open at one instance.
func DefaultRules() []Rule {
	return []Rule{
		{"*_info", PolicyMax},
		{"*_timestamp_seconds", PolicyMax},
		{"*_age_seconds", PolicyMax},
		{"*_created", PolicyMin},
		{"*_ratio", PolicyAvg},
		{"*", PolicySum},
	}
}

// ParseRule reads a rule as NAME=POLICY.
func ParseRule(text string) (Rule, error) {
	pattern, policy, found := strings.Cut(text, "=")
	rule := Rule{strings.TrimSpace(pattern), Policy(strings.TrimSpace(policy))}
	if !found || rule.Pattern == "" || !slices.Contains(Policies(), rule.Policy) {
		return rule, fmt.Errorf(`%q: write NAME=POLICY, the policy one of sum, max, min, avg, drop, such as "*_ratio=avg"`, text)
	}
	if err := glob.Check(rule.Pattern); err != nil {
		return rule, fmt.Errorf("%q: the pattern %w", text, err)
	}
	return rule, nil
}

// policyOf is the policy of the first rule that matches.
func policyOf(name string, rules []Rule) Policy {
	for _, rule := range rules {
		if glob.Match(rule.Pattern, name) {
			return rule.Policy
		}
	}
	return PolicySum
}
