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

// GetGRPCServerOptions implements extensionmiddleware.GRPCServer. A request is judged in three places: after its headers (tap),
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

// again returns a retryable refusal.
func again(why error) error {
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
		return ctx, again(admission.ErrBusy)
	}
	return begun, nil
}

// limitedCodec decodes requests within the limits.
type limitedCodec struct {
	encoding.CodecV2
	*limits
	// judged are the requests between the codec and their handler, by the message they are decoded into.
	judged sync.Map // of any to *judgement
}

// judgement is the codec's result for a request.
type judgement struct {
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
	j := &judgement{err: admission.ErrBusy}
	if j.share = c.room.Admit(nil, int64(whole.Len()), nil); j.share != nil {
		estimate, err := c.estimator.Protobuf(signal, whole.ReadOnlyData())
		j.err = c.judge(j.share, estimate+int64(whole.Len()), err)
	}
	c.judged.Store(into, j)
	if j.err != nil {
		return nil
	}
	err := c.CodecV2.Unmarshal(mem.BufferSlice{whole}, into)
	if err != nil { // there will be no handler
		c.judged.Delete(into)
		j.share.Done()
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
	found, known := c.judged.LoadAndDelete(request)
	if !known {
		return handle(ctx, request)
	}
	j := found.(*judgement)
	if j.share != nil {
		defer j.share.Done()
	}
	if j.err == nil {
		return handle(ctx, request)
	}
	c.refused("grpc", j.err)
	if errors.Is(j.err, admission.ErrBusy) {
		return nil, again(j.err)
	}
	return nil, status.Error(codes.InvalidArgument, "the request was not taken: "+j.err.Error())
}
