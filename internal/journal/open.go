// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// Owner is the component whose state a journal keeps.
type Owner struct {
	Kind component.Kind
	ID   component.ID
	// Name distinguishes several journals of one component; usually empty.
	Name string
}

// Open gets a client of the storage extension and lists its segments. Errors name the setting storage. The extension sets
// unreadable files aside, as our file_storage does.
func Open(ctx context.Context, host component.Host, id component.ID, owner Owner, log *zap.Logger) (*Journal, error) {
	found, ok := host.GetExtensions()[id]
	if !ok {
		return nil, configerr.New("storage", id.String(), "is not an extension that is running", "define it under extensions and name it in service::extensions")
	}
	extension, ok := found.(storage.Extension)
	if !ok {
		return nil, configerr.New("storage", id.String(), "is an extension that stores nothing", "use one that does, such as file_storage")
	}
	client, err := extension.GetClient(ctx, owner.Kind, owner.ID, owner.Name)
	if err != nil {
		return nil, fmt.Errorf("open the storage %q: %w", id, err)
	}
	j, err := attach(ctx, client, log)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the storage %q: %w", id, err), client.Close(ctx))
	}
	return j, nil
}
