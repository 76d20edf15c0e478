// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package otlpcost

// message is a message of OTLP, as far as memory is concerned.
type message struct {
	// size is what one of it takes when it is decoded: its struct, and its share of the lists that grow with it.
	size int64
	// fields are the messages below, by the number of the field. All other fields of a length are texts or bytes.
	fields map[uint64]*message
	// packed is what a byte of a field takes that is a list of numbers, by the number of the field.
	packed map[uint64]int64
	// value marks what can stand in itself, so that its depth is bounded.
	value bool
}

// schema has the messages of OTLP 1.x. Sizes were measured with the decoder of pdata (TestSizes keeps them true).
type schema struct{ logs, traces, metrics *message }

func newSchema() *schema {
	anyValue := &message{size: 64, value: true}
	keyValue := &message{size: 112, fields: map[uint64]*message{2: anyValue}}
	attributes := func(fields map[uint64]*message, size int64, number uint64) *message {
		if fields == nil {
			fields = map[uint64]*message{}
		}
		fields[number] = keyValue
		return &message{size: size, fields: fields}
	}
	anyValue.fields = map[uint64]*message{
		5: {size: 56, fields: map[uint64]*message{1: anyValue}},
		6: {size: 56, fields: map[uint64]*message{1: keyValue}},
	}

	entity := &message{size: 128}
	resource := &message{size: 32, fields: map[uint64]*message{1: keyValue, 3: entity}}
	scope := attributes(nil, 32, 3)
	group := func(size int64, item *message) *message {
		return &message{size: size, fields: map[uint64]*message{1: scope, 2: item}}
	}
	request := func(scopes *message) *message {
		return &message{fields: map[uint64]*message{1: {size: 176, fields: map[uint64]*message{1: resource, 2: scopes}}}}
	}

	record := attributes(map[uint64]*message{5: anyValue}, 176, 6)

	span := attributes(map[uint64]*message{
		11: attributes(nil, 112, 3), // event
		13: attributes(nil, 128, 4), // link
		15: {size: 32},              // status
	}, 256, 9)

	exemplar := attributes(nil, 176, 7)
	number := attributes(map[uint64]*message{5: exemplar}, 144, 7)
	histogram := attributes(map[uint64]*message{8: exemplar}, 208, 9)
	histogram.packed = map[uint64]int64{6: 1, 7: 1} // fixed numbers of 8 bytes
	buckets := &message{size: 64, packed: map[uint64]int64{2: 16}}
	exponential := attributes(map[uint64]*message{8: buckets, 9: buckets, 11: exemplar}, 240, 1)
	summary := attributes(map[uint64]*message{6: {size: 64}}, 144, 7)
	points := func(point *message) *message { return &message{size: 48, fields: map[uint64]*message{1: point}} }
	metric := attributes(map[uint64]*message{
		5: points(number), 7: points(number), 9: points(histogram), 10: points(exponential), 11: points(summary),
	}, 144, 12)

	return &schema{logs: request(group(160, record)), traces: request(group(160, span)), metrics: request(group(160, metric))}
}
