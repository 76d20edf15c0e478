// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package origin_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/client"

	"github.com/tasker-otel/otelcol-tasker/internal/origin"
)

func TestOf(t *testing.T) {
	received := client.NewContext(context.Background(), client.Info{Metadata: client.NewMetadata(map[string][]string{"origin": {"3"}})})
	assert.Equal(t, origin.Received, origin.Of(received), "nothing that a sender says is a mark")
	routed := origin.Mark(received, origin.Router)
	assert.Equal(t, origin.Router, origin.Of(context.WithoutCancel(routed)))
	assert.Equal(t, origin.EventSpans, origin.Of(origin.Mark(routed, origin.EventSpans)), "the latest")
}
