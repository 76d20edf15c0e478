// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/base64"
	"mime"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// cloudEventsVersion is the supported version of CloudEvents.
const cloudEventsVersion = "1.0"

// CloudEvent has the used attributes of a CloudEvent as strings. An empty one is absent.
type CloudEvent struct {
	SpecVersion, Type, Source, ID, Time, DataContentType string
	// TraceParent, CorrelationID, Service and Namespace are extension attributes.
	TraceParent, CorrelationID, Service, Namespace string
	// Unknown counts attributes that are not used.
	Unknown int
}

// HeaderPrefix is the prefix of an attribute's header in binary mode.
const HeaderPrefix = "ce-"

// Set sets an attribute. An unknown one is counted.
func (c *CloudEvent) Set(name, value string) {
	switch name {
	case "specversion":
		c.SpecVersion = value
	case "type":
		c.Type = value
	case "source":
		c.Source = value
	case "id":
		c.ID = value
	case "time":
		c.Time = value
	case "traceparent":
		c.TraceParent = value
	case "correlationid":
		c.CorrelationID = value
	case "service":
		c.Service = value
	case "namespace":
		c.Namespace = value
	case "subject", "dataschema", "tracestate":
	default:
		c.Unknown++
	}
}

// structured makes a log record of an item that is a CloudEvent, or refuses it.
func (d *decoding) structured(f *fields) {
	d.report.UnknownFields += f.plainOnly
	event := CloudEvent{
		SpecVersion:     d.optional(f.specVersion, "specversion"),
		Type:            d.name(f.kind, "type"),
		Source:          d.optional(f.source, "source"),
		ID:              d.optional(f.id, "id"),
		Time:            d.optional(f.time, "time"),
		DataContentType: d.optional(f.contentType, "datacontenttype"),
		TraceParent:     d.optional(f.traceparent, "traceparent"),
		CorrelationID:   d.optional(f.correlationID, "correlationid"),
		Service:         d.optional(f.service, "service"),
		Namespace:       d.optional(f.namespace, "namespace"),
	}
	e := d.envelope(&event, "")
	data := d.data(f)
	if !d.refused {
		d.record(&e, data)
	}
}

// binary makes a log record of a body that is the data of a CloudEvent with attributes in headers, or refuses it.
func (d *decoding) binary(start int) {
	d.refused, d.impossible = false, ""
	event := d.request.CloudEvent
	d.report.UnknownFields += event.Unknown
	d.source, d.salt = d.whole[start:], event.Source+" "+event.ID
	e := d.envelope(event, HeaderPrefix)
	if d.refused {
		return
	}
	if most := d.settings.Limits.MaxItemBytes; len(d.source) > most {
		d.fault = faultSize
		d.refuseFault()
		return
	}
	if d.object(d.source, "data"); !d.refused {
		d.record(&e, 0)
	}
}

// envelope checks the attributes of a CloudEvent. Fields are named with the prefix.
func (d *decoding) envelope(c *CloudEvent, prefix string) (e envelope) {
	if d.refused {
		return e
	}
	required := func(name, value, remedy string) {
		if value == "" && !d.refused {
			d.refuse(ReasonField, prefix+name, prefix+name+" is missing or empty: every CloudEvent has one", remedy)
		}
	}
	required("specversion", c.SpecVersion, `send CloudEvents 1.0, which say so: specversion is "1.0"`)
	if !d.refused && c.SpecVersion != cloudEventsVersion {
		d.refuse(ReasonField, prefix+"specversion", prefix+"specversion is "+strconv.QuoteToASCII(cut(c.SpecVersion)),
			"send CloudEvents "+cloudEventsVersion)
	}
	required("type", c.Type, eventRemedy+`, with or without "tasker." before it`)
	required("source", c.Source, `name the application, such as "/apps/shop"`)
	required("id", c.ID, "give each event of a source an id of its own, and the same one when it is sent again")
	for _, value := range [...]string{c.Type, c.Source, c.ID, c.TraceParent, c.CorrelationID, c.Service, c.Namespace} {
		if !d.refused && !utf8.ValidString(value) {
			d.refuse(ReasonEncoding, "", "an attribute of the event is not UTF-8", "encode attributes as UTF-8")
		}
	}
	if !d.refused && !isJSON(c.DataContentType) {
		field := "datacontenttype"
		if prefix != "" {
			field = "Content-Type"
		}
		d.refuse(ReasonField, field, field+" is "+strconv.QuoteToASCII(cut(c.DataContentType))+", which is not JSON",
			"send the event's payload as JSON, of the type application/json")
	}
	e = envelope{
		event:         d.eventName(c.Type, prefix+"type"),
		namespace:     c.Namespace,
		service:       c.Service,
		correlationID: c.CorrelationID,
		traceparent:   c.TraceParent,
	}
	if e.service == "" {
		e.service = serviceOf(c.Source)
	}
	if e.id = c.ID; e.service != c.Source {
		e.id = c.Source + " " + c.ID // an id is unique per source, and a source has no spaces
	}
	if c.Time != "" && !d.refused {
		e.occurred = d.time([]byte(c.Time), prefix+"time")
	}
	return e
}

