package dashboards

// ofInstance matches the collectors chosen at the top of the page.
const ofInstance = `instance=~"$instance"`

// collector answers: does it take everything, where does data wait, what was lost.
func (b *builder) collector() Dashboard {
	const (
		hierarchy = "otelcol_processor_span_hierarchy_"
		router    = "otelcol_processor_event_router_"
		connector = "otelcol_connector_span_to_metrics_"
		table     = "otelcol_exporter_tasker_csv_"
	)
	// A counter of this kind appears with what it counts first, so several are one panel only where all may be missing.
	several := func(title, description string, width int, unit string, queries ...Query) Panel {
		return Panel{Title: title, Description: description, Kind: Graph, Unit: unit, Width: width, Queries: queries}
	}
	return Dashboard{
		UID: collectorUID, Title: "Tasker: the collector",
		Description: "The collector itself: what it takes and refuses, what it holds, what it sends, and what was lost.",
		Variables: []Variable{{
			Name: "instance", Label: "Collector", Metric: "otelcol_process_uptime", LabelName: "instance", All: true,
		}},
		Rows: []Row{
			{Title: "Now", Panels: []Panel{
				stat("Answering", "Collectors that answered Prometheus.", "short", `sum(up{job="otelcol-tasker", `+ofInstance+`})`),
				stat("Shortest uptime", "A small number after a restart.", "s", "min(otelcol_process_uptime{"+ofInstance+"})"),
				stat("Open tasks", b.describe(hierarchy+"open_tasks", ""), "short", now(hierarchy+"open_tasks", ofInstance)),
				stat("Waiting spans", b.describe(hierarchy+"pending_spans", ""), "short", now(hierarchy+"pending_spans", ofInstance)),
				stat("Series", b.describe(connector+"series", ""), "short", now(connector+"series", ofInstance)),
				stat("Fullest queue", "Of an exporter, of its capacity.", "percentunit",
					"max(otelcol_exporter_queue_size{"+ofInstance+"} / otelcol_exporter_queue_capacity{"+ofInstance+"})"),
			}},
			{Title: "What comes in", Panels: []Panel{
				several("Accepted", "Log records and spans that the pipelines took, a second.", third, "cps",
					Query{Expr: perSecond("otelcol_receiver_accepted_log_records", ofInstance, "receiver"), Legend: "{{receiver}} records"},
					Query{Expr: perSecond("otelcol_receiver_accepted_spans", ofInstance, "receiver"), Legend: "{{receiver}} spans"}),
				several("Refused, to be sent again", "Senders that repeat lose nothing.", third, "cps",
					Query{Expr: perSecond("otelcol_receiver_refused_log_records", ofInstance, "receiver"), Legend: "{{receiver}} records"},
					Query{Expr: perSecond("otelcol_receiver_refused_spans", ofInstance, "receiver"), Legend: "{{receiver}} spans"},
					Query{Expr: perSecond("otelcol_processor_memory_limiter_refused_log_records", ofInstance), Legend: "memory_limiter records"},
					Query{Expr: perSecond("otelcol_processor_memory_limiter_refused_spans", ofInstance), Legend: "memory_limiter spans"},
					Query{Expr: perSecond(hierarchy+"refused", ofInstance), Legend: "span_hierarchy"},
					Query{Expr: perSecond(router+"refused", ofInstance), Legend: "event_router"}),
				several("Refused for good", "Items and requests that nobody could read.", third, "cps",
					Query{Expr: perSecond("otelcol_receiver_tasker_events_refused_items", ofInstance, "reason"), Legend: "{{reason}}"},
					Query{Expr: perSecond("otelcol_receiver_tasker_events_refused_requests", ofInstance, "http_response_status_code"), Legend: "{{http_response_status_code}}"}),
				b.rate("Routed", router+"routed", ofInstance, third, "signal"),
				b.rate("Dropped by the router", router+"dropped", ofInstance, third, "reason"),
				b.rate("Shed by the router", router+"shed", ofInstance, third, "event", "priority"),
				several("At work", "What the components behind are working on.", third, "short",
					Query{Expr: now(router+"in_flight_events", ofInstance), Legend: "events behind event_router"}),
				several("Mended times", "Events whose time was absent, impossible or the receiver's, a second.", third, "cps",
					Query{Expr: perSecond("otelcol_receiver_tasker_events_clock_fallbacks", ofInstance, "clock"), Legend: "{{clock}} clock"},
					Query{Expr: perSecond("otelcol_receiver_tasker_events_impossible_times", ofInstance), Legend: "impossible"},
					Query{Expr: perSecond(router+"impossible_times", ofInstance), Legend: "impossible, at the router"}),
				several("Changed payloads", "Values that the router masked, left out or cut, a second.", third, "cps",
					Query{Expr: perSecond(router+"redacted_values", ofInstance), Legend: "masked"},
					Query{Expr: perSecond(router+"removed_values", ofInstance), Legend: "left out"},
					Query{Expr: perSecond(router+"truncated_values", ofInstance), Legend: "cut"}),
			}},
			{Title: "Trees", Panels: []Panel{
				b.gauge("Open tasks", hierarchy+"open_tasks", ofInstance, third, "instance"),
				b.gauge("Held bytes", hierarchy+"held_bytes", ofInstance, third, "instance"),
				b.gauge("Waiting spans", hierarchy+"pending_spans", ofInstance, third, "instance"),
				b.rate("Trees", hierarchy+"trees", ofInstance, third, "reason"),
				b.rate("Events dropped", hierarchy+"events_dropped", ofInstance, third, "reason"),
				several("Spans", "Sent on, cut off and lost, a second.", third, "cps",
					Query{Expr: perSecond(hierarchy+"spans", ofInstance), Legend: "sent on"},
					Query{Expr: perSecond(hierarchy+"spans_cut", ofInstance), Legend: "cut"},
					Query{Expr: perSecond(hierarchy+"spans_lost", ofInstance), Legend: "lost"},
					Query{Expr: perSecond(hierarchy+"send_retries", ofInstance), Legend: "retries"},
					Query{Expr: perSecond(hierarchy+"trees_incomplete", ofInstance), Legend: "trees without an end"}),
			}},
			{Title: "Metrics", Panels: []Panel{
				b.gauge("Series", connector+"series", ofInstance, third, "instance"),
				b.rate("Overflowed values", connector+"overflowed", ofInstance, third, "metric"),
				b.rate("Not measured", connector+"skipped", ofInstance, third, "reason"),
				several("Measured", "Finished spans and events, a second.", third, "cps",
					Query{Expr: perSecond(connector+"recorded_spans", ofInstance), Legend: "spans"},
					Query{Expr: perSecond(connector+"recorded_events", ofInstance), Legend: "events"}),
				several("Ids in the active sets", "Tasks and steps that are remembered, and those that left without an end.", third, "short",
					Query{Expr: now(connector+"active_ids", ofInstance), Legend: "remembered"},
					Query{Expr: inRange(connector+"active_evictions", ofInstance, "reason"), Legend: "{{reason}}"}),
				several("CSV table", "Snapshots written and failed, and points that are in none, a second.", third, "cps",
					Query{Expr: perSecond(table+"snapshots", ofInstance), Legend: "written"},
					Query{Expr: perSecond(table+"failed_snapshots", ofInstance), Legend: "failed"},
					Query{Expr: perSecond(table+"dropped_points", ofInstance, "reason"), Legend: "points left out: {{reason}}"},
					Query{Expr: perSecond(connector+"refused_flushes", ofInstance), Legend: "refused flushes"}),
			}},
			{Title: "State on disk", Panels: []Panel{
				several("Size", "Of the stored state.", third, "bytes",
					Query{Expr: now(hierarchy+"storage_bytes", ofInstance), Legend: "span_hierarchy"},
					Query{Expr: now(router+"storage_bytes", ofInstance), Legend: "event_router"},
					Query{Expr: now(connector+"storage_bytes", ofInstance), Legend: "span_to_metrics"}),
				several("Not written yet", "State that no write has taken yet. It is of requests that are not acknowledged yet.", third, "short",
					Query{Expr: now(hierarchy+"storage_waiting", ofInstance), Legend: "span_hierarchy"},
					Query{Expr: now(router+"storage_waiting", ofInstance), Legend: "event_router"},
					Query{Expr: now(connector+"storage_waiting", ofInstance), Legend: "span_to_metrics"}),
				several("Failed writes", "A second. Senders are told to come back.", third, "cps",
					Query{Expr: perSecond(hierarchy+"storage_failures", ofInstance), Legend: "span_hierarchy"},
					Query{Expr: perSecond(router+"storage_failures", ofInstance), Legend: "event_router"},
					Query{Expr: perSecond(connector+"storage_failures", ofInstance), Legend: "span_to_metrics"}),
			}},
			{Title: "What goes out", Panels: []Panel{
				several("Sent", "Items that destinations took, a second.", third, "cps",
					Query{Expr: perSecond("otelcol_exporter_sent_spans", ofInstance, "exporter"), Legend: "{{exporter}} spans"},
					Query{Expr: perSecond("otelcol_exporter_sent_log_records", ofInstance, "exporter"), Legend: "{{exporter}} records"},
					Query{Expr: perSecond("otelcol_exporter_sent_metric_points", ofInstance, "exporter"), Legend: "{{exporter}} points"}),
				several("Queues", "Of their capacity.", third, "percentunit",
					Query{
						Expr:   "max by (exporter, data_type) (otelcol_exporter_queue_size{" + ofInstance + "} / otelcol_exporter_queue_capacity{" + ofInstance + "})",
						Legend: "{{exporter}} {{data_type}}",
					}),
				several("Lost", "Given up after all retries, or not taken by a full queue, a second.", third, "cps",
					Query{Expr: perSecond("otelcol_exporter_send_failed_spans", ofInstance, "exporter"), Legend: "{{exporter}} spans, sent"},
					Query{Expr: perSecond("otelcol_exporter_send_failed_log_records", ofInstance, "exporter"), Legend: "{{exporter}} records, sent"},
					Query{Expr: perSecond("otelcol_exporter_send_failed_metric_points", ofInstance, "exporter"), Legend: "{{exporter}} points, sent"},
					Query{Expr: perSecond("otelcol_exporter_enqueue_failed_spans", ofInstance, "exporter"), Legend: "{{exporter}} spans, queued"},
					Query{Expr: perSecond("otelcol_exporter_enqueue_failed_log_records", ofInstance, "exporter"), Legend: "{{exporter}} records, queued"}),
			}},
			{Title: "Process", Panels: []Panel{
				b.gauge("Memory", "otelcol_process_memory_rss", ofInstance, third, "instance"),
				b.gauge("Heap", "otelcol_process_runtime_heap_alloc_bytes", ofInstance, third, "instance"),
				several("CPU", "Cores in use.", third, "short",
					Query{Expr: perSecond("otelcol_process_cpu_seconds", ofInstance, "instance"), Legend: "{{instance}}"}),
			}},
		},
	}
}
