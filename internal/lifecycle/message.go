package lifecycle

import (
	"strings"
	"unicode/utf8"
)

// maxDetail is how much of an error's message a readable line takes, in bytes.
const maxDetail = 256

// Message is the readable line of an event: what it is about, what happened to it and, after a colon, the detail, which
// is cut to 256 bytes. Every argument but the canonical event name may be empty. Examples:
//
//	task process_order (42) completed
//	step process_payment of task 42 failed: Payment gateway timeout
//	workflow.task_started of task 42
func Message(event, taskID, taskName, stepName, detail string) string {
	detail = cut(detail)
	var b strings.Builder
	b.Grow(len(event) + len(taskID) + len(taskName) + len(stepName) + len(detail) + len("step  of task  : "))
	group, verb, _ := strings.Cut(event, ".")
	switch {
	case group == "task" && verb != "" && (taskName != "" || taskID != ""):
		b.WriteString("task ")
		if taskName == "" {
			b.WriteString(taskID)
		} else {
			b.WriteString(taskName)
			writeAround(&b, " (", taskID, ")")
		}
		writeWords(&b, verb)
	case group == "step" && verb != "" && stepName != "":
		b.WriteString("step ")
		b.WriteString(stepName)
		writeAround(&b, " of task ", taskID, "")
		writeWords(&b, verb)
	default:
		b.WriteString(event)
		writeAround(&b, " ", stepName, "")
		writeAround(&b, " of task ", taskID, "")
	}
	writeAround(&b, ": ", detail, "")
	return b.String()
}

// writeAround writes nothing when the text is empty.
func writeAround(b *strings.Builder, before, text, after string) {
	if text == "" {
		return
	}
	b.WriteString(before)
	b.WriteString(text)
	b.WriteString(after)
}

// writeWords writes execution_requested as " execution requested".
func writeWords(b *strings.Builder, name string) {
	b.WriteByte(' ')
	for {
		word, rest, more := strings.Cut(name, "_")
		b.WriteString(word)
		if !more {
			return
		}
		b.WriteByte(' ')
		name = rest
	}
}

// cut shortens a text at the border of a character.
func cut(text string) string {
	if len(text) <= maxDetail {
		return text
	}
	end := maxDetail
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
