// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package otlpcost

// message is the memory layout of an OTLP message.
type message struct {
	// size is the size of a decoded message: its struct, and its share of growing slices.
	size int64
	// fields are the submessages by field number. All other length-delimited fields are strings or bytes.
	fields fields
	// packed is the decoded size per byte of packed numeric fields, by field number; 0 for others.
	packed [maxField + 1]int64
	// value marks messages that can be nested in themselves, whose depth is bounded.
	value bool
}

// maxField is the highest field number with an entry.
const maxField = 15

// fields are messages by field number.
type fields [maxField + 1]*message

// below returns the message of a field, or nil.
func (m *message) below(field uint64) *message {
	if field > maxField {
		return nil
	}
	return m.fields[field]
}

// perByte returns the decoded size per byte of a packed field, or 0.
func (m *message) perByte(field uint64) int64 {
	if field > maxField {
		return 0
	}
	return m.packed[field]
}

// schema holds the messages of OTLP 1.x. The sizes were measured with pdata's decoder and are verified by TestSizes.
type schema struct{ logs, traces, metrics *message }

func newSchema() *schema {
	anyValue := &message{size: 64, value: true}
	keyValue := &message{size: 112, fields: fields{2: anyValue}}
	attributes := func(below fields, size int64, number uint64) *message {
		below[number] = keyValue
		return &message{size: size, fields: below}
	}
	anyValue.fields = fields{
		5: {size: 56, fields: fields{1: anyValue}},
		6: {size: 56, fields: fields{1: keyValue}},
	}

	entity := &message{size: 128}
	resource := &message{size: 32, fields: fields{1: keyValue, 3: entity}}
	scope := attributes(fields{}, 32, 3)
	group := func(size int64, item *message) *message {
		return &message{size: size, fields: fields{1: scope, 2: item}}
	}
	request := func(scopes *message) *message {
		return &message{fields: fields{1: {size: 176, fields: fields{1: resource, 2: scopes}}}}
	}

	record := attributes(fields{5: anyValue}, 176, 6)

	span := attributes(fields{
		11: attributes(fields{}, 112, 3), // event
		13: attributes(fields{}, 128, 4), // link
		15: {size: 32},                   // status
	}, 256, 9)

	exemplar := attributes(fields{}, 176, 7)
	number := attributes(fields{5: exemplar}, 144, 7)
	histogram := attributes(fields{8: exemplar}, 208, 9)
	histogram.packed = [...]int64{6: 1, 7: 1, maxField: 0} // fixed numbers of 8 bytes
	buckets := &message{size: 64, packed: [...]int64{2: 16, maxField: 0}}
	exponential := attributes(fields{8: buckets, 9: buckets, 11: exemplar}, 240, 1)
	summary := attributes(fields{6: {size: 64}}, 144, 7)
	points := func(point *message) *message { return &message{size: 48, fields: fields{1: point}} }
	metric := attributes(fields{
		5: points(number), 7: points(number), 9: points(histogram), 10: points(exponential), 11: points(summary),
	}, 144, 12)

	return &schema{logs: request(group(160, record)), traces: request(group(160, span)), metrics: request(group(160, metric))}
}
