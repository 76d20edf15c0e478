// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

// Reason is why an item was refused: the label of metrics.
type Reason string

const (
	// ReasonEmpty is a body without any item.
	ReasonEmpty Reason = "empty_body"
	// ReasonItems is a body with more items than allowed. Nothing of it was accepted.
	ReasonItems Reason = "too_many_items"
	// ReasonSyntax is text that is not JSON.
	ReasonSyntax Reason = "syntax"
	// ReasonEncoding is a string that is not UTF-8.
	ReasonEncoding Reason = "encoding"
	// ReasonDepth is an item nested too deep.
	ReasonDepth Reason = "depth"
	// ReasonSize is an item with too many bytes.
	ReasonSize Reason = "size"
	// ReasonAttributes is an item with too many values.
	ReasonAttributes Reason = "attributes"
	// ReasonValueSize is an item with too long a text.
	ReasonValueSize Reason = "value_size"
	// ReasonType is an item that is not an object.
	ReasonType Reason = "item_type"
	// ReasonField is a field that is missing or of a wrong type.
	ReasonField Reason = "field"
	// ReasonTime is an occurred_at that cannot be read.
	ReasonTime Reason = "time"
)

// MaxRefusals bounds the list in a report. Further refusals are only counted.
const MaxRefusals = 100

// Refusal reports to the sender what is wrong with an item, and the remedy.
type Refusal struct {
	// Index of the item in the body, from 0.
	Index int `json:"index"`
	// Line of the body on which the item begins, from 1.
	Line int `json:"line"`
	// Field of the item that is wrong, or empty for the item as a whole.
	Field string `json:"field,omitempty"`
	// Code is the machine-readable reason.
	Code Reason `json:"code"`
	// Reason and Remedy are sentences for people.
	Reason string `json:"reason"`
	Remedy string `json:"remedy"`
}

// Report is the result of decoding a body.
type Report struct {
	// Accepted is the number of accepted items, each of which is a log record.
	Accepted int
	// Refused is the number of refused items, listed or not.
	Refused int
	// Refusals lists the first MaxRefusals of the refused items.
	Refusals []Refusal
	// RefusedBy counts all refused items by reason. It is nil if there are none.
	RefusedBy map[Reason]int
	// ClockFallbacks counts items with an impossible occurred_at: before 2000, or more than a day ahead. They are accepted with
	// another time.
	ClockFallbacks int
	// PayloadClock and ReceiptClock count the accepted items with the time of their payload, or of their receipt, because their
	// occurred_at was absent or could not be used.
	PayloadClock int
	ReceiptClock int
	// LeftOut counts the payload values of accepted items that were not decoded because of their key, and Stamps those under keys
	// that only a router writes. Unused counts those that were not decoded because nothing uses them of their event.
	LeftOut int
	Stamps  int
	Unused  int
	// UnknownFields counts unknown fields next to the payload, which are ignored.
	UnknownFields int
}
