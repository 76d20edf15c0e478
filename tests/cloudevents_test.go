// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// TestCloudEvents sends a stream with the CloudEvents SDK in each of its modes, shuffled and partly repeated: the trees
// equal the truth.
func TestCloudEvents(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"binary", "structured", "batched"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			lines, truth, err := streamtest.Load(streamtest.Planned)
			require.NoError(t, err)
			sink := newSink(t)
			c := start(t, sink)
			var senders errgroup.Group
			senders.SetLimit(connections)
			for i := range connections {
				var part [][]byte
				for j := i; j < len(lines); j += connections {
					part = append(part, lines[j])
				}
				part = append(part, part[:len(part)/resendEvery]...)
				senders.Go(func() error { return sendCloudEvents(mode, "http://"+c.events+"/v1/events", part) })
			}
			require.NoError(t, senders.Wait())
			awaitTasks(t, sink, len(truth))
			assert.Zero(t, c.stop())
			equal(t, streamtest.Compare(truth, sink.all()))
		})
	}
}

// sendCloudEvents sends the lines with the program of tests/peers/cloudevents.
func sendCloudEvents(mode, url string, lines [][]byte) error {
	program, err := builtCloudEvents()
	if err != nil {
		return err
	}
	command := exec.Command(program, mode, url)
	command.Stdin = bytes.NewReader(bytes.Join(lines, []byte("\n")))
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("cloudevents %s: %w: %s", mode, err, output)
	}
	return nil
}
