// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package otlpcost

// message is a message of OTLP, as far as memory is concerned.
type message struct {
	// size is what one of it takes when it is decoded: its struct, and its share of the lists that grow with it.
	size int64
	// fields are the messages below, by the number of the field. All other fields of a length are texts or bytes.
	fields fields
	// packed is what a byte of a field takes that is a list of numbers, by the number of the field; 0 for all others.
	packed [maxField + 1]int64
	// value marks what can stand in itself, so that its depth is bounded.
	value bool
}

// maxField is the highest number of a field that has an entry.
const maxField = 15

// fields are messages by the number of the field.
type fields [maxField + 1]*message

// below returns the message of a field, or nil.
func (m *message) below(field uint64) *message {
	if field > maxField {
		return nil
	}
	return m.fields[field]
}

// perByte returns what a byte of a field takes that is a list of numbers, or 0.
func (m *message) perByte(field uint64) int64 {
	if field > maxField {
		return 0
	}
	return m.packed[field]
}

// schema has the messages of OTLP 1.x. Sizes were measured with the decoder of pdata (TestSizes keeps them true).
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
