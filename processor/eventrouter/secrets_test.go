// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/connector/routedevents"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	routes "github.com/tasker-otel/otelcol-tasker/internal/routing"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy"
)

// pipelines are those of the default configuration, from the router to the exporters' input.
type pipelines struct {
	router  consumer.Logs
	parts   []component.Component // in the order of their shutdown
	traces  consumertest.TracesSink
	records consumertest.LogsSink
	metrics consumertest.MetricsSink
}

// logsFanOut passes logs on to several consumers that do not change them.
func logsFanOut(next ...consumer.Logs) consumer.Logs {
	fan, err := consumer.NewLogs(func(ctx context.Context, logs plog.Logs) error {
		for _, n := range next {
			if err := n.ConsumeLogs(ctx, logs); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	return fan
}

func newPipelines(t require.TestingT, configure func(*eventrouter.Config)) *pipelines {
	ctx, host := context.Background(), componenttest.NewNopHost()
	p := &pipelines{}
	measuring := spantometrics.NewFactory()
	measure := connectortest.NewNopSettings(measuring.Type())
	measureConfig := measuring.CreateDefaultConfig()
	spansToMetrics, err := measuring.CreateTracesToMetrics(ctx, measure, measureConfig, &p.metrics)
	require.NoError(t, err)
	eventsToMetrics, err := measuring.CreateLogsToMetrics(ctx, measure, measureConfig, &p.metrics)
	require.NoError(t, err)

	finished, err := consumer.NewTraces(func(ctx context.Context, td ptrace.Traces) error {
		if err := p.traces.ConsumeTraces(ctx, td); err != nil {
			return err
		}
		return spansToMetrics.ConsumeTraces(ctx, td)
	})
	require.NoError(t, err)
	trees := spanhierarchy.NewFactory()
	hierarchy, err := trees.CreateTraces(ctx, processortest.NewNopSettings(trees.Type()), trees.CreateDefaultConfig(), finished)
	require.NoError(t, err)

	converting := routedevents.NewFactory()
	convert := connectortest.NewNopSettings(converting.Type())
	toTraces, err := converting.CreateLogsToTraces(ctx, convert, converting.CreateDefaultConfig(), hierarchy)
	require.NoError(t, err)
	toRecords, err := converting.CreateLogsToLogs(ctx, convert, converting.CreateDefaultConfig(), &p.records)
	require.NoError(t, err)

	routing := eventrouter.NewFactory()
	cfg := routing.CreateDefaultConfig().(*eventrouter.Config)
	configure(cfg)
	require.NoError(t, cfg.Validate())
	router, err := routing.CreateLogs(ctx, processortest.NewNopSettings(routing.Type()), cfg, logsFanOut(toTraces, toRecords, eventsToMetrics))
	require.NoError(t, err)

	p.router = router
	p.parts = []component.Component{router, toTraces, toRecords, hierarchy, spansToMetrics, eventsToMetrics}
	for i := len(p.parts) - 1; i >= 0; i-- {
		require.NoError(t, p.parts[i].Start(ctx, host))
	}
	return p
}

// output stops everything, so that nothing is held back, and returns all output as text.
func (p *pipelines) output(t require.TestingT) string {
	for _, part := range p.parts {
		require.NoError(t, part.Shutdown(context.Background()))
	}
	var all strings.Builder
	write := func(text []byte, err error) {
		require.NoError(t, err)
		all.Write(text)
	}
	for _, td := range p.traces.AllTraces() {
		write((&ptrace.JSONMarshaler{}).MarshalTraces(td))
	}
	for _, ld := range p.records.AllLogs() {
		write((&plog.JSONMarshaler{}).MarshalLogs(ld))
	}
	for _, md := range p.metrics.AllMetrics() {
		write((&pmetric.JSONMarshaler{}).MarshalMetrics(md))
	}
	return all.String()
}

// routeToAll routes every event to all signals.
func routeToAll(cfg *eventrouter.Config) {
	cfg.DefaultSignals = []string{"traces", "metrics", "logs"}
	all := 1.0
	for _, name := range lifecycle.Names() {
		cfg.Routes = append(cfg.Routes, routes.Route{Event: name, Signals: cfg.DefaultSignals, SamplingRate: &all})
	}
}

// planter draws payloads and records what must not be exported.
type planter struct {
	t       *rapid.T
	secrets []string
}

// marker returns a unique text.
func (p *planter) marker() string { return fmt.Sprintf("hush%dhush", len(p.secrets)) }

func (p *planter) plant(format string) string {
	secret := p.marker()
	p.secrets = append(p.secrets, secret)
	return fmt.Sprintf(format, secret)
}

// text may contain a token, an address or a card number.
func (p *planter) text() string {
	filler := rapid.StringMatching(`[a-z .,:;'"/-]{0,12}`).Draw(p.t, "text")
	switch rapid.IntRange(0, 5).Draw(p.t, "kind") {
	case 0:
		return filler + " " + p.plant("Bearer %s.x") + " " + filler
	case 1:
		return filler + " " + p.plant("%s@shop.example") + " " + filler
	case 2:
		p.secrets = append(p.secrets, "4111111111111111")
		return filler + " 4111111111111111 " + filler
	}
	return filler
}

// secretKeys match the key filter of the test.
var secretKeys = []string{"password", "api_token", "USER_EMAIL", "customer_iban"}

func (p *planter) object(depth int, keys ...string) map[string]any {
	object := map[string]any{}
	for range rapid.IntRange(0, 5).Draw(p.t, "members") {
		key := rapid.SampledFrom(append(keys, secretKeys...)).Draw(p.t, "key")
		if p.isSecret(key) {
			object[key] = p.hidden(depth)
		} else {
			object[key] = p.value(depth)
		}
	}
	if rapid.IntRange(0, 9).Draw(p.t, "secret key") == 0 {
		object[p.plant("%s@shop.example")] = 1
	}
	return object
}

func (*planter) isSecret(key string) bool {
	for _, secret := range secretKeys {
		if secret == key {
			return true
		}
	}
	return false
}

// hidden returns a value under a secret key: no part of it may be exported.
func (p *planter) hidden(depth int) any {
	if depth > 0 && rapid.Bool().Draw(p.t, "nested") {
		return map[string]any{"a": []any{p.hidden(depth - 1)}}
	}
	return p.plant("%s")
}

func (p *planter) value(depth int) any {
	kinds := 5
	if depth == 0 {
		kinds = 3
	}
	switch rapid.IntRange(0, kinds).Draw(p.t, "value") {
	case 0:
		return rapid.IntRange(-1000, 1000).Draw(p.t, "number")
	case 1:
		p.secrets = append(p.secrets, "4111111111111111")
		return 4111111111111111
	case 4:
		return []any{p.value(depth - 1), p.value(depth - 1)}
	case 5:
		return p.object(depth-1, "a", "b", "message")
	}
	return p.text()
}

// Whatever a payload contains, no configured secret is exported in traces, records or metrics.
func TestNoSecretLeaves(t *testing.T) {
	payloadKeys := []string{
		"task_name", "step_name", "error_message", "error_class", "backtrace", "sql", "name", "reason", "queue_name", "operation", "to_state",
		"event_type", "processing_mode", "task_context", "step_results", "note", "correlation_id", "final_status", "step_dependencies", "duration",
	}
	rapid.Check(t, func(t *rapid.T) {
		p := &planter{t: t}
		lines := newPipelines(t, func(cfg *eventrouter.Config) {
			routeToAll(cfg)
			cfg.Redaction.Keys = append(cfg.Redaction.Keys, "IBAN")
			cfg.Redaction.Patterns = []string{"bearer_tokens", "card_numbers", "email_addresses"}
			cfg.Payload.Include = lifecycle.BulkyPayloadKeys()
			cfg.MaxValueBytes = rapid.SampledFrom([]int{64, 4096}).Draw(t, "max_value_bytes")
		})
		for i := range rapid.IntRange(1, 6).Draw(t, "events") {
			payload := p.object(3, payloadKeys...)
			payload["task_id"], payload["step_id"] = rapid.IntRange(1, 2).Draw(t, "task"), 5
			item, err := json.Marshal(map[string]any{
				"event":       rapid.SampledFrom(append(lifecycle.Names(), "order.placed", p.plant("order.%s@shop.example"))).Draw(t, "name"),
				"occurred_at": fmt.Sprintf("2026-06-01T12:00:%02d.5Z", i), "payload": payload, "service": "shop",
				"correlation_id": p.text(), "id": fmt.Sprint(i),
			})
			require.NoError(t, err)
			logs, report := wire.NewDecoder(wire.Settings{}).Decode(item, wire.FormatAuto)
			require.Equal(t, 1, report.Accepted, report.Refusals)
			resource := logs.ResourceLogs().At(0)
			resource.Resource().Attributes().PutStr("deployment.note", p.text())
			resource.Resource().Attributes().PutStr("api_token", p.plant("%s"))
			resource.SetSchemaUrl(p.plant("https://schemas.example/?by=%s@shop.example"))
			scope := resource.ScopeLogs().At(0)
			scope.Scope().Attributes().PutStr("password", p.plant("%s"))
			scope.Scope().SetVersion(p.plant("%s@shop.example"))
			scope.SetSchemaUrl(p.plant("https://schemas.example/?by=%s@shop.example"))
			scope.LogRecords().At(0).SetSeverityText(p.plant("%s@shop.example"))
			require.NoError(t, lines.router.ConsumeLogs(context.Background(), logs))
		}
		output := lines.output(t)
		if len(lines.records.AllLogs()) == 0 || len(lines.metrics.AllMetrics()) == 0 {
			t.Fatalf("%d logs, %d metrics", len(lines.records.AllLogs()), len(lines.metrics.AllMetrics()))
		}
		for _, secret := range p.secrets {
			if at := strings.Index(output, secret); at >= 0 {
				t.Fatalf("%s left: %s", secret, output[max(0, at-200):min(len(output), at+60)])
			}
		}
	})
}

// With payload::only, only listed keys and those that trees and metrics need are exported.
func TestOnlyWhatIsListedLeaves(t *testing.T) {
	lines := newPipelines(t, func(cfg *eventrouter.Config) {
		routeToAll(cfg)
		cfg.Payload.Only = []string{"note"}
	})
	logs, _ := wire.NewDecoder(wire.Settings{}).Decode([]byte(`{"event":"step.failed","service":"shop","payload":{"task_id":1,"task_name":"order",
		"step_id":5,"step_name":"charge","note":"visible","error_message":"hidden","backtrace":["hidden"],"anything":{"note":"hidden"}}}`), wire.FormatAuto)
	require.NoError(t, lines.router.ConsumeLogs(context.Background(), logs))
	output := lines.output(t)
	for _, kept := range []string{"visible", "order", "charge"} {
		require.Contains(t, output, kept)
	}
	if at := strings.Index(output, "hidden"); at >= 0 {
		t.Fatalf("it left: %s", output[max(0, at-300):at])
	}
}
