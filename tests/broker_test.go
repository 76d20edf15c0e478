// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// partitions is the number of partitions per topic.
const partitions = 6

// broker is a Kafka broker with the topics of the shipped configurations, the program of tests/peers/kafka. It ends with
// the test.
type broker struct {
	address string
	in      io.Writer
	out     *bufio.Reader
}

// consumerGroup is the state of a group.
type consumerGroup struct {
	State               string
	Members, Partitions int
}

func startBroker(t *testing.T, flags ...string) *broker {
	t.Helper()
	program, err := builtKafka()
	require.NoError(t, err)
	flags = append(flags, "-partitions", strconv.Itoa(partitions), "tasker_events", "tasker_spans")
	command := exec.Command(program, flags...)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	require.NoError(t, err)
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		assert.NoError(t, in.Close())
		assert.NoError(t, command.Wait())
	})
	b := &broker{in: in, out: bufio.NewReader(out)}
	b.address = strings.TrimSpace(b.line(t))
	return b
}

// group returns the state of a consumer group.
func (b *broker) group(t *testing.T, name string) (state consumerGroup) {
	t.Helper()
	_, err := io.WriteString(b.in, name+"\n")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(b.line(t)), &state))
	return state
}

func (b *broker) line(t *testing.T) string {
	t.Helper()
	line, err := b.out.ReadString('\n')
	require.NoError(t, err, "the broker has ended")
	return line
}
