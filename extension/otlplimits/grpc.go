// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package otlplimits

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	_ "go.opentelemetry.io/collector/pdata/plog/plogotlp" // registers its codec before it is looked up
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/tasker-otel/otelcol-tasker/internal/admission"
	"github.com/tasker-otel/otelcol-tasker/internal/otlpcost"
)

// GetGRPCServerOptions implements extensionmiddleware.GRPCServer. A request is checked in three places: after its headers (tap),
// after its bytes (codec), and, because a codec cannot choose the answer, before its handler (answer), which comes before
// authentication, as decoding does.
func (l *limits) GetGRPCServerOptions(context.Context) ([]grpc.ServerOption, error) {
	codec := encoding.GetCodecV2("proto")
	if codec == nil {
		return nil, fmt.Errorf("gRPC has no codec named proto")
	}
	c := &limitedCodec{CodecV2: codec, limits: l}
	return []grpc.ServerOption{
		grpc.InTapHandle(l.tap), grpc.ForceServerCodecV2(c), grpc.UnaryInterceptor(c.answer),
		grpc.ConnectionTimeout(l.config.ConnectionTimeout),
	}, nil
}

// retryable returns a retryable refusal.
func retryable(why error) error {
	s := status.New(codes.Unavailable, why.Error())
	if detailed, err := s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)}); err == nil {
		s = detailed
	}
	return s.Err()
}

// tap admits a request. It is called under a lock of the connection and does not wait.
func (l *limits) tap(ctx context.Context, _ *tap.Info) (context.Context, error) {
	begun, evicted, ok := l.receiving.begin(ctx)
	if evicted {
		l.refused("grpc", admission.ErrSlow)
	}
	if !ok {
		l.refused("grpc", admission.ErrBusy)
		return ctx, retryable(admission.ErrBusy)
	}
	return begun, nil
}

// limitedCodec decodes requests within the limits.
type limitedCodec struct {
	encoding.CodecV2
	*limits
	// decisions are those on requests between the codec and their handler, by the message they are decoded into.
	decisions sync.Map // of any to *decision
}

// decision is the codec's result for a request.
type decision struct {
	share *admission.Body
	err   error
}

// Unmarshal decodes an admitted request. Any other is left empty, and answer refuses it.
func (c *limitedCodec) Unmarshal(data mem.BufferSlice, into any) error {
	signal, known := signalOfType(into)
	if !known {
		return c.CodecV2.Unmarshal(data, into)
	}
	whole := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer whole.Free()
	d := &decision{err: admission.ErrBusy}
	if d.share = c.room.Admit(nil, int64(whole.Len()), nil); d.share != nil {
		estimate, err := c.estimator.Protobuf(signal, whole.ReadOnlyData())
		d.err = c.reserve(d.share, estimate+int64(whole.Len()), err)
	}
	c.decisions.Store(into, d)
	if d.err != nil {
		return nil
	}
	err := c.CodecV2.Unmarshal(mem.BufferSlice{whole}, into)
	if err != nil { // there will be no handler
		c.decisions.Delete(into)
		d.share.Done()
	}
	return err
}

// signalOfType returns the signal of the message into which pdata decodes a request.
func signalOfType(into any) (otlpcost.Signal, bool) {
	t := reflect.TypeOf(into)
	if t == nil || t.Kind() != reflect.Pointer {
		return 0, false
	}
	switch name := t.Elem().Name(); {
	case strings.HasPrefix(name, "ExportLogs"):
		return otlpcost.Logs, true
	case strings.HasPrefix(name, "ExportTrace"):
		return otlpcost.Traces, true
	case strings.HasPrefix(name, "ExportMetrics"):
		return otlpcost.Metrics, true
	}
	return 0, false
}

// answer refuses requests that the codec did not decode, and releases the memory of the others after they were passed on.
func (c *limitedCodec) answer(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	c.receiving.arrived(ctx)
	found, known := c.decisions.LoadAndDelete(request)
	if !known {
		return handle(ctx, request)
	}
	d := found.(*decision)
	if d.share != nil {
		defer d.share.Done()
	}
	if d.err == nil {
		return handle(ctx, request)
	}
	c.refused("grpc", d.err)
	if errors.Is(d.err, admission.ErrBusy) {
		return nil, retryable(d.err)
	}
	return nil, status.Error(codes.InvalidArgument, "the request was not taken: "+d.err.Error())
}
