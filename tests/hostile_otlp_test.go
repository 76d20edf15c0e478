// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

const (
	exportLogs   = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
	exportTraces = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
	// largestOTLP is the maximum request size of the shipped receivers.
	largestOTLP = 4 << 20
	// shippedMemory is the memory of the shipped deployments.
	shippedMemory = 1 << 30
)

// field returns a length-delimited field of protobuf.
func field(number protowire.Number, body []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), body)
}

// listsInLists returns one record whose body consists of nested lists, as many as fit.
func listsInLists(size int) []byte {
	var heads [][]byte // of the lists, innermost first
	for length := 0; length < size-64; {
		for _, number := range []protowire.Number{1, 5} {
			head := protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.BytesType), uint64(length))
			heads = append(heads, head)
			length += len(head)
		}
	}
	slices.Reverse(heads)
	return field(1, field(2, field(2, field(5, slices.Concat(heads...)))))
}

// costlyRequests returns requests that need as much memory as possible, by description.
func costlyRequests() map[string][]byte {
	empty := func(number protowire.Number, size int) []byte { return bytes.Repeat(field(number, nil), size/2) }
	return map[string][]byte{
		exportLogs + " lists in lists":               listsInLists(largestOTLP),
		exportLogs + " records of two bytes":         field(1, field(2, empty(2, largestOTLP-64))),
		exportLogs + " a resource of two bytes each": empty(1, largestOTLP-64),
		exportLogs + " values of two bytes":          field(1, field(2, bytes.Repeat(field(2, field(6, field(2, field(5, empty(1, 190_000))))), largestOTLP/190_020))),
		exportLogs + " attributes of two bytes":      field(1, field(2, field(2, empty(6, largestOTLP-64)))),
		exportTraces + " spans of two bytes":         field(1, field(2, empty(2, largestOTLP-64))),
		exportTraces + " as much as is taken":        field(1, field(2, empty(2, 400_000))),
		exportLogs + " attributes that are taken":    field(1, field(2, field(2, empty(6, 1_000_000)))),
	}
}

// TestAttackHostileOTLPWithinTheShippedMemory: the worst requests that OTLP's protobuf allows, many at once and over many
// connections, with the shipped memory.
func TestAttackHostileOTLPWithinTheShippedMemory(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "819MiB") // as in the systemd unit
	sink := newSink(t)
	sink.countOnly = true
	c := start(t, sink, "processors: {memory_limiter: {limit_mib: 768, spike_limit_mib: 154}}")
	const connections, rounds = 8, 2
	var taken, refused atomic.Int64
	var senders sync.WaitGroup
	for i := range connections {
		client, err := grpc.NewClient(c.otlp, grpc.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(t, err)
		defer client.Close()
		for name, body := range costlyRequests() {
			method, _, _ := bytes.Cut([]byte(name), []byte(" "))
			senders.Go(func() {
				for range rounds {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					err := client.Invoke(ctx, string(method), body, &[]byte{}, grpc.ForceCodec(bytesCodec{}), grpc.MaxCallSendMsgSize(2*largestOTLP))
					cancel()
					count(err == nil, &taken, &refused)
				}
			})
			if i%2 == 0 {
				continue
			}
			urls := []string{"http://" + c.otlpHTTP + "/v1/traces"}
			if string(method) == exportLogs {
				urls = []string{"http://" + c.otlpHTTP + "/v1/logs", "http://" + c.events + "/v1/logs"}
			}
			for _, url := range urls {
				senders.Go(func() {
					for range rounds {
						response, err := http.Post(url, "application/x-protobuf", bytes.NewReader(body))
						if err == nil {
							_, _ = io.Copy(io.Discard, response.Body)
							_ = response.Body.Close()
						}
						count(err == nil && response.StatusCode == http.StatusOK, &taken, &refused)
					}
				})
			}
		}
	}
	senders.Wait()
	peak := c.memory("VmHWM")
	t.Logf("finding: %d MiB at most, %d requests refused, %d taken", peak>>20, refused.Load(), taken.Load())
	assert.Less(t, peak, int64(shippedMemory))
	assert.Positive(t, refused.Load())

	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 5, Seed: 61})
	c.sendOTLP("", streamtest.Batches(lines, batchLines))
	awaitTasks(t, sink, len(truth))
	assert.Zero(t, c.stop())
}

func count(is bool, yes, no *atomic.Int64) {
	if is {
		yes.Add(1)
	} else {
		no.Add(1)
	}
}

// bytesCodec sends bytes unchanged.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "proto" }

func (bytesCodec) Marshal(v any) ([]byte, error) {
	body, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("%T is no request", v)
	}
	return body, nil
}

func (bytesCodec) Unmarshal([]byte, any) error { return nil }
