// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package catalogue

// external returns the metrics of other programs that the rules use. They are not verified but documented names of
// Prometheus, of kube-state-metrics 2, of the kubelet, and of node_exporter. The last one is of taskerotel export
// (docs/exporting.md), or of deploy/cron/export-stamp in its place.
func external() []Metric {
	gauge := func(name string, labels ...string) Metric { return Metric{Name: name, Kind: Gauge, Labels: labels} }
	return []Metric{
		gauge("up"),
		gauge("scrape_duration_seconds"),
		gauge("kube_cronjob_created", "cronjob"),
		gauge("kube_cronjob_spec_suspend", "cronjob"),
		gauge("kube_cronjob_status_last_successful_time", "cronjob"),
		gauge("kube_job_failed", "job_name", "condition"),
		gauge("kube_job_status_start_time", "job_name"),
		gauge("kubelet_volume_stats_available_bytes", "persistentvolumeclaim"),
		gauge("kubelet_volume_stats_capacity_bytes", "persistentvolumeclaim"),
		gauge("node_systemd_unit_state", "name", "state", "type"),
		gauge("node_filesystem_avail_bytes", "device", "fstype", "mountpoint"),
		gauge("node_filesystem_size_bytes", "device", "fstype", "mountpoint"),
		gauge("tasker_export_timestamp_seconds"),
	}
}
