// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package promset

import (
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/glob"
)

// Policy is how the gauges of several instances are merged.
type Policy string

// The policies.
const (
	PolicySum Policy = "sum"
	PolicyMax Policy = "max"
	PolicyMin Policy = "min"
	PolicyAvg Policy = "avg"
	// PolicyDrop drops the metric.
	PolicyDrop Policy = "drop"
)

// Policies returns all policies.
func Policies() []Policy { return []Policy{PolicySum, PolicyMax, PolicyMin, PolicyAvg, PolicyDrop} }

// Rule assigns a policy to the gauges whose name matches a pattern.
type Rule struct {
	Pattern string
	Policy  Policy
}

// DefaultRules returns the rules for gauges without a configured rule. The sum is right for what each instance counts
// itself: a task is open at one instance.
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

// ParseRule parses a flag's rule, NAME=POLICY.
func ParseRule(flag, text string) (Rule, error) {
	pattern, policy, found := strings.Cut(text, "=")
	rule := Rule{strings.TrimSpace(pattern), Policy(strings.TrimSpace(policy))}
	if !found || rule.Pattern == "" || !slices.Contains(Policies(), rule.Policy) {
		return rule, configerr.New(flag, text, "is not NAME=POLICY with a policy of sum, max, min, avg or drop", "use one such as *_ratio=avg")
	}
	return rule, glob.Check(flag, rule.Pattern)
}

// policyOf returns the policy of the first matching rule.
func policyOf(name string, rules []Rule) Policy {
	for _, rule := range rules {
		if glob.Match(rule.Pattern, name) {
			return rule.Policy
		}
	}
	return PolicySum
}
