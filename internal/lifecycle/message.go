// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/printable"
)

// maxDetail is the length in bytes to which an error's message is cut.
const maxDetail = 256

// Message returns a one-line description of an event: its subject, what happened and, after a colon, the detail, which is
// cut to 256 bytes. Every argument except the canonical event name may be empty. Examples:
//
//	task process_order (42) completed
//	step process_payment of task 42 failed: Payment gateway timeout
//	workflow.task_started of task 42
func Message(event, taskID, taskName, stepName, detail string) string {
	var room [192]byte // large enough for most messages; append grows it
	line := room[:0]
	group, verb, _ := strings.Cut(event, ".")
	switch {
	case group == "task" && verb != "" && (taskName != "" || taskID != ""):
		line = append(line, "task "...)
		if taskName == "" {
			line = append(line, taskID...)
		} else {
			line = append(line, taskName...)
			line = appendAround(line, " (", taskID, ")")
		}
		line = appendWords(line, verb)
	case group == "step" && verb != "" && stepName != "":
		line = append(line, "step "...)
		line = append(line, stepName...)
		line = appendAround(line, " of task ", taskID, "")
		line = appendWords(line, verb)
	default:
		line = append(line, event...)
		line = appendAround(line, " ", stepName, "")
		line = appendAround(line, " of task ", taskID, "")
	}
	return string(appendAround(line, ": ", printable.Cut(detail, maxDetail), ""))
}

// appendAround appends nothing when the text is empty.
func appendAround(line []byte, before, text, after string) []byte {
	if text == "" {
		return line
	}
	line = append(line, before...)
	line = append(line, text...)
	return append(line, after...)
}

// appendWords appends execution_requested as " execution requested".
func appendWords(line []byte, name string) []byte {
	line = append(line, ' ')
	for {
		word, rest, more := strings.Cut(name, "_")
		line = append(line, word...)
		if !more {
			return line
		}
		line = append(line, ' ')
		name = rest
	}
}
