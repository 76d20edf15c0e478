// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/endpoint"
)

// dnsPrefix precedes the URL of a name with several instances.
const dnsPrefix = "dns+"

// Target is an endpoint.
type Target struct {
	// URL is the URL to request; its host is used for the Host header and checked against the certificate.
	URL string
	// Address is the host:port to connect to; empty means the URL's host.
	Address string
}

// String returns the target for messages.
func (t Target) String() string {
	if t.Address == "" {
		return endpoint.Public(t.URL)
	}
	return endpoint.Public(t.URL) + " at " + t.Address
}

// Resolver looks up the addresses of a name. [net.Resolver] implements it.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

var _ Resolver = (*net.Resolver)(nil)

// One parses the specification of one endpoint: a URL (http://host:8889/metrics), or host:port.
func One(spec string) (Target, error) {
	address, err := parse(spec)
	if err != nil {
		return Target{}, fmt.Errorf("target %q: %w", endpoint.Public(spec), err)
	}
	return Target{URL: address.String()}, nil
}

// Targets parses target specifications: those of [One], or dns+URL for an endpoint at each address of the name. Duplicates
// are one target, because their values would be counted twice. Unresolved names are returned as targets that cannot be
// read. The error joins all malformed specifications.
func Targets(ctx context.Context, resolver Resolver, specs []string) (targets []Target, unresolved []*LookupError, err error) {
	addresses := make([]*url.URL, len(specs))
	var errs []error
	for i, spec := range specs {
		var err error
		if addresses[i], err = parse(strings.TrimPrefix(spec, dnsPrefix)); err != nil {
			errs = append(errs, fmt.Errorf("target %q: %w", endpoint.Public(spec), err))
		}
	}
	if len(errs) > 0 {
		return nil, nil, errors.Join(errs...)
	}
	seen := map[string]bool{}
	for i, spec := range specs {
		found := []Target{{URL: addresses[i].String()}}
		if strings.HasPrefix(spec, dnsPrefix) {
			var err error
			if found, err = resolve(ctx, resolver, addresses[i]); err != nil {
				unresolved = append(unresolved, &LookupError{Spec: endpoint.Public(spec), Err: err})
			}
		}
		for _, target := range found {
			if key := target.key(); !seen[key] {
				seen[key] = true
				targets = append(targets, target)
			}
		}
	}
	return targets, unresolved, nil
}

// key returns the same value for specifications that obviously lead to the same endpoint.
func (t Target) key() string {
	address, err := url.Parse(t.URL)
	if err != nil {
		return t.URL
	}
	if t.Address != "" {
		address.Host = t.Address
	}
	return address.String()
}

// resolve returns a target for each address of the URL's name.
func resolve(ctx context.Context, resolver Resolver, address *url.URL) ([]Target, error) {
	addresses, err := resolver.LookupNetIP(ctx, "ip", address.Hostname())
	if err != nil {
		return nil, err
	}
	if len(addresses) == 0 {
		return nil, fmt.Errorf("%s has no address", address.Hostname())
	}
	var targets []Target
	for _, a := range oneFamily(addresses) {
		targets = append(targets, Target{URL: address.String(), Address: net.JoinHostPort(a.Unmap().String(), portOf(address))})
	}
	slices.SortFunc(targets, func(a, b Target) int { return strings.Compare(a.Address, b.Address) })
	return targets, nil
}

// oneFamily returns either the IPv4 or the IPv6 addresses, whichever are more. If a name has both, each instance probably
// has one of each and would be counted twice.
func oneFamily(addresses []netip.Addr) []netip.Addr {
	var four, six []netip.Addr
	for _, a := range addresses {
		if a.Unmap().Is4() {
			four = append(four, a)
		} else {
			six = append(six, a)
		}
	}
	if len(six) > len(four) {
		return six
	}
	return four
}

// LookupError is a failed name resolution.
type LookupError struct {
	Spec string
	Err  error
}

// Error implements error.
func (e *LookupError) Error() string { return fmt.Sprintf("target %q: %v", e.Spec, e.Err) }

// parse adds a missing scheme and path.
func parse(text string) (*url.URL, error) {
	if text != "" && !strings.Contains(text, "://") {
		text = "http://" + text
	}
	address, err := endpoint.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("not a URL: %w", err)
	}
	if !endpoint.IsHTTP(address) || address.Hostname() == "" {
		return nil, fmt.Errorf("not an HTTP address: use one such as http://localhost:8889/metrics")
	}
	if address.Path == "" || address.Path == "/" {
		address.Path = "/metrics"
	}
	return address, nil
}

func portOf(address *url.URL) string {
	if port := address.Port(); port != "" {
		return port
	}
	if address.Scheme == "https" {
		return "443"
	}
	return "80"
}

// ReadFile reads target specifications from a file: one per line, with comments after #, or the JSON or YAML list of
// Prometheus' file_sd_configs.
func ReadFile(name string) ([]string, error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read the file of targets: %w", err)
	}
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")) // written by Windows editors
	var groups []struct {
		Targets []string `yaml:"targets"`
	}
	var specs []string
	if yaml.Unmarshal(content, &groups) == nil {
		for _, group := range groups {
			specs = append(specs, group.Targets...)
		}
	} else {
		for line := range strings.Lines(string(content)) {
			line, _, _ = strings.Cut(line, "#")
			if line = strings.TrimSpace(line); line != "" {
				specs = append(specs, line)
			}
		}
	}
	if len(specs) == 0 {
		return nil, fmt.Errorf("%s contains no target: write one per line, such as http://collector-1:8889/metrics", name)
	}
	return specs, nil
}
