// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package livedata

import "time"

// TaskSummary is a task as the API of the live pages lists it.
type TaskSummary struct {
	Key           string    `json:"key"`
	Run           int       `json:"run"`
	ID            string    `json:"task_id"`
	Name          string    `json:"task_name"`
	Service       string    `json:"service,omitempty"`
	CorrelationID string    `json:"correlation_id,omitempty"`
	State         string    `json:"state"`
	Open          bool      `json:"open"`
	Started       time.Time `json:"started"`
	Seconds       float64   `json:"seconds"`
	Step          string    `json:"step,omitempty"`
	Steps         int       `json:"steps"`
	Done          int       `json:"steps_done"`
	Failed        int       `json:"steps_failed"`
	Running       int       `json:"steps_running"`
	Retry         time.Time `json:"backoff_until,omitzero"`
	FailedStep    string    `json:"failed_step,omitempty"`
	ErrorType     string    `json:"error_type,omitempty"`
	Error         string    `json:"error,omitempty"`
}
