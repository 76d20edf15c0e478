// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package filestorage

import (
	"context"
	"fmt"

	upstream "github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/tasker-otel/otelcol-tasker/extension/filestorage/internal/metadata"
)

// NewFactory creates the factory of the extension. Its configuration is contrib's.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, upstream.NewFactory().CreateDefaultConfig, create, metadata.ExtensionStability)
}

func create(ctx context.Context, set extension.Settings, config component.Config) (extension.Extension, error) {
	cfg := config.(*upstream.Config)
	inner := *cfg
	compaction := *cfg.Compaction
	inner.Compaction = &compaction
	made, err := upstream.NewFactory().Create(ctx, set, &inner)
	if err != nil {
		return nil, err
	}
	// Create has made the compaction's directory; compact.go does the compaction itself.
	compaction.OnRebound = false
	stores, ok := made.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("contrib's file_storage is a %T, which stores nothing", made)
	}
	return newExtension(set, cfg, stores)
}
