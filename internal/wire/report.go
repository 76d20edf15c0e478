// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

// Reason is why an item was refused, in one word: the label of metrics.
type Reason string

const (
	// ReasonEmpty is a body without any item.
	ReasonEmpty Reason = "empty_body"
	// ReasonItems is a body with more items than allowed. Nothing of it was taken.
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

// Refusal tells the sender what is wrong with an item, and what to do.
type Refusal struct {
	// Index of the item in the body, from 0.
	Index int `json:"index"`
	// Line of the body on which the item begins, from 1.
	Line int `json:"line"`
	// Field of the item that is wrong, or empty when it is the item as a whole.
	Field string `json:"field,omitempty"`
	// Code is the reason in one word.
	Code Reason `json:"code"`
	// Reason and Remedy are sentences for people.
	Reason string `json:"reason"`
	Remedy string `json:"remedy"`
}

// Report is what became of a body.
type Report struct {
	// Accepted items, each of them one log record.
	Accepted int
	// Refused items, listed or not.
	Refused int
	// Refusals are the first MaxRefusals of the refused.
	Refusals []Refusal
	// RefusedBy counts all the refused by reason. It is nil when there are none.
	RefusedBy map[Reason]int
	// ClockFallbacks counts items with an occurred_at that no clock can have shown: before 2000, or more than a day
	// ahead. They were accepted with another time.
	ClockFallbacks int
	// PayloadClock and ReceiptClock count the accepted items that have the time of their payload, or of their receipt,
	// because their occurred_at was absent or could not be used.
	PayloadClock int
	ReceiptClock int
	// LeftOut counts the payload values of accepted items that were not decoded because of their key, and Stamps those under keys
	// that only a router writes.
	LeftOut int
	Stamps  int
	// UnknownFields counts fields beside the payload that mean nothing here and were left out.
	UnknownFields int
}
