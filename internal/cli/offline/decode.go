// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"context"
	"errors"
	"io"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/eventfile"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

// DecodeOptions are the options of [Decode].
type DecodeOptions struct {
	// Service is that of items without one; empty means the receiver's default.
	Service string
	Now     func() time.Time
	// Logs receives the records of each batch. Its error ends the decoding.
	Logs func(plog.Logs) error
	// Refused, if set, is called for every item that cannot be decoded.
	Refused func(where, field, reason, remedy string)
}

// Decode converts the source's items to log records, as the receiver does, and returns the numbers of accepted and refused
// items. The error is the source's, the context's or that of Logs.
func Decode(ctx context.Context, source Source, options DecodeOptions) (accepted, refused int, err error) {
	d := decoding{options: options, decoder: wire.NewDecoder(wire.Settings{DefaultService: options.Service, Now: options.Now})}
	err = d.read(ctx, source)
	return d.accepted, d.refused, err
}

type decoding struct {
	options           DecodeOptions
	decoder           *wire.Decoder
	batch             eventfile.Batch
	accepted, refused int
}

func (d *decoding) read(ctx context.Context, source Source) error {
	for {
		item, err := source.Next()
		if err != nil {
			if decodeErr := d.decode(); decodeErr != nil {
				return decodeErr
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if item.Fault != nil {
			d.refuse(item.String(), "", item.Fault.Reason, item.Fault.Remedy)
			continue
		}
		d.batch.Add(item)
		if d.batch.Len() >= batchItems || len(d.batch.Body) >= batchBytes {
			if err := d.decode(); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
}

func (d *decoding) refuse(where, field, reason, remedy string) {
	d.refused++
	if d.options.Refused != nil {
		d.options.Refused(where, field, reason, remedy)
	}
}

// decode decodes the batch. The decoder lists only the first refusals of a body; the others are counted.
func (d *decoding) decode() error {
	if d.batch.Len() == 0 {
		return nil
	}
	logs, report := d.decoder.Decode(d.batch.Body, wire.FormatNDJSON)
	for _, r := range report.Refusals {
		where, _ := d.batch.Origin(r.Index)
		d.refuse(where.String(), r.Field, r.Reason, r.Remedy)
	}
	d.refused += report.Refused - len(report.Refusals)
	d.accepted += report.Accepted
	d.batch.Reset()
	return d.options.Logs(logs)
}
