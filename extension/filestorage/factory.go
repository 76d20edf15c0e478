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
	made, err := upstream.NewFactory().Create(ctx, set, config)
	if err != nil {
		return nil, err
	}
	inner, ok := made.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("contrib's file_storage is a %T, which stores nothing", made)
	}
	return newExtension(set, config.(*upstream.Config), inner)
}