// data returns the index of the object that is a CloudEvent's data.
func (d *decoding) data(f *fields) uint32 {
	const remedy = "send the event's payload as a JSON object in data; an empty one is {}"
	switch {
	case d.refused:
	case f.data != absent && f.dataBase64 != absent:
		d.refuse(ReasonField, "data_base64", "data and data_base64 are both there", "send one of them")
	case f.dataBase64 != absent:
		d.base64(&d.tokens[f.dataBase64])
		return 0
	case f.data == absent || d.tokens[f.data].kind != kindObject:
		d.refuse(ReasonField, "data", "data is missing or not an object", remedy)
	}
	return f.data
}

// base64 replaces the tokens by those of the encoded data.
func (d *decoding) base64(t *token) {
	const remedy = "send the event's payload as a JSON object in data"
	if t.kind != kindText {
		d.refuse(ReasonField, "data_base64", "data_base64 is not a string", remedy)
		return
	}
	var err error
	if d.decoded, err = base64.StdEncoding.AppendDecode(d.decoded[:0], d.plain(t)); err != nil {
		d.refuse(ReasonField, "data_base64", "data_base64 is not base64: "+err.Error(), remedy)
		return
	}
	d.object(d.decoded, "data_base64")
}

// object replaces the tokens by those of a JSON object, an event's data.
func (d *decoding) object(text []byte, field string) {
	end := d.scanAt(text, 2)
	switch {
	case end == stopped && (d.fault == faultDepth || d.fault == faultValues || d.fault == faultText):
		d.refuseFault()
	case end == stopped && d.fault == faultEncoding:
		d.refuse(ReasonEncoding, field, field+" is not UTF-8", "encode JSON as UTF-8")
	case end == stopped || skipSpace(text, end) < len(text):
		d.refuse(ReasonSyntax, field, field+" is not JSON", "write the event's data with a JSON library")
	case d.tokens[0].kind != kindObject:
		d.refuse(ReasonField, field, field+" is not an object", "send the event's payload as a JSON object; an empty one is {}")
	}
}

// serviceOf returns the application's name from a CloudEvent's source: the last segment of a path, the host if there is no path,
// the last part of a URN, or a plain name as a whole. It may be empty.
func serviceOf(source string) string {
	if end := strings.IndexAny(source, "?#"); end >= 0 {
		source = source[:end]
	}
	source = strings.TrimRight(source, "/:")
	slash := strings.LastIndexByte(source, '/')
	name := source[slash+1:]
	switch colon := strings.LastIndexByte(name, ':'); {
	case slash < 0:
		name = name[colon+1:]
	case slash > 0 && source[slash-1] == '/' && colon >= 0 && skipDigits([]byte(name), colon+1) == len(name):
		name = name[:colon] // a host's port
	}
	if strings.IndexByte(name, '%') >= 0 {
		if plain, err := url.PathUnescape(name); err == nil && utf8.ValidString(plain) {
			return plain
		}
	}
	return name
}

// isJSON reports whether a media type is JSON, which is the default.
func isJSON(contentType string) bool {
	if contentType == "" || contentType == "application/json" {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (strings.HasSuffix(media, "/json") || strings.HasSuffix(media, "+json"))
}

// cut shortens a text quoted in a message.
func cut(text string) string {
	const most = 40
	if len(text) > most {
		return text[:most]
	}
	return text
}
